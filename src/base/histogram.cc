#include "base/histogram.h"

#include <algorithm>
#include <bit>
#include <memory>

namespace banyan {

namespace {

using std::chrono::nanoseconds;

// Buckets are (low, high]: a duration of exactly 5 ms is "5 ms or less".
struct Third {
  uint64_t low, high, step;
  size_t first;  // bucket of a Distribution
};
constexpr size_t thirds_count = 24;
constexpr uint64_t smallest = 1000;

constexpr auto make_thirds() {
  std::array<Third, thirds_count> out{};
  size_t bucket = 1;  // 0 is for what is below
  uint64_t base = smallest;
  for (size_t i = 0; i < thirds_count; i += 3, base *= 10) {
    out[i] = {base, base * 5 / 2, base / 20, bucket};
    out[i + 1] = {base * 5 / 2, base * 5, base / 10, bucket + 30};
    out[i + 2] = {base * 5, base * 10, base / 4, bucket + 55};
    bucket += 75;
  }
  return out;
}
constexpr auto thirds = make_thirds();
constexpr uint64_t largest = thirds.back().high;
static_assert(largest == 100'000'000'000);
static_assert(thirds.back().first + 20 + 1 == Distribution::buckets);

constexpr size_t size(const Third& t) { return (t.high - t.low) / t.step; }

// Where to begin looking for the third of a value with so many bits: at most two steps too low.
constexpr auto make_starts() {
  std::array<uint8_t, 65> out{};
  for (size_t bits = 1; bits <= 64; ++bits) {
    const uint64_t least = uint64_t{1} << (bits - 1);
    uint8_t i = 0;
    while (i + 1u < thirds_count && least > thirds[i].high) ++i;
    out[bits] = i;
  }
  return out;
}
constexpr auto starts = make_starts();

// smallest < ns <= largest
size_t third_of(uint64_t ns) {
  size_t i = starts[std::bit_width(ns)];
  while (ns > thirds[i].high) ++i;
  return i;
}

// One thread writes: no locked instruction is needed.
void add(std::atomic<uint64_t>& to, uint64_t n) {
  to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

// The middle of a bucket.
uint64_t middle(size_t bucket) {
  if (bucket == 0) return smallest / 2;
  if (bucket == Distribution::buckets - 1) return largest;
  size_t i = thirds_count - 1;
  while (thirds[i].first > bucket) --i;
  const Third& t = thirds[i];
  return t.low + (bucket - t.first) * t.step + t.step / 2;
}

}  // namespace

uint64_t Distribution::count() const {
  uint64_t all = 0;
  for (uint64_t n : counts_) all += n;
  return all;
}

uint64_t Distribution::up_to(nanoseconds edge) const {
  const auto ns = static_cast<uint64_t>(std::max(edge, nanoseconds(0)).count());
  if (ns < smallest) return 0;
  size_t end = 1;
  if (ns > largest) {
    end = buckets - 1;
  } else if (ns > smallest) {
    const Third& t = thirds[third_of(ns)];
    end = t.first + (ns - t.low) / t.step;
  }
  uint64_t all = 0;
  for (size_t i = 0; i < end; ++i) all += counts_[i];
  return all;
}

nanoseconds Distribution::quantile(double q) const {
  const uint64_t all = count();
  if (all == 0) return nanoseconds(0);
  const auto wanted = static_cast<uint64_t>(q * static_cast<double>(all - 1));
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets; ++i) {
    seen += counts_[i];
    if (seen > wanted) return nanoseconds(middle(i));
  }
  return nanoseconds(largest);
}

Histogram::~Histogram() {
  for (auto& s : segments_) delete s.load(std::memory_order_relaxed);
}

void Histogram::record(nanoseconds took) {
  const auto ns = static_cast<uint64_t>(std::max(took, nanoseconds(0)).count());
  add(sum_ns_, ns);
  if (ns <= smallest) return add(under_, 1);
  if (ns > largest) return add(over_, 1);
  const size_t i = third_of(ns);
  Segment* segment = segments_[i].load(std::memory_order_relaxed);
  if (segment == nullptr) [[unlikely]] {
    segment = std::make_unique<Segment>().release();
    segments_[i].store(segment, std::memory_order_release);  // readers see it zeroed
  }
  add((*segment)[(ns - thirds[i].low - 1) / thirds[i].step], 1);
}

void Histogram::add_to(Distribution& out) const {
  out.add(0, under_.load(std::memory_order_relaxed));
  out.add(Distribution::buckets - 1, over_.load(std::memory_order_relaxed));
  out.add_sum(sum_ns_.load(std::memory_order_relaxed));
  for (size_t i = 0; i < segments; ++i) {
    const Segment* segment = segments_[i].load(std::memory_order_acquire);
    if (segment == nullptr) continue;
    for (size_t k = 0; k < size(thirds[i]); ++k)
      out.add(thirds[i].first + k, (*segment)[k].load(std::memory_order_relaxed));
  }
}

}  // namespace banyan
