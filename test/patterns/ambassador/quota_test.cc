#include "patterns/ambassador/quota.h"

#include <gmock/gmock.h>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

// ---- What a service says.
class QuotaFieldsTest : public testing::Test {
 protected:
  QuotaSaid said(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    Arena arena;
    Headers headers(arena);
    for (const auto& [name, value] : fields) headers.add(name, value);
    return quota_said(headers, WallTime(1'700'000'000s));
  }
  static QuotaSaid of(std::optional<uint64_t> limit, std::optional<uint64_t> remaining,
                      std::optional<Duration> reset) {
    return {limit, remaining, reset};
  }
};

TEST_F(QuotaFieldsTest, AllForms) {
  const QuotaSaid wanted = of(100, 7, 30s);
  EXPECT_EQ(
      said({{"RateLimit-Limit", "100"}, {"RateLimit-Remaining", "7"}, {"RateLimit-Reset", "30"}}),
      wanted);
  EXPECT_EQ(said({{"X-RateLimit-Limit", "100"},
                  {"X-RateLimit-Remaining", "7"},
                  {"X-RateLimit-Reset", "1700000030"}}),
            wanted);
  EXPECT_EQ(said({{"X-Rate-Limit-Limit", "100"},
                  {"X-Rate-Limit-Remaining", "7"},
                  {"X-Rate-Limit-Reset", "1700000030000"}}),
            wanted);
  EXPECT_EQ(said({{"RateLimit", "limit=100, remaining=7, reset=30"}}), wanted);
  EXPECT_EQ(
      said({{"RateLimit", "\"default\";r=7;t=30"}, {"RateLimit-Policy", "\"default\";q=100;w=60"}}),
      wanted);
  EXPECT_EQ(said({{"RateLimit", " \"a;,b\" ; r=7 ; t=30 "}}), of({}, 7, 30s));
}

TEST_F(QuotaFieldsTest, OfSeveralTheTightest) {
  EXPECT_EQ(said({{"RateLimit", "\"burst\";r=90;t=1, \"day\";r=7;t=3600"}}), of({}, 7, 3600s));
  EXPECT_EQ(said({{"RateLimit", "\"burst\";r=0;t=1, \"day\";r=0;t=3600"}}), of({}, 0, 3600s));
}

TEST_F(QuotaFieldsTest, WhatCannotBeReadIsNotSaid) {
  EXPECT_EQ(said({}), QuotaSaid{});
  EXPECT_EQ(said({{"RateLimit-Remaining", "-1"}}), QuotaSaid{});
  EXPECT_EQ(said({{"RateLimit-Remaining", "many"}, {"RateLimit-Reset", "soon"}}), QuotaSaid{});
  EXPECT_EQ(said({{"RateLimit", "\"unclosed;r=1"}}), QuotaSaid{});
  EXPECT_EQ(said({{"RateLimit", ";;;,,,=;r=;t="}}), QuotaSaid{});
  EXPECT_EQ(said({{"RateLimit", "\"a\\"}}), QuotaSaid{});
  EXPECT_EQ(said({{"X-RateLimit-Remaining", "5"}, {"X-RateLimit-Reset", "1600000000"}}),
            of({}, 5, Duration{}))
      << "a moment that has passed";
  EXPECT_EQ(said({{"RateLimit-Remaining", "99999999999999999999"}}), QuotaSaid{});
  EXPECT_EQ(said({{"RateLimit-Remaining", "9999999999999999"}}), of({}, 1'000'000'000, {}));
}

// ---- What is kept.
class QuotaStateTest : public testing::Test {
 protected:
  bool go(Time at) { return state.ask(at).go; }
  void answered(Time at, std::optional<uint64_t> remaining, std::optional<Duration> reset,
                std::optional<uint64_t> limit = {}) {
    state.ended({.limit = limit, .remaining = remaining, .reset = reset}, {}, at);
  }
  const Time t0{1000s};
  QuotaState state{{}};
};

TEST_F(QuotaStateTest, WhatIsLeftIsSharedByThoseUnderWay) {
  EXPECT_TRUE(go(t0));
  answered(t0, 2, 10s);
  EXPECT_TRUE(go(t0));
  EXPECT_TRUE(go(t0));
  const auto third = state.ask(t0);
  EXPECT_FALSE(third.go);
  EXPECT_EQ(third.again, t0 + QuotaState::look_again) << "the answers under way will tell";
  answered(t0, 1, 10s);
  answered(t0, 0, 10s);
  const auto fourth = state.ask(t0 + 1s);
  EXPECT_FALSE(fourth.go);
  EXPECT_EQ(fourth.again, t0 + 10s);
  EXPECT_EQ(state.status(t0 + 1s).remaining, 0u);
}

TEST_F(QuotaStateTest, AnAnswerThatWasOvertakenChangesNothing) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(go(t0));
  answered(t0, 5, 10s);
  answered(t0 + 100ms, 7, 10s);
  EXPECT_EQ(state.status(t0 + 1s).remaining, 4u) << "5, and one is under way";
}

TEST_F(QuotaStateTest, OfANewWindowOneFindsOut) {
  EXPECT_TRUE(go(t0));
  answered(t0, 0, 10s);
  EXPECT_TRUE(go(t0 + 10s));
  const auto other = state.ask(t0 + 10s);
  EXPECT_FALSE(other.go);
  EXPECT_EQ(other.again, t0 + 10s + QuotaState::look_again);
  answered(t0 + 10s, 50, 10s);
  EXPECT_TRUE(go(t0 + 10s));
}

TEST_F(QuotaStateTest, WithAKnownLimitNobodyHasTo) {
  EXPECT_TRUE(go(t0));
  answered(t0, 0, 10s, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(go(t0 + 10s));
  EXPECT_FALSE(go(t0 + 10s));
}

TEST_F(QuotaStateTest, ARefusalIsAPause) {
  EXPECT_TRUE(go(t0));
  state.ended({}, 5s, t0);
  EXPECT_EQ(state.ask(t0 + 1s).again, t0 + 5s);
  EXPECT_TRUE(go(t0 + 5s));
  state.ended({}, 100h, t0 + 5s);
  EXPECT_EQ(state.ask(t0 + 6s).again, t0 + 5s + QuotaState::pause_max) << "believed so far";
}

TEST_F(QuotaStateTest, WhatTheContractSays) {
  QuotaState own({.learn = false, .limit = 2, .window = 60s});
  EXPECT_TRUE(own.ask(t0).go);
  own.ended({.limit = {}, .remaining = 0, .reset = 1h}, 1h, t0);
  EXPECT_TRUE(own.ask(t0 + 30s).go) << "nothing is learned";
  EXPECT_EQ(own.ask(t0 + 31s).again, t0 + 60s);
  EXPECT_TRUE(own.ask(t0 + 60s).go);
  own.ended({}, {}, t0 + 60s);
  own.ended({}, {}, t0 + 60s);
  EXPECT_EQ(own.status(t0 + 61s).remaining, 1u);
}

TEST_F(QuotaStateTest, OtherSettingsBeginAnew) {
  QuotaStates states;
  const auto first = states.of("a", {});
  EXPECT_EQ(states.of("a", {}), first);
  EXPECT_NE(states.of("b", {}), first);
  EXPECT_NE(states.of("a", {.wait = 2s}), first);
}

}  // namespace
}  // namespace banyan
