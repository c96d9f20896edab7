#include "patterns/bulkhead/gradient.h"

#include <algorithm>
#include <cmath>

namespace banyan {

Gradient::Gradient(const GradientBounds& bounds) : bounds_(bounds), limit_(bounds.most) {}

bool Gradient::sample(Duration took, uint32_t in_flight) {
  sum_ns_ += static_cast<double>(std::max(took, Duration{}).count());
  in_flight_most_ = std::max(in_flight_most_, in_flight);
  const uint32_t window = std::clamp(limit(), window_least, window_most);
  if (++samples_ < window) return false;
  const uint32_t before = limit();
  close_window();
  return limit() != before;
}

void Gradient::close_window() {
  const double mean = std::max(1.0, sum_ns_ / samples_);
  const bool used = 2.0 * in_flight_most_ >= limit_;
  sum_ns_ = 0;
  samples_ = 0;
  in_flight_most_ = 0;
  learn(mean);
  // A limit that is far from being reached has no part in how long answers take.
  if (!used && mean <= tolerance * normal_ns_) return;
  const double gradient = std::clamp(tolerance * normal_ns_ / mean, 0.5, 1.0);
  const double wanted = limit_ * gradient + std::sqrt(limit_);
  limit_ = std::clamp(limit_ * (1 - smoothing) + wanted * smoothing,
                      static_cast<double>(bounds_.least), static_cast<double>(bounds_.most));
}

// Quicker is believed at once, slower only by and by: a service that is overloaded must not become
// the measure of what is normal.
void Gradient::learn(double mean_ns) {
  if (normal_ns_ == 0 || mean_ns < normal_ns_)
    normal_ns_ = mean_ns;
  else
    normal_ns_ += (mean_ns - normal_ns_) * normal_weight;
}

}  // namespace banyan
