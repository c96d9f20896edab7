#include "config/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace banyan {
namespace {

using namespace std::chrono_literals;

TEST(UnitsTest, Durations) {
  const std::pair<std::string_view, Nanoseconds> table[] = {
      {"0", 0ns},
      {"0s", 0ns},
      {"1ns", 1ns},
      {"7us", 7us},
      {"250ms", 250ms},
      {"2s", 2s},
      {"5m", 5min},
      {"1h", 1h},
      {"1d", 24h},
      {"1m30s", 90s},
      {"1d2h3m4s5ms6us7ns", 26h + 3min + 4s + 5ms + 6us + 7ns},
      {"0.5s", 500ms},
      {"1.25ms", 1250us},
      {"0.000000001s", 1ns},
      {"1s1s", 2s},
      {"106751d", 106751 * 24h},
  };
  for (const auto& [text, value] : table) EXPECT_EQ(parse_duration(text), value) << text;
}

TEST(UnitsTest, WhatIsNoDuration) {
  for (std::string_view text : {"",          "1",
                                "30",        "s",
                                "-1s",       "+1s",
                                " 1s",       "1s ",
                                "1 s",       "1S",
                                "1x",        "1ms2",
                                "1.s",       ".5s",
                                "1..5s",     "1.5.5s",
                                "0.5ns",     "1.0000000001s",
                                "0x1s",      "1e3s",
                                "106752d",   "99999999999999999999s",
                                "106751d1d", "18446744073709551615ns",
                                "1\0s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(UnitsTest, Sizes) {
  const std::pair<std::string_view, uint64_t> table[] = {
      {"0", 0},
      {"512", 512},
      {"7B", 7},
      {"64KiB", 65536},
      {"10MiB", 10 << 20},
      {"2GiB", uint64_t{2} << 30},
      {"9223372036854775807", std::numeric_limits<int64_t>::max()}};
  for (const auto& [text, value] : table) EXPECT_EQ(parse_size(text), Size{value}) << text;
  for (std::string_view text : {"", "KiB", "1KB", "1K", "1kib", "1.5MiB", "-1", "1 KiB", "1MiB2",
                                "9223372036854775808", "9007199254740992KiB", "0x10"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(UnitsTest, Percentages) {
  const std::pair<std::string_view, uint32_t> table[] = {
      {"0%", 0}, {"20%", 2000}, {"99.9%", 9990}, {"99.95%", 9995}, {"0.01%", 1}, {"100%", 10'000}};
  for (const auto& [text, value] : table) EXPECT_EQ(parse_percent(text), Percent{value}) << text;
  for (std::string_view text :
       {"", "%", "20", "0.2", "101%", "100.01%", "1.001%", "-1%", "1 %", "1%%", "9999999999999%"})
    EXPECT_EQ(parse_percent(text), std::nullopt) << text;
}

TEST(UnitsTest, Factors) {
  const std::pair<std::string_view, uint32_t> table[] = {
      {"0", 0}, {"1", 100}, {"1.2", 120}, {"1.25", 125}, {"0.01", 1}, {"10000", 1'000'000}};
  for (const auto& [text, value] : table) EXPECT_EQ(parse_factor(text), Factor{value}) << text;
  for (std::string_view text : {"", ".", "1.", ".5", "1.255", "-1", "1x", "1,2", "10000.01", "1e2"})
    EXPECT_EQ(parse_factor(text), std::nullopt) << text;
  EXPECT_EQ(to_text(Factor{125}), "1.25");
  EXPECT_EQ(to_text(Factor{200}), "2");
  EXPECT_DOUBLE_EQ(Factor{125}.value(), 1.25);
}

TEST(UnitsTest, TheShortestText) {
  EXPECT_EQ(to_text(0ns), "0");
  EXPECT_EQ(to_text(90s), "90s");
  EXPECT_EQ(to_text(120s), "2m");
  EXPECT_EQ(to_text(48h), "2d");
  EXPECT_EQ(to_text(1500us), "1500us");
  EXPECT_EQ(to_text(Size{0}), "0");
  EXPECT_EQ(to_text(Size{1000}), "1000");
  EXPECT_EQ(to_text(kib(64)), "64KiB");
  EXPECT_EQ(to_text(mib(2048)), "2GiB");
  EXPECT_EQ(to_text(Percent{2000}), "20%");
  EXPECT_EQ(to_text(Percent{9990}), "99.9%");
  EXPECT_EQ(to_text(Percent{9995}), "99.95%");
  EXPECT_EQ(to_text(Percent{5}), "0.05%");
}

// What is written reads back as the same value, for every magnitude and its neighbours.
TEST(UnitsTest, TextReadsBack) {
  for (uint64_t base = 1; base < (uint64_t{1} << 62); base *= 2)
    for (uint64_t value : {base - 1, base, base + 1, base / 2 * 3}) {
      const Nanoseconds time(static_cast<int64_t>(value));
      EXPECT_EQ(parse_duration(to_text(time)), time);
      EXPECT_EQ(parse_size(to_text(Size{value})), Size{value});
    }
  for (uint32_t points = 0; points <= 10'000; ++points)
    EXPECT_EQ(parse_percent(to_text(Percent{points})), Percent{points});
}

}  // namespace
}  // namespace banyan
