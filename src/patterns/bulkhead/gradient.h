// Gradient: finds how many calls a service can have in flight, from how long it takes to answer.
// While answers take what they always took, the limit grows by the square root of itself (some room
// for a queue); when they take longer, it shrinks by the ratio of the two, never to less than half
// at once. Owner: a compartment, under its lock. Thread: any. Cost: O(1) a sample; the limit moves
// once a window of samples. Sources: Netflix concurrency-limits (Gradient2), Envoy's adaptive
// concurrency controller.
#pragma once
#include <cstdint>

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
  bool sample(Duration took, uint32_t in_flight);
  uint32_t limit() const { return static_cast<uint32_t>(limit_); }
  // The latency that is taken for normal; zero: not known yet.
  Duration normal() const { return Duration(static_cast<int64_t>(normal_ns_)); }

 private:
  static constexpr uint32_t window_least = 10, window_most = 100;
  static constexpr double tolerance = 1.5;       // a latency so much higher is still normal
  static constexpr double smoothing = 0.3;       // of a new limit
  static constexpr double normal_weight = 0.02;  // of a window in the normal latency

  void close_window();
  void learn(double mean_ns);

  const GradientBounds bounds_;
  double limit_;
  double normal_ns_ = 0;
  double sum_ns_ = 0;
  uint32_t samples_ = 0;
  uint32_t in_flight_most_ = 0;  // of this window
};

}  // namespace banyan
