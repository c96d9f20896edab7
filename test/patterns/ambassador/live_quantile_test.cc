#include "patterns/ambassador/live_quantile.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr Time start{1'000'000s};

// The middle of the bucket that a duration falls into.
Duration rounded(Duration took) {
  Histogram one;
  one.record(took);
  Distribution d;
  one.add_to(d);
  return d.quantile(0.5);
}

void record(LiveQuantile& live, int times, Duration took, Time now) {
  for (int i = 0; i < times; ++i) live.record(took, now);
}

TEST(LiveQuantile, NothingUntilEnoughIsKnown) {
  const std::pair<double, uint64_t> rows[] = {{0.5, 20},   {0.9, 20},     {0.95, 40},
                                              {0.99, 200}, {0.999, 2000}, {0.9999, 20'000}};
  for (const auto& [quantile, records] : rows) {
    LiveQuantile live(quantile);
    EXPECT_EQ(live.records_min(), records);
    record(live, static_cast<int>(records) - 1, 10ms, start);
    EXPECT_EQ(live.value(start), std::nullopt);
    record(live, 1, 10ms, start);
    EXPECT_EQ(live.value(start), rounded(10ms));
  }
}

TEST(LiveQuantile, TheQuantile) {
  LiveQuantile live(0.95);
  record(live, 94, 10ms, start);
  record(live, 6, 200ms, start);
  EXPECT_EQ(live.value(start), rounded(200ms));
  LiveQuantile other(0.95);
  record(other, 96, 10ms, start);
  record(other, 4, 200ms, start);
  EXPECT_EQ(other.value(start), rounded(10ms));
}

TEST(LiveQuantile, ItIsFoundAnewAfterAWhile) {
  LiveQuantile live(0.5);
  record(live, 20, 10ms, start);
  EXPECT_EQ(live.value(start), rounded(10ms));
  record(live, 100, 50ms, start);
  EXPECT_EQ(live.value(start + LiveQuantile::fresh - 1ns), rounded(10ms));
  EXPECT_EQ(live.value(start + LiveQuantile::fresh), rounded(50ms));
}

TEST(LiveQuantile, WhatIsOldGoesWhenThereIsEnoughThatIsNewer) {
  LiveQuantile live(0.5);
  record(live, 1000, 10ms, start);
  record(live, 400, 80ms, start + 10s);
  EXPECT_EQ(live.value(start + 10s), rounded(10ms)) << "the window before still counts";
  record(live, 20, 80ms, start + 20s);
  EXPECT_EQ(live.value(start + 20s), rounded(80ms)) << "and then it does not";
}

TEST(LiveQuantile, OfAServiceThatIsSeldomCalledItIsKeptLonger) {
  LiveQuantile live(0.5);
  for (int i = 0; i < 19; ++i) live.record(10ms, start + i * 1min);
  EXPECT_EQ(live.value(start + 19min), std::nullopt);
  live.record(10ms, start + 19min);
  EXPECT_EQ(live.value(start + 19min), rounded(10ms));
  live.record(80ms, start + 20min);
  EXPECT_EQ(live.value(start + 21min), rounded(10ms));
}

}  // namespace
}  // namespace banyan
