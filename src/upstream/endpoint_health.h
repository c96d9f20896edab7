// EndpointHealth: what is known of whether an endpoint may be used: the results of active checks,
// ejection for bad conduct, its own breaker, and how far it has warmed up. Owner: the endpoint, so
// it is kept as long as the endpoint stays in the cluster. Thread: its loop's. A new endpoint is
// usable until proved bad. Ejection takes `for` the first time, `for` longer each further time, up
// to `for_most`; each `for` that it behaves takes one back.
#pragma once
#include "upstream/circuit.h"
#include "upstream/endpoint_rules.h"

namespace banyan {

class EndpointHealth {
 public:
  EndpointHealth(const EndpointRules& rules, Time born) : rules_(rules), recovered_at_(born) {
    if (rules.breaker) circuit_.emplace(*rules.breaker);
  }

  // By checks and conduct; the breaker is apart, because nothing overrides it.
  bool usable(Time now) const { return healthy_ && !ejected(now); }

  void check_passed(Time now);
  void check_failed();
  bool healthy() const { return healthy_; }

  void eject(Time now);
  void end_ejection(Time now);
  bool ejected(Time now) const { return now < ejected_until_; }
  Time ejected_until() const { return ejected_until_; }
  uint32_t ejections() const { return ejections_; }

  // The part of its share that it gets now: a tenth at first, 1 when slow start is over.
  double ramp(Time now) const;
  void recovered(Time now) { recovered_at_ = now; }

  bool passable(Time now) const { return !circuit_ || circuit_->passable(now); }
  // Empty when there is no breaker: then it may go.
  Circuit::Pass pass(Time now) { return circuit_ ? circuit_->try_pass(now) : Circuit::Pass(); }
  const Circuit* circuit() const { return circuit_ ? &*circuit_ : nullptr; }

  // What the ejection of outliers counts (upstream/outlier).
  struct Conduct {
    FailureRun run;
    uint32_t good = 0;  // answers in this interval
    uint32_t bad = 0;
  };
  Conduct conduct;
  bool checked = false;  // a task checks it (upstream/health_check)

 private:
  const EndpointRules& rules_;
  std::optional<Circuit> circuit_;
  bool healthy_ = true;
  uint32_t checks_ = 0;  // in a row that contradict healthy_
  uint32_t ejections_ = 0;
  Time ejected_until_{};
  Time recovered_at_;
};

}  // namespace banyan
