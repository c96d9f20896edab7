// Time as the data plane sees it: a type only. "Now" comes from Loop (task/loop.h) and nowhere
// else, so that the same code runs in virtual time (test/tidy.py bans every other clock). Owner:
// none. Thread: any. Time::max() means "never".
#pragma once
#include <chrono>

namespace banyan {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

inline constexpr Time never = Time::max();

// `at + by` that stops at `never` instead of wrapping.
constexpr Time after(Time at, Duration by) { return by >= never - at ? never : at + by; }

}  // namespace banyan
