// quota_fields: what a service's answer says of how much more it may be asked. Owner: none. Thread:
// any. What cannot be read counts as not said. Sources: draft-ietf-httpapi-ratelimit-headers, in
// its forms (RateLimit with RateLimit-Policy; RateLimit with limit, remaining, reset; three
// RateLimit-* fields), the same with X- in front as GitHub and others have it, and Retry-After (RFC
// 9110, section 10.2.3).
#pragma once
#include <cstdint>
#include <optional>

#include "http/headers.h"
#include "task/time.h"

namespace banyan {

struct QuotaSaid {
  std::optional<uint64_t> limit;      // calls a window
  std::optional<uint64_t> remaining;  // in this window
  std::optional<Duration> reset;      // until the next one
  friend bool operator==(const QuotaSaid&, const QuotaSaid&) = default;
};

// Of several windows the one that is used up first. `wall` is for a reset that is a moment.
QuotaSaid quota_said(const Headers& answer, WallTime wall);

}  // namespace banyan
