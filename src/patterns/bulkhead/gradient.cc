#include "patterns/bulkhead/gradient.h"

#include <algorithm>
#include <cmath>

namespace banyan {

namespace {

// A probe may take as long as so many answers one after the other, within these bounds.
constexpr double probe_answers = 20;
constexpr double probe_least_ns = 100e6, probe_most_ns = 10e9;

}  // namespace

Gradient::Gradient(const GradientBounds& bounds)
    : bounds_(bounds), limit_(bounds.most), peak_(bounds.most) {}

bool Gradient::sample(Duration took, uint32_t in_flight, Time now) {
  const uint32_t before = limit();
  check(now);
  if (settling(in_flight)) return limit() != before;
  sum_ns_ += static_cast<double>(std::max(took, Duration{}).count());
  in_flight_most_ = std::max(in_flight_most_, in_flight);
  if (++samples_ >= window()) probing() ? end_probe() : close_window(now);
  return limit() != before;
}

bool Gradient::unanswered(Duration took, uint32_t in_flight, Time now) {
  const bool moved = check(now);
  if (probing() || normal_ns_ == 0 || took <= normal()) return moved;
  return sample(took, in_flight, now) || moved;
}

bool Gradient::check(Time now) {
  if (!probing() || now < probe_until_) return false;
  end_probe();
  return true;
}

uint32_t Gradient::window() const { return std::clamp(limit(), window_least, window_most); }

// At the beginning of a probe answers come of calls that had the old limit's company: first those
// beyond the new limit have to end, then those that were in flight with them.
bool Gradient::settling(uint32_t in_flight) {
  if (settling_left_ == 0) return false;
  if (in_flight <= limit()) --settling_left_;
  return true;
}

double Gradient::take_mean() {
  const double mean = std::max(1.0, sum_ns_ / std::max(1u, samples_));
  sum_ns_ = 0;
  samples_ = 0;
  return mean;
}

void Gradient::close_window(Time now) {
  const double mean = take_mean();
  const uint32_t in_flight = std::exchange(in_flight_most_, 0);
  if (normal_ns_ == 0) normal_ns_ = measured_ns_ = mean;
  if (mean < normal_ns_) normal_ns_ += (mean - normal_ns_) * quicker_weight;
  // While answers are quick, a limit that is far from being reached tells nothing.
  const bool matters = 2.0 * in_flight >= limit_ || mean > tolerance * normal_ns_;
  if (!matters) return;
  adapt(mean);
  // Quicker under load than it was measured without: how much of it is load nobody knows.
  const bool disproved = mean * tolerance < measured_ns_;
  if (--windows_left_ == 0 || limit_ < peak_ / 2 || disproved) begin_probe(mean, in_flight, now);
}

void Gradient::adapt(double mean_ns) {
  const double gradient = std::clamp(tolerance * normal_ns_ / mean_ns, 0.5, 1.0);
  const double wanted = limit_ * gradient + std::sqrt(limit_);
  limit_ = std::clamp(limit_ * (1 - smoothing) + wanted * smoothing,
                      static_cast<double>(bounds_.least), static_cast<double>(bounds_.most));
  peak_ = std::max(peak_, limit_);
}

void Gradient::begin_probe(double mean_ns, uint32_t in_flight, Time now) {
  windows_left_ = probe_every;
  peak_ = limit_;
  probe_limit_ = std::max({probe_part * in_flight, 1.0, static_cast<double>(bounds_.least)});
  if (probe_limit_ >= limit_) {  // the bounds leave no room for less load than now
    normal_ns_ = measured_ns_ = mean_ns;
    return;
  }
  settling_left_ = static_cast<uint32_t>(probe_limit_);
  const double most = std::clamp(probe_answers * mean_ns, probe_least_ns, probe_most_ns);
  probe_until_ = after(now, Duration(static_cast<int64_t>(most)));
}

void Gradient::end_probe() {
  if (samples_ >= probe_samples) normal_ns_ = take_mean();
  measured_ns_ = normal_ns_;  // in any case: one probe for what disproves it is enough
  sum_ns_ = 0;
  samples_ = in_flight_most_ = settling_left_ = 0;
  probe_until_ = never;
}

}  // namespace banyan
