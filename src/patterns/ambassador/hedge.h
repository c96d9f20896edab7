// HedgeFilter: sends a second copy of a request to another endpoint when the answer to the first is
// late, and takes the answer that comes first; the other copies are called off, and their
// connections closed. Only for safe methods without content: both copies may be processed.
// Owner: the service's stack. Thread: its loop's. Lifetime: `state` outlives it. Late is what takes
// longer than a fixed time, or than a quantile of this service's answers on this worker. Each copy
// is taken from the budget of retries, and there is none while too many requests wait: a service
// that is slow because of its load would only get slower. A failure does not win while another copy
// is under way. All copies have ended when call() does, but for the answer's content.
// Bounds: HedgeSettings::at_most, the budget. Source: Dean and Barroso, "The Tail at Scale", 2013.
#pragma once
#include "patterns/ambassador/live_quantile.h"
#include "patterns/ambassador/retry_state.h"
#include "patterns/ambassador/settings.h"
#include "service/service.h"

namespace banyan {

class HedgeFilter final : public Filter {
 public:
  HedgeFilter(ServicePtr wrapped, const HedgeSettings& settings, RetryState& state);
  Task<Reply> call(Request& request) override;

 private:
  class Race;
  class Waiting;

  bool may_copy(const Request& request) const;
  std::optional<Duration> late_after(const Request& request, Time now);
  bool take_one_more(Time now);
  Task<Reply> timed(Request& request);
  Task<Reply> race(Request& request, Duration late);
  void start(Race& race);
  Task<> run(Race& race, size_t index);
  Reply settle(Race& race, Time now);
  void note_latency(Duration took, Time now);

  const HedgeSettings settings_;
  const uint32_t methods_;
  RetryState& state_;
  std::optional<LiveQuantile> latency_;  // none: `after` is a fixed time
  uint32_t waiting_ = 0;                 // requests that have no answer yet
};

}  // namespace banyan
