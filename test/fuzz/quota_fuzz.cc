// The fields with which services tell their quotas: whatever they say, what is believed is in
// bounds, and a call is not kept back for longer than that.
#include "fuzz/fuzz.h"
#include "patterns/ambassador/quota_state.h"

namespace banyan {
namespace {

void run(std::string_view input) {
  static constexpr std::string_view names[] = {"RateLimit",           "RateLimit-Policy",
                                               "RateLimit-Remaining", "X-RateLimit-Reset",
                                               "RateLimit-Reset",     "X-RateLimit-Remaining"};
  Arena arena;
  Headers headers(arena);
  for (size_t i = 0; !input.empty(); ++i) {
    const size_t end = input.find('\n');
    headers.add(names[i % std::size(names)], input.substr(0, end));
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  }
  const QuotaSaid said = quota_said(headers, WallTime(std::chrono::seconds(1'700'000'000)));
  if (said.remaining) CHECK(*said.remaining <= 1'000'000'000);
  if (said.reset) CHECK(*said.reset >= Duration{});
  const Time now{std::chrono::seconds(1000)};
  QuotaState state({});
  CHECK(state.ask(now).go);
  state.ended(said, said.reset, now);
  const auto next = state.ask(now);
  if (next.go)
    state.ended({}, {}, now);
  else
    CHECK(next.again <= now + QuotaState::pause_max);
}

}  // namespace
}  // namespace banyan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  banyan::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
