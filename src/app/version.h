// version: of the program, from the build.
// Owner: none. Thread: any.
#pragma once
#include <string_view>

namespace banyan {

#ifndef BANYAN_VERSION
#define BANYAN_VERSION "0.1.0"
#endif
inline constexpr std::string_view version = BANYAN_VERSION;

}  // namespace banyan
