#include "patterns/routing/split.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "patterns/routing/asked.h"
#include "sim/run.h"

namespace banyan {
namespace {

using Weights = std::vector<std::pair<std::string, uint32_t>>;

SplitSettings settings(const Weights& weights, std::string cohort) {
  SplitSettings out;
  for (const auto& [name, weight] : weights) out.to.push_back({name, {}, weight});
  out.cohort = std::move(cohort);
  return out;
}

SplitRule rule(const Weights& weights, std::string cohort = "cookie:sid") {
  Problems problems;
  auto out = SplitRule::compile(settings(weights, std::move(cohort)), problems);
  EXPECT_EQ(problems.text(), "");
  return std::move(out).value();
}

constexpr int users = 4000;

// The version of each user, by name.
std::vector<std::string> sides(const Weights& weights) {
  const SplitRule split = rule(weights);
  std::vector<std::string> out;
  for (int user = 0; user < users; ++user) {
    Asked asked(fmt::format("GET h/ | cookie: sid=user-{}", user));
    out.push_back(weights[split.choose_known(asked.request()).value()].first);
  }
  return out;
}

double share(const std::vector<std::string>& of, const std::string& name) {
  return static_cast<double>(std::count(of.begin(), of.end(), name)) /
         static_cast<double>(of.size());
}

TEST(Split, SharesByWeight) {
  const auto of = sides({{"a", 60}, {"b", 30}, {"c", 10}});
  EXPECT_NEAR(share(of, "a"), 0.60, 0.02);
  EXPECT_NEAR(share(of, "b"), 0.30, 0.02);
  EXPECT_NEAR(share(of, "c"), 0.10, 0.02);
}

TEST(Split, ScaleDoesNotMatter) {
  EXPECT_EQ(sides({{"a", 9}, {"b", 1}}), sides({{"a", 900'000'000}, {"b", 100'000'000}}));
}

TEST(Split, OrderDoesNotMatter) {
  EXPECT_EQ(sides({{"a", 7}, {"b", 2}, {"c", 1}}), sides({{"c", 1}, {"a", 7}, {"b", 2}}));
}

TEST(Split, RaisingAWeightOnlyAddsUsersToIt) {
  auto before = sides({{"old", 100}, {"new", 0}});
  EXPECT_EQ(share(before, "new"), 0);
  for (uint32_t weight : {1u, 5u, 10u, 25u, 50u, 100u, 400u}) {
    const auto after = sides({{"old", 100}, {"new", weight}});
    for (size_t i = 0; i < after.size(); ++i) {
      if (before[i] == "new") ASSERT_EQ(after[i], "new") << i << " at " << weight;
    }
    EXPECT_GT(share(after, "new"), share(before, "new"));
    before = after;
  }
}

TEST(Split, LoweringAWeightOnlyMovesItsOwnUsers) {
  const auto before = sides({{"a", 50}, {"b", 30}, {"c", 20}});
  const auto after = sides({{"a", 50}, {"b", 10}, {"c", 20}});
  for (size_t i = 0; i < after.size(); ++i)
    if (before[i] != after[i]) ASSERT_EQ(before[i], "b");
  EXPECT_NE(before, after);
}

TEST(Split, AVersionThatIsAddedOrRemovedTouchesNoOneElse) {
  const auto two = sides({{"a", 50}, {"b", 50}}), three = sides({{"a", 50}, {"c", 25}, {"b", 50}});
  for (size_t i = 0; i < two.size(); ++i)
    if (two[i] != three[i]) ASSERT_EQ(three[i], "c");
  EXPECT_NEAR(share(three, "c"), 0.2, 0.02);
}

// Written down once: a process that finds other places would move every user.
TEST(Split, PlacesNeverChange) {
  EXPECT_EQ(fmt::format("{:.15f}", cohort_place("user-1", "catalog")), "0.137259011336130");
  EXPECT_EQ(fmt::format("{:.15f}", cohort_place("", "")), "0.722706486340339");
  EXPECT_NE(cohort_place("bc", "a"), cohort_place("c", "ab"));
  for (int i = 0; i < 1000; ++i) {
    const double place = cohort_place(std::to_string(i), "v");
    EXPECT_TRUE(place > 0 && place < 1);
  }
}

TEST(Split, WhoIsKnownByWhat) {
  Problems problems;
  const auto key = [&](std::string_view cohort, Asked& asked) {
    return Cohort::parse(cohort, {}, problems)->key(asked.request());
  };
  Asked asked("GET h/ | cookie: a=1; sid=s1 | X-User: u1 | x-user: u2 | from 10.0.0.1");
  Asked same("GET i/ | from [::ffff:10.0.0.1]"), other("GET i/ | from [fd00::1]"), local("GET i/");
  EXPECT_EQ(key("cookie:sid", asked), "s1");
  EXPECT_EQ(key("header:X-USER", asked), "u1");
  EXPECT_EQ(key("cookie:other", asked), "");
  EXPECT_EQ(key("header:other", asked), "");
  EXPECT_EQ(key("ip", asked).size(), 16u);
  EXPECT_EQ(key("ip", asked), key("ip", same));
  EXPECT_NE(key("ip", asked), key("ip", other));
  local.from(parse_address("unix:/run/a.sock").value());
  EXPECT_EQ(key("ip", local), "");
  EXPECT_EQ(problems.text(), "");
}

TEST(Split, WhatIsNone) {
  for (std::string_view cohort :
       {"cookie", "cookie:", "cookie:a b", "claim:tenant", "IP", "header:"}) {
    Problems problems;
    EXPECT_FALSE(SplitRule::compile(settings({{"a", 1}}, std::string(cohort)), problems));
    EXPECT_EQ(problems.text(), fmt::format("configuration: cohort: '{}' is none of cookie:NAME, "
                                           "header:NAME, ip\n",
                                           cohort));
  }
  for (const Weights& weights : {Weights{}, Weights{{"a", 0}, {"b", 0}}}) {
    Problems problems;
    EXPECT_FALSE(SplitRule::compile(settings(weights, ""), problems));
    EXPECT_EQ(problems.text(), "configuration: split.to: no service has a weight above 0\n");
  }
}

TEST(Split, WhoIsNotKnownIsSharedAtRandom) {
  Sim sim(7);
  for (const char* cohort : {"", "cookie:sid"}) {
    const SplitRule split = rule({{"a", 3}, {"none", 0}, {"b", 1}}, cohort);
    std::map<size_t, int> count;
    Asked asked("GET h/");
    EXPECT_FALSE(split.choose_known(asked.request()));
    for (int i = 0; i < users; ++i) ++count[split.choose(asked.request(), sim.loop())];
    EXPECT_EQ(count[1], 0);
    EXPECT_NEAR(count[0], users * 0.75, users * 0.02);
  }
}

TEST(Split, HugeWeights) {
  Sim sim;
  const SplitRule split = rule({{"a", UINT32_MAX}, {"b", UINT32_MAX}, {"c", UINT32_MAX}}, "");
  std::map<size_t, int> count;
  Asked asked("GET h/");
  for (int i = 0; i < users; ++i) ++count[split.choose(asked.request(), sim.loop())];
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(count[i], users / 3.0, users * 0.03);
}

}  // namespace
}  // namespace banyan
