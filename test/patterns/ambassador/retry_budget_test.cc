#include "patterns/ambassador/retry_budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "patterns/ambassador/retry_state.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr Time start{1'000'000s};

size_t take_all(RetryBudget& budget, Time now) {
  size_t taken = 0;
  while (budget.try_take(now)) ++taken;
  return taken;
}

TEST(RetryBudget, AShareOfTheRequests) {
  RetryBudget budget(Percent{2000}, 0);
  EXPECT_FALSE(budget.try_take(start));
  for (int i = 0; i < 4; ++i) budget.count_request(start);
  EXPECT_FALSE(budget.try_take(start)) << "a fifth of 4 is less than one";
  for (int i = 0; i < 96; ++i) budget.count_request(start);
  EXPECT_EQ(take_all(budget, start), 20u);
  EXPECT_EQ(budget.counts(start).requests, 100u);
  EXPECT_EQ(budget.counts(start).retries, 20u);
}

TEST(RetryBudget, TheFloorHoldsWhenTheShareIsLess) {
  RetryBudget budget(Percent{2000}, 3);
  EXPECT_EQ(take_all(budget, start), 3u);
  for (int i = 0; i < 20; ++i) budget.count_request(start);
  EXPECT_EQ(take_all(budget, start), 1u) << "4 in all: the greater of the two, not their sum";
}

TEST(RetryBudget, NothingAtAll) {
  RetryBudget budget(Percent{0}, 0);
  for (int i = 0; i < 1000; ++i) budget.count_request(start);
  EXPECT_FALSE(budget.try_take(start));
}

TEST(RetryBudget, TheWindowSlidesByTheSecond) {
  RetryBudget budget(Percent{1000}, 0);
  for (int i = 0; i < 100; ++i) budget.count_request(start);
  EXPECT_EQ(take_all(budget, start + 500ms), 10u);
  EXPECT_EQ(take_all(budget, start + 9s + 999ms), 0u) << "those of ten seconds ago still count";
  EXPECT_EQ(budget.counts(start + 9s + 999ms).requests, 100u);
  EXPECT_EQ(budget.counts(start + 10s).requests, 0u);
  for (int i = 0; i < 50; ++i) budget.count_request(start + 10s);
  EXPECT_EQ(take_all(budget, start + 10s), 5u);
}

TEST(RetryBudget, ASecondIsForgottenWhenItsPlaceIsUsedAgain) {
  RetryBudget budget(Percent{10'000}, 0);
  for (int second = 0; second < 100; ++second) {
    const Time now = start + std::chrono::seconds(second);
    budget.count_request(now);
    EXPECT_TRUE(budget.try_take(now));
    const auto expected = static_cast<uint64_t>(std::min(second + 1, 10));
    EXPECT_EQ(budget.counts(now).requests, expected) << second;
    EXPECT_EQ(budget.counts(now).retries, expected) << second;
  }
}

TEST(RetryBudget, AfterALongSilence) {
  RetryBudget budget(Percent{10'000}, 0);
  for (int i = 0; i < 5; ++i) budget.count_request(start);
  EXPECT_EQ(take_all(budget, start + 24h), 0u);
}

TEST(RetryBudget, NewLimitsHoldAtOnceAndCountsStay) {
  RetryBudget budget(Percent{1000}, 0);
  for (int i = 0; i < 100; ++i) budget.count_request(start);
  EXPECT_EQ(take_all(budget, start), 10u);
  budget.set_limits(Percent{5000}, 0);
  EXPECT_EQ(take_all(budget, start), 40u);
  budget.set_limits(Percent{100}, 0);
  EXPECT_FALSE(budget.try_take(start));
}

// Workers ask at the same time: never more than the budget, and all of it.
TEST(RetryBudget, ManyThreadsTakeExactlyWhatThereIs) {
  RetryBudget budget(Percent{2500}, 0);
  constexpr int workers = 4, each = 2000;
  std::atomic<int> taken{0};
  {
    std::vector<std::jthread> threads;
    for (int w = 0; w < workers; ++w)
      threads.emplace_back([&] {
        for (int i = 0; i < each; ++i) {
          budget.count_request(start);
          if (budget.try_take(start)) ++taken;
        }
      });
  }
  EXPECT_EQ(budget.counts(start).requests, uint64_t{workers * each});
  EXPECT_EQ(budget.counts(start).retries, static_cast<uint64_t>(taken));
  const int late = static_cast<int>(take_all(budget, start));
  EXPECT_EQ(taken + late, workers * each / 4);
}

TEST(RetryStates, OneForEachNameOverReloads) {
  RetryStates states;
  RetryState& a = states.of("a", Percent{2000}, 1);
  EXPECT_TRUE(a.budget.try_take(start));
  EXPECT_FALSE(a.budget.try_take(start));
  EXPECT_EQ(&states.of("a", Percent{2000}, 2), &a);
  EXPECT_FALSE(a.budget.try_take(start)) << "a version that is only prepared changes nothing";
  states.set_limits("a", Percent{2000}, 2);
  EXPECT_TRUE(a.budget.try_take(start)) << "the new floor is 2, and 1 is taken";
  EXPECT_FALSE(a.budget.try_take(start));
  EXPECT_NE(&states.of("b", Percent{2000}, 1), &a);
  std::string names;
  states.for_each([&](const std::string& name, RetryState&) { names += name; });
  EXPECT_EQ(names, "ab");
}

TEST(RetryStates, NamesBeyondTheBoundHaveOneTogether) {
  RetryStates states;
  for (size_t i = 0; i < RetryStates::services_max; ++i) states.of(std::to_string(i), {}, 1);
  RetryState& others = states.of("new", {}, 1);
  EXPECT_EQ(&states.of("newer", {}, 1), &others);
  EXPECT_NE(&states.of("7", {}, 1), &others);
}

TEST(RetryStates, EveryRefusalHasItsOwnWord) {
  std::map<std::string_view, int> words;
  for (size_t i = 0; i < static_cast<size_t>(Refusal::count); ++i) {
    ++words[word_of(static_cast<Refusal>(i))];
    EXPECT_TRUE(sentence_of(static_cast<Refusal>(i)).starts_with("not sent again: "));
  }
  EXPECT_EQ(words.size(), static_cast<size_t>(Refusal::count));
}

}  // namespace
}  // namespace banyan
