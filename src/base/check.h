// CHECK: an invariant that must hold in every build. It ends the process with place and text,
// because going on with broken state is worse (a request could reach the wrong client). Owner:
// none. Thread: any. Never used for input from the network or the configuration: those are errors
// with an owner (base/error.h), not invariants.
#pragma once

namespace banyan {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}

#define CHECK(expression)                                      \
  do {                                                         \
    if (!(expression)) [[unlikely]]                            \
      ::banyan::check_failed(#expression, __FILE__, __LINE__); \
  } while (0)
