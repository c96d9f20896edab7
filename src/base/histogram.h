// Histogram: how durations are distributed, log-linear: 75 buckets a decade from 1 us to 100 s, so
// that the middle of a bucket is at most 2.5 % away from what fell into it. The edges 1, 2.5, 5 of
// every decade are bucket edges: the cumulative `le` buckets of an exposition are exact.
// Owner: a metrics shard. Thread: one writes; any reads while it does, without locks.
// Bounds: 5.9 KiB; memory comes a third of a decade at a time (240 bytes), so a typical one has
// 1 KiB. Below 1 us and above 100 s there is one bucket each.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace banyan {

// What was read from one or more histograms: a plain value.
class Distribution {
 public:
  static constexpr size_t buckets = 602;

  void add(size_t bucket, uint64_t count) { counts_[bucket] += count; }
  void add_sum(uint64_t ns) { sum_ns_ += ns; }
  uint64_t count() const;
  uint64_t sum_ns() const { return sum_ns_; }
  // How many took `edge` or less. Exact when it is a bucket edge (see above); else it is taken down
  // to the next one.
  uint64_t up_to(std::chrono::nanoseconds edge) const;
  // The middle of the bucket that holds the q-quantile, 0 <= q <= 1; zero when nothing was counted.
  std::chrono::nanoseconds quantile(double q) const;

 private:
  std::array<uint64_t, buckets> counts_{};
  uint64_t sum_ns_ = 0;
};

class Histogram {
 public:
  Histogram() = default;
  ~Histogram();
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  // The writer alone. Less than zero counts as zero.
  void record(std::chrono::nanoseconds took);
  // Any thread: adds what was recorded so far.
  void add_to(Distribution& out) const;

 private:
  static constexpr size_t segments = 24;  // three a decade
  static constexpr size_t segment_max = 30;
  using Segment = std::array<std::atomic<uint64_t>, segment_max>;

  std::array<std::atomic<Segment*>, segments> segments_{};
  std::atomic<uint64_t> under_{0}, over_{0}, sum_ns_{0};
};

}  // namespace banyan
