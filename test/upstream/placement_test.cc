#include "upstream/placement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class PlacementTest : public testing::Test {
 protected:
  void make(size_t n) {
    for (size_t i = 0; i < n; ++i) add("10.0.0." + std::to_string(i) + ":80");
  }
  void add(const std::string& at, uint32_t weight = 1) {
    owned.push_back(
        std::make_shared<Endpoint>(sim.loop(), at, *parse_address(at), weight, limits, rules));
    all.push_back(owned.back().get());
  }
  void load(Endpoint* e, int n = 1) {
    for (; n > 0; --n) places.emplace_back(e->pool());
  }
  static uint64_t key(int i) { return key_hash("user-" + std::to_string(i)); }
  std::vector<std::string> places_of(int keys) {
    std::vector<std::string> out;
    for (int i = 0; i < keys; ++i) out.push_back(sticky(all, key(i), 0, now())->name());
    return out;
  }
  std::set<std::string> shard_of(int tenant, size_t size) {
    auto some = all;
    some.resize(shard(some, key(tenant), size));
    std::set<std::string> out;
    for (const Endpoint* e : some) out.insert(e->name());
    return out;
  }
  Time now() { return sim.loop().now(); }

  PoolLimits limits;
  EndpointRules rules;
  Sim sim;
  std::vector<EndpointPtr> owned;
  std::vector<Endpoint*> all;
  std::deque<Pool::Place> places;
};

TEST_F(PlacementTest, KeysAreSharedEvenly) {
  make(5);
  std::map<std::string, int> count;
  for (const auto& name : places_of(10'000)) ++count[name];
  ASSERT_EQ(count.size(), 5u);
  for (const auto& [name, n] : count) EXPECT_NEAR(n, 2000, 150) << name;
}

TEST_F(PlacementTest, TheOrderOfEndpointsDoesNotMatter) {
  make(5);
  const auto before = places_of(1000);
  std::ranges::reverse(all);
  EXPECT_EQ(places_of(1000), before);
}

TEST_F(PlacementTest, OnlyTheKeysOfWhoLeavesMove) {
  make(5);
  const auto before = places_of(1000);
  const std::string gone = all[2]->name();
  all.erase(all.begin() + 2);
  const auto after = places_of(1000);
  for (size_t i = 0; i < 1000; ++i)
    if (before[i] != gone) EXPECT_EQ(after[i], before[i]);
}

TEST_F(PlacementTest, WhoJoinsOnlyTakes) {
  make(4);
  const auto before = places_of(10'000);
  add("10.0.1.1:80");
  const auto after = places_of(10'000);
  int taken = 0;
  for (size_t i = 0; i < before.size(); ++i)
    if (after[i] != before[i]) {
      EXPECT_EQ(after[i], "10.0.1.1:80");
      ++taken;
    }
  EXPECT_NEAR(taken, 2000, 150);
}

TEST_F(PlacementTest, ByWeight) {
  add("10.0.0.1:80", 1);
  add("10.0.0.2:80", 3);
  const auto places = places_of(10'000);
  EXPECT_NEAR(std::ranges::count(places, "10.0.0.2:80"), 7500, 150);
}

TEST_F(PlacementTest, OneThatWarmsUpTakesItsKeysLittleByLittle) {
  rules.slow_start = 30s;
  make(3);
  sim.run([&]() -> Task<> {
    (void)co_await sleep_for(1h);
    add("10.0.1.1:80");
    std::set<int> its;
    for (int second = 0; second <= 30; second += 5) {
      for (int i = 0; i < 1000; ++i) {
        const bool mine = sticky(all, key(i), 0, now())->name() == "10.0.1.1:80";
        EXPECT_TRUE(mine || !its.contains(i)) << "no key goes back";
        if (mine) its.insert(i);
      }
      // A tenth of a share at first; then as much as its weight in all.
      const double weight = std::max(second / 30.0, 0.1);
      EXPECT_NEAR(static_cast<double>(its.size()), 1000 * weight / (3 + weight), 40) << second;
      (void)co_await sleep_for(5s);
    }
  });
}

TEST_F(PlacementTest, OverItsBoundAKeyGoesToItsNext) {
  make(3);
  Endpoint* first = sticky(all, key(1), 1.5, now());
  auto others = all;
  std::erase(others, first);
  Endpoint* second = sticky(others, key(1), 0, now());
  // ceil(1.5 * (n + 1) / 3) of n in flight: 1, 1, 2, 2, 3 ...
  load(first);
  EXPECT_EQ(sticky(all, key(1), 1.5, now()), second) << "its bound is 1";
  load(second);
  EXPECT_EQ(sticky(all, key(1), 1.5, now()), first) << "its bound is 2 now";
  load(first);
  EXPECT_EQ(sticky(all, key(1), 1.5, now()), second) << "2 of 3 is the bound";
  EXPECT_EQ(sticky(all, key(1), 0, now()), first) << "no bound";
}

// One key with all the traffic: the bound is kept whatever is in flight, and none is idle.
TEST_F(PlacementTest, OneHotKeyIsSpread) {
  make(4);
  for (const double bound : {1.0, 1.25, 2.0}) {
    places.clear();
    for (int n = 1; n <= 200; ++n) {
      Endpoint* e = sticky(all, key(7), bound, now());
      ASSERT_NE(e, nullptr);
      load(e);
      const double most = std::ceil(bound * n / 4);
      for (const Endpoint* one : all) ASSERT_LE(static_cast<double>(one->load()), most) << n;
    }
  }
  places.clear();
}

TEST_F(PlacementTest, TheBoundGoesByWeight) {
  add("10.0.0.1:80", 1);
  add("10.0.0.2:80", 9);
  for (int n = 0; n < 100; ++n) load(sticky(all, key(n), 1, now()));
  EXPECT_EQ(all[0]->load(), 10u);
  EXPECT_EQ(all[1]->load(), 90u);
}

TEST_F(PlacementTest, ATenantsShardIsAlwaysTheSame) {
  make(8);
  for (int t = 0; t < 100; ++t) {
    const auto before = shard_of(t, 2);
    EXPECT_EQ(before.size(), 2u);
    std::ranges::reverse(all);
    EXPECT_EQ(shard_of(t, 2), before);
  }
  EXPECT_EQ(shard_of(1, 8).size(), 8u);
  EXPECT_EQ(shard_of(1, 100).size(), 8u);
}

TEST_F(PlacementTest, OnlyShardsOfWhoLeavesChangeAndByOne) {
  make(8);
  std::vector<std::set<std::string>> before;
  for (int t = 0; t < 500; ++t) before.push_back(shard_of(t, 3));
  const std::string gone = all[5]->name();
  all.erase(all.begin() + 5);
  for (int t = 0; t < 500; ++t) {
    auto kept = before[static_cast<size_t>(t)];
    kept.erase(gone);
    const auto now_its = shard_of(t, 3);
    EXPECT_TRUE(std::ranges::includes(now_its, kept)) << t;
  }
}

// All pairs of endpoints are used alike, so two tenants share as little as chance allows.
TEST_F(PlacementTest, TheBlastRadiusIsAsItIsTold) {
  make(8);
  const auto radius = blast_radius(8, 2);
  EXPECT_DOUBLE_EQ(radius.lost, 1.0 / 28);
  EXPECT_DOUBLE_EQ(radius.touched, 1 - 15.0 / 28);
  const auto mine = shard_of(0, 2);
  double touched = 0, lost = 0;
  constexpr int tenants = 20'000;
  for (int t = 1; t <= tenants; ++t) {
    const auto other = shard_of(t, 2);
    std::vector<std::string> both;
    std::ranges::set_intersection(mine, other, std::back_inserter(both));
    touched += both.empty() ? 0 : 1;
    lost += both.size() == 2 ? 1 : 0;
  }
  EXPECT_NEAR(touched / tenants, radius.touched, 0.015);
  EXPECT_NEAR(lost / tenants, radius.lost, 0.01);
}

TEST_F(PlacementTest, BlastRadiusAtItsEnds) {
  EXPECT_EQ(blast_radius(4, 4).lost, 1);
  EXPECT_EQ(blast_radius(2, 5).touched, 1);
  EXPECT_DOUBLE_EQ(blast_radius(4, 1).touched, 0.25);
  EXPECT_DOUBLE_EQ(blast_radius(4, 1).lost, 0.25);
  EXPECT_DOUBLE_EQ(blast_radius(3, 2).touched, 1) << "two of three always meet";
  EXPECT_DOUBLE_EQ(blast_radius(3, 2).lost, 1.0 / 3);
  EXPECT_NEAR(blast_radius(100, 5).lost, 1.0 / 75'287'520, 1e-18);
}

TEST_F(PlacementTest, ExplainedAsItIsDone) {
  make(9);
  std::vector<std::string> names;
  for (const Endpoint* e : all) names.push_back(e->name());
  for (int t = 0; t < 50; ++t) {
    const auto told = shard_names(names, "user-" + std::to_string(t), 3);
    EXPECT_EQ(std::set<std::string>(told.begin(), told.end()), shard_of(t, 3));
  }
  EXPECT_EQ(shard_names(names, "x", 20).size(), 9u);
}

// A shard and a hash may go by the same key; else all keys of a shard would have the same order.
TEST_F(PlacementTest, AShardSaysNothingAboutTheHashWithinIt) {
  make(8);
  std::map<bool, int> first_of_two;
  for (int t = 0; t < 2000; ++t) {
    auto some = all;
    some.resize(shard(some, key(t), 2));
    std::ranges::sort(some, {}, &Endpoint::name);
    ++first_of_two[sticky(some, key(t), 0, now()) == some[0]];
  }
  EXPECT_NEAR(first_of_two[true], 1000, 100);
}

}  // namespace
}  // namespace banyan
