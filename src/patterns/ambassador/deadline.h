// DeadlineFilter and TimeLeftFilter: until when a caller waits. The first stands on top and reads
// it (Banyan-Timeout, grpc-timeout, or what is remembered of the trace); at that time the call is
// given up with 504. The second stands right above the endpoints and tells each of them how much is
// left, at the moment of sending: pauses and queues above it have taken their part.
// Owner: the service's stack. Thread: its loop's. Lifetime: memory and loop outlive them. The time
// counts from the first byte of the request to the head of its answer. A deadline is an upper bound
// only: all other limits hold as well. Sources: the gRPC protocol over HTTP/2 (Timeout).
#pragma once
#include <optional>

#include "patterns/ambassador/deadline_memory.h"
#include "patterns/ambassador/settings.h"
#include "service/service.h"

namespace banyan {

class DeadlineFilter final : public Filter {
 public:
  DeadlineFilter(ServicePtr wrapped, const DeadlineSettings& settings, DeadlineMemory& memory,
                 Loop& loop)
      : Filter(std::move(wrapped)), settings_(settings), memory_(memory), loop_(loop) {}
  Task<Reply> call(Request& request) override;

 private:
  Time told(const Request& request) const;
  Time deadline_of(const Request& request) const;
  Task<Reply> call_until(Request& request, Time until);

  const DeadlineSettings settings_;
  DeadlineMemory& memory_;
  Loop& loop_;
};

class TimeLeftFilter final : public Filter {
 public:
  using Filter::Filter;
  Task<Reply> call(Request& request) override;
};

// "250m": at most eight digits and a unit of H M S m u n.
std::optional<Duration> parse_grpc_timeout(std::string_view text);
// The largest that says no more than this, and more than nothing.
std::string grpc_timeout_text(Duration left);
std::string banyan_timeout_text(Duration left);

}  // namespace banyan
