// Gradient: finds how many calls a service can have in flight, from how long it takes to answer.
// While answers take what they take without load, the limit grows by the square root of itself
// (some room for a queue); when they take longer, it shrinks by the ratio of the two, never to less
// than half at once. What is normal is measured: from time to time, when the limit has fallen by
// half, and when answers are much quicker than normal though there is load, only a quarter of the
// calls go for a window of answers (a probe). Were it learned from the answers under load, a
// service that is always busy would by and by seem to be always slow, and the limit would grow for
// ever. Owner: a compartment, under its lock. Thread: any. Cost: O(1) a sample. Bounds: the limit
// keeps within its own; a probe has an end even when nobody answers.
// Sources: Netflix concurrency-limits (Gradient2), Envoy's adaptive concurrency controller.
#pragma once
#include <cstdint>
#include <utility>

#include "task/time.h"

namespace banyan {

struct GradientBounds {
  uint32_t least = 1;
  uint32_t most = 1000;
  friend bool operator==(const GradientBounds&, const GradientBounds&) = default;
};

class Gradient {
 public:
  // Starts at the upper bound: a service is trusted until it is seen to be slow.
  explicit Gradient(const GradientBounds& bounds);

  // How long one call took, and how many were in flight at its end. True when the limit moved.
  bool sample(Duration took, uint32_t in_flight, Time now);
  // The same of a call that ended without an answer: it would have taken even longer. It counts
  // only where that is longer than normal, so that quick failures do not look like quick answers,
  // and in no probe, so that a service that hangs does not become normal.
  bool unanswered(Duration took, uint32_t in_flight, Time now);
  // Ends a probe that lasts too long. True when the limit moved.
  bool check(Time now);
  uint32_t limit() const { return static_cast<uint32_t>(probing() ? probe_limit_ : limit_); }
  bool probing() const { return probe_until_ != never; }
  // The latency that is taken for normal; zero: not known yet.
  Duration normal() const { return Duration(static_cast<int64_t>(normal_ns_)); }

 private:
  static constexpr uint32_t window_least = 10, window_most = 100;
  static constexpr uint32_t probe_every = 50;    // windows in which the limit mattered
  static constexpr uint32_t probe_samples = 3;   // fewer prove nothing
  static constexpr double probe_part = 0.25;     // of what was in flight
  static constexpr double tolerance = 1.5;       // a latency so much higher is still normal
  static constexpr double smoothing = 0.3;       // of a new limit
  static constexpr double quicker_weight = 0.5;  // of a window that was quicker than normal

  uint32_t window() const;
  bool settling(uint32_t in_flight);
  double take_mean();
  void close_window(Time now);
  void adapt(double mean_ns);
  void begin_probe(double mean_ns, uint32_t in_flight, Time now);
  void end_probe();

  const GradientBounds bounds_;
  double limit_;
  double normal_ns_ = 0;
  double measured_ns_ = 0;  // what was normal at the end of the last probe
  // Of the window:
  double sum_ns_ = 0;
  uint32_t samples_ = 0;
  uint32_t in_flight_most_ = 0;
  // Of probes:
  uint32_t windows_left_ = 1;  // until the next
  double peak_;                // of the limit, since the last
  double probe_limit_ = 0;
  Time probe_until_ = never;  // never: none is under way
  uint32_t settling_left_ = 0;
};

}  // namespace banyan
