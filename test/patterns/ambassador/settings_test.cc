#include "patterns/ambassador/settings.h"

#include <gmock/gmock.h>

#include "config/texts.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

template <class T>
std::string told(const std::string& text) {
  return ReadText<T>(text).told;
}

TEST(RetrySettings, Standards) {
  const ReadText<RetrySettings> read("{}");
  EXPECT_TRUE(read.good) << read.told;
  EXPECT_EQ(read.value.attempts, 3u);
  EXPECT_EQ(read.value.backoff, 25ms);
  EXPECT_EQ(read.value.backoff_max, 1s);
  EXPECT_EQ(read.value.budget, Percent{2000});
  EXPECT_EQ(read.value.replay, kib(64));
  EXPECT_EQ(retry_mask(read.value.on),
            retry_mask({{RetryOn::connect, RetryOn::reset, RetryOn::timeout, RetryOn::s502,
                         RetryOn::s503, RetryOn::s504}}));
}

TEST(RetrySettings, AllWords) {
  const ReadText<RetrySettings> read(
      "{attempts: 5, backoff: 10ms, backoff_max: 2s, budget: 0.5%, budget_floor: 7, "
      "on: [connect, reset, timeout, 429, 500, 502, 503, 504], replay: 1MiB}");
  EXPECT_TRUE(read.good) << read.told;
  EXPECT_EQ(read.value.attempts, 5u);
  EXPECT_EQ(read.value.budget, Percent{50});
  EXPECT_EQ(read.value.budget_floor, 7u);
  EXPECT_EQ(retry_mask(read.value.on), 0xffu);
  EXPECT_EQ(read.value.replay, mib(1));
}

TEST(RetrySettings, OneOnStandsForAList) {
  EXPECT_EQ(retry_mask(ReadText<RetrySettings>("{on: 503}").value.on), 1u << 6);
}

TEST(RetrySettings, WhatIsWrongIsTold) {
  EXPECT_THAT(told<RetrySettings>("{attempts: 0}"), HasSubstr("attempts: 0 is out of range"));
  EXPECT_THAT(told<RetrySettings>("{attempts: 11}"), HasSubstr("allowed is 1 to 10"));
  EXPECT_THAT(told<RetrySettings>("{budget: 101%}"), HasSubstr("not a percentage (0% to 100%)"));
  EXPECT_THAT(told<RetrySettings>("{on: []}"), HasSubstr("nothing is ever sent again"));
  EXPECT_THAT(told<RetrySettings>("{on: [501]}"), HasSubstr("'501' is not one of: connect"));
  EXPECT_THAT(told<RetrySettings>("{on: [conect]}"), HasSubstr("did you mean 'connect'"));
  EXPECT_THAT(told<RetrySettings>("{backoff: 2s}"), HasSubstr("longer than backoff_max (1s)"));
  EXPECT_THAT(told<RetrySettings>("{replay: 17MiB}"), HasSubstr("out of range"));
  EXPECT_THAT(told<RetrySettings>("{retries: 3}"), HasSubstr("unknown word 'retries'"));
}

TEST(HedgeSettings, AfterAQuantileOrATime) {
  EXPECT_DOUBLE_EQ(ReadText<HedgeSettings>("p95").value.after.quantile, 0.95);
  EXPECT_DOUBLE_EQ(ReadText<HedgeSettings>("{after: p99.9}").value.after.quantile, 0.999);
  EXPECT_EQ(ReadText<HedgeSettings>("{after: 50ms, at_most: 2}").value.after.fixed, 50ms);
  EXPECT_DOUBLE_EQ(ReadText<HedgeSettings>("{}").value.after.quantile, 0.95);
  for (const char* bad : {"p", "p0", "p49.9", "p100", "p99.999", "p9x", "p-5", "p.5", "95", "0",
                          "2m", "1us", "p1e2", "pinf"})
    EXPECT_THAT(told<HedgeSettings>(bad), HasSubstr("is not a quantile (p50 to p99.99) or a time"))
        << bad;
}

TEST(HedgeSettings, TextReadsBackAsTheSame) {
  for (const char* text : {"p50", "p95", "p99.9", "p99.99", "50ms", "1s"}) {
    const auto parsed = parse_hedge_after(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(Value<HedgeAfter>::text(*parsed), text);
  }
}

TEST(HedgeSettings, OnlySafeMethods) {
  EXPECT_TRUE(ReadText<HedgeSettings>("{methods: [GET, OPTIONS, TRACE, HEAD]}").good);
  for (const char* bad : {"POST", "PUT", "DELETE", "get", "CONNECT"})
    EXPECT_THAT(told<HedgeSettings>("{methods: [GET, " + std::string(bad) + "]}"),
                HasSubstr("'" + std::string(bad) + "' is not safe"));
  EXPECT_EQ(hedge_mask({}), hedge_mask({{"HEAD", "GET"}}));
  EXPECT_EQ(hedge_mask({{"OPTIONS"}}), 1u << static_cast<unsigned>(Method::options));
  EXPECT_THAT(told<HedgeSettings>("{methods: []}"), HasSubstr("no method is left"));
  EXPECT_THAT(told<HedgeSettings>("{at_most: 0}"), HasSubstr("allowed is 1 to 3"));
}

TEST(DeadlineAndContextSettings, CallersAreNotBelievedUnlessSaidSo) {
  EXPECT_FALSE(ReadText<DeadlineSettings>("{max: 10s}").value.trust);
  EXPECT_FALSE(ReadText<DeadlineSettings>("{}").value.by_trace);
  EXPECT_FALSE(ReadText<ContextSettings>("{}").value.accept);
  EXPECT_FALSE(ReadText<ContextSettings>("{}").value.answer);
  EXPECT_TRUE(ReadText<ContextSettings>("{answer: true}").value.served_by);
  EXPECT_FALSE(ReadText<ContextSettings>("{answer: true, served_by: false}").value.served_by);
  EXPECT_THAT(told<DeadlineSettings>("{max: 0}"), HasSubstr("out of range"));
  EXPECT_THAT(told<DeadlineSettings>("{remember: true}"), HasSubstr("remember without trust"));
  EXPECT_TRUE(ReadText<DeadlineSettings>("{trust: true, remember: true}").good);
}

}  // namespace
}  // namespace banyan
