#include "upstream/balance.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class BalanceTest : public testing::Test {
 protected:
  void make(const std::vector<uint32_t>& weights) {
    for (size_t i = 0; i < weights.size(); ++i) {
      const std::string at = "10.0.0." + std::to_string(i) + ":80";
      all.push_back(std::make_shared<Endpoint>(sim.loop(),
                                               std::string(1, static_cast<char>('a' + i)),
                                               *parse_address(at), weights[i], limits, rules));
    }
  }
  // One more exchange that stays.
  void load(size_t i, int n = 1) {
    for (; n > 0; --n) places.emplace_back(all[i]->pool());
  }
  std::string pick(Balancer& from, std::span<const EndpointPtr> except = {}) {
    const Endpoint* e = from.pick(sim.loop(), all, except);
    return e == nullptr ? "none" : e->name();
  }
  std::string picks(Balancer& from, int n) {
    std::string out;
    for (; n > 0; --n) out += pick(from);
    return out;
  }
  std::map<std::string, int> count(Balancer& from, int n) {
    std::map<std::string, int> out;
    for (; n > 0; --n) ++out[pick(from)];
    return out;
  }

  PoolLimits limits;
  EndpointRules rules;
  Sim sim;
  std::vector<EndpointPtr> all;
  std::deque<Pool::Place> places;
  Balancer in_turn{Balance::round_robin, rules}, least{Balance::least_request, rules},
      quickest{Balance::ewma, rules};
};

TEST_F(BalanceTest, RoundRobinGoesInTurn) {
  make({1, 1, 1});
  EXPECT_EQ(picks(in_turn, 7), "abcabca");
}

TEST_F(BalanceTest, RoundRobinSpreadsWeightsEvenly) {
  make({5, 1, 1});
  EXPECT_EQ(picks(in_turn, 14), "aabacaaaabacaa");
}

TEST_F(BalanceTest, RoundRobinWithGreatWeights) {
  make({4'294'836'225, 65'535});
  const auto n = count(in_turn, 65'536);
  EXPECT_EQ(n.at("b"), 1);
}

TEST_F(BalanceTest, RoundRobinGoesOnWhenOneIsSkipped) {
  make({1, 1, 1});
  sim.run([&]() -> Task<> {
    EXPECT_EQ(pick(in_turn), "a");
    all[1]->connect_failed();
    auto without = count(in_turn, 30);
    EXPECT_EQ(without.size(), 2u);
    EXPECT_NEAR(without["a"], 15, 1);
    (void)co_await sleep_for(1s);
    auto n = count(in_turn, 30);
    EXPECT_NEAR(n["b"], 10, 1) << "it does not make up for what it missed";
  });
}

TEST_F(BalanceTest, LeastRequestTakesTheLeastBusy) {
  make({1, 1, 1});
  load(0, 2);
  load(1, 3);
  EXPECT_EQ(picks(least, 3), "ccc");
  load(2, 3);
  EXPECT_EQ(pick(least), "a");
}

TEST_F(BalanceTest, LeastRequestCountsWeights) {
  make({1, 4});
  load(1, 2);  // 3/4 against 1/1
  EXPECT_EQ(pick(least), "b");
  load(1, 2);  // 5/4
  EXPECT_EQ(pick(least), "a");
}

TEST_F(BalanceTest, LeastRequestSharesAmongEquals) {
  make({1, 1, 1, 1});
  for (const auto& [name, n] : count(least, 8000)) EXPECT_NEAR(n, 2000, 200) << name;
}

TEST_F(BalanceTest, EwmaOfTwoTakesTheQuicker) {
  make({1, 1});
  all[0]->answered_in(20ms);
  all[1]->answered_in(10ms);
  EXPECT_EQ(picks(quickest, 10), "bbbbbbbbbb");
  load(1);  // 10 ms behind one other is as good as 20 ms alone: equals share
  const auto n = count(quickest, 2000);
  EXPECT_NEAR(n.at("a"), 1000, 100);
  load(1);
  EXPECT_EQ(picks(quickest, 5), "aaaaa");
}

TEST_F(BalanceTest, EwmaNeverTakesTheWorst) {
  make({1, 1, 1});
  all[0]->answered_in(10ms);
  all[1]->answered_in(20ms);
  all[2]->answered_in(30ms);
  const auto n = count(quickest, 3000);
  EXPECT_FALSE(n.contains("c"));
  // Of the three pairs two have the best.
  EXPECT_NEAR(n.at("a"), 2000, 150);
}

TEST_F(BalanceTest, EwmaSharesAmongEquals) {
  make({1, 1, 1, 1});
  for (const auto& e : all) e->answered_in(10ms);
  for (const auto& [name, n] : count(quickest, 8000)) EXPECT_NEAR(n, 2000, 200) << name;
}

TEST_F(BalanceTest, EwmaCountsWeights) {
  make({1, 3});
  for (const auto& e : all) e->answered_in(10ms);
  load(1, 1);
  EXPECT_EQ(picks(quickest, 3), "bbb");
  load(1, 2);
  EXPECT_EQ(pick(quickest), pick(quickest));
  load(1, 1);
  EXPECT_EQ(picks(quickest, 3), "aaa");
}

TEST_F(BalanceTest, EwmaTriesTheUnknownOnce) {
  make({1, 1});
  all[0]->answered_in(10ms);
  EXPECT_EQ(pick(quickest), "b");
  load(1);
  EXPECT_EQ(picks(quickest, 3), "aaa");
}

TEST_F(BalanceTest, SkippedOnesAreTriedOnlyWhenAllAre) {
  make({1, 1, 1});
  for (Balancer* b : {&in_turn, &least, &quickest}) {
    all[0]->connected();
    all[1]->connect_failed();
    all[2]->connect_failed();
    EXPECT_EQ(picks(*b, 5), "aaaaa");
    EXPECT_NE(pick(*b, {all.data(), 1}), "none") << "rather a skipped one than none";
    all[0]->connect_failed();
    EXPECT_EQ(count(*b, 100).size(), 3u);
  }
}

TEST_F(BalanceTest, ThoseTriedAreLeftOut) {
  make({1, 1, 1});
  for (Balancer* b : {&in_turn, &least, &quickest}) {
    EXPECT_EQ(pick(*b, {all.data(), 2}), "c");
    EXPECT_EQ(pick(*b, all), "none");
  }
}

TEST_F(BalanceTest, OneOrNone) {
  EXPECT_EQ(pick(quickest), "none");
  make({1});
  EXPECT_EQ(pick(quickest), "a");
  all[0]->connect_failed();
  EXPECT_EQ(pick(quickest), "a") << "there is no other";
  EXPECT_EQ(pick(quickest, all), "none");
}

TEST_F(BalanceTest, MoreThanFitOnTheStack) {
  make(std::vector<uint32_t>(25, 1));
  EXPECT_EQ(picks(in_turn, 26), "abcdefghijklmnopqrstuvwxya");
  EXPECT_EQ(count(least, 5000).size(), 25u);
  EXPECT_EQ(count(quickest, 5000).size(), 25u);
}

}  // namespace
}  // namespace banyan
