// LiveQuantile: a quantile of the durations of late: the last ten to twenty seconds, or longer when
// there were few. Owner: the filter that records them. Thread: its loop's. It is nothing until so
// many are known that some lie beyond it. Cost: a few additions a record; the value is found anew
// at most ten times a second, in about a microsecond. Bound: two histograms (base/histogram.h).
#pragma once
#include <memory>
#include <optional>

#include "base/histogram.h"
#include "task/time.h"

namespace banyan {

class LiveQuantile {
 public:
  static constexpr Duration window = std::chrono::seconds(10);
  static constexpr Duration fresh = std::chrono::milliseconds(100);

  explicit LiveQuantile(double quantile);

  void record(Duration took, Time now);
  std::optional<Duration> value(Time now);
  // Before it says anything.
  uint64_t records_min() const { return records_min_; }

 private:
  const double quantile_;
  const uint64_t records_min_;
  std::unique_ptr<Histogram> current_ = std::make_unique<Histogram>();
  std::unique_ptr<Histogram> before_ = std::make_unique<Histogram>();
  uint64_t current_count_ = 0, before_count_ = 0;
  Time began_{};  // of `current_`
  Time found_at_ = Time::min();
  std::optional<Duration> found_;
};

}  // namespace banyan
