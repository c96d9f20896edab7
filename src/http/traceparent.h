// TraceId: which trace a request belongs to, as its `traceparent` says.
// Owner: a plain value. Thread: any.
// Source: W3C Trace Context, section 3.2: versions to come may append to what version 00 has, so
// the id is read from them, too; version ff and an id of zeros are none.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace banyan {

struct TraceId {
  uint64_t high = 0, low = 0;
  friend bool operator==(const TraceId&, const TraceId&) = default;
};

// "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
std::optional<TraceId> parse_traceparent(std::string_view text);

}  // namespace banyan
