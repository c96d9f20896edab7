#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

namespace banyan {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

Distribution read(const Histogram& h) {
  Distribution out;
  h.add_to(out);
  return out;
}

TEST(HistogramTest, AnEmptyOneHasNothing) {
  Histogram h;
  const Distribution d = read(h);
  EXPECT_EQ(d.count(), 0u);
  EXPECT_EQ(d.sum_ns(), 0u);
  EXPECT_EQ(d.up_to(100s), 0u);
  EXPECT_EQ(d.quantile(0.5), 0ns);
}

// The edges that an exposition shows, inclusive as `le` says.
TEST(HistogramTest, EdgesAreExactAndInclusive) {
  for (nanoseconds base = 1us; base < 100s; base *= 10)
    for (int64_t tenths : {25, 50, 100}) {
      const nanoseconds edge = base * tenths / 10;
      Histogram h;
      h.record(edge - 1ns);
      h.record(edge);
      h.record(edge + 1ns);
      EXPECT_EQ(read(h).up_to(edge), 2u) << edge.count();
      EXPECT_EQ(read(h).count(), 3u) << edge.count();
    }
}

TEST(HistogramTest, TheEndsOfTheScale) {
  Histogram h;
  h.record(-5ns);  // a clock that went back
  h.record(0ns);
  h.record(1us);
  h.record(100s);
  h.record(100s + 1ns);
  h.record(nanoseconds::max());
  const Distribution d = read(h);
  EXPECT_EQ(d.up_to(999ns), 0u);
  EXPECT_EQ(d.up_to(1us), 3u);
  EXPECT_EQ(d.up_to(100s), 4u);
  EXPECT_EQ(d.up_to(1000s), 4u) << "what is above the scale may be above any edge";
  EXPECT_EQ(d.count(), 6u);
}

TEST(HistogramTest, TheMiddleOfABucketIsNearWhatFellIntoIt) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(3.0, 11.0);  // 1 us .. 100 s
  for (int i = 0; i < 20'000; ++i) {
    const nanoseconds took(static_cast<int64_t>(std::pow(10.0, exponent(random))) + 1);
    Histogram h;
    h.record(std::min<nanoseconds>(took, 100s));
    const double got = static_cast<double>(read(h).quantile(0.5).count());
    ASSERT_LE(std::abs(got / static_cast<double>(took.count()) - 1), 0.0251) << took.count();
  }
}

TEST(HistogramTest, QuantilesOfManyAreNearTheTrueOnes) {
  std::mt19937_64 random(2);
  std::lognormal_distribution<double> shape(13.0, 1.5);
  Histogram h;
  std::vector<int64_t> all;
  for (int i = 0; i < 20'000; ++i) {
    all.push_back(static_cast<int64_t>(shape(random)) + 1001);
    h.record(nanoseconds(all.back()));
  }
  std::sort(all.begin(), all.end());
  for (double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double want =
        static_cast<double>(all[static_cast<size_t>(q * static_cast<double>(all.size() - 1))]);
    EXPECT_NEAR(static_cast<double>(read(h).quantile(q).count()) / want, 1.0, 0.0251) << q;
  }
}

TEST(HistogramTest, SeveralAddUp) {
  Histogram a, b;
  a.record(3ms);
  b.record(4ms);
  b.record(2s);
  Distribution d;
  a.add_to(d);
  b.add_to(d);
  EXPECT_EQ(d.count(), 3u);
  EXPECT_EQ(d.up_to(5ms), 2u);
  EXPECT_EQ(d.sum_ns(), 2'007'000'000u);
}

// For the thread sanitizer: one writes, another reads and never sees a count go back.
TEST(HistogramTest, ThreadsReadWhileOneWrites) {
  Histogram h;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    uint64_t before = 0;
    while (!done.load()) {
      const uint64_t now = read(h).count();
      EXPECT_GE(now, before);
      before = now;
    }
  });
  for (int i = 0; i < 20'000; ++i) h.record(nanoseconds(i * 7919));
  done = true;
  reader.join();
  EXPECT_EQ(read(h).count(), 20'000u);
}

}  // namespace
}  // namespace banyan
