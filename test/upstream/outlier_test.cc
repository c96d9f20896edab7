#include "upstream/outlier.h"

#include <gtest/gtest.h>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class OutlierTest : public testing::Test {
 protected:
  OutlierTest() { rules.eject = EjectSettings{}; }
  void make(size_t n) {
    for (size_t i = 0; i < n; ++i) {
      const std::string at = "10.0.0." + std::to_string(i) + ":80";
      all.push_back(std::make_shared<Endpoint>(sim.loop(), std::string(1, char('a' + i)),
                                               *parse_address(at), 1, limits, rules));
    }
    detector.emplace(*rules.eject, now);
  }
  void note(size_t i, Outcome outcome, int n = 1) {
    for (; n > 0; --n) detector->note(all, *all[i], outcome, now);
  }
  void fail(size_t i, int n = 5) { note(i, Outcome::failed, n); }
  // So many requests, of which some fail, spread evenly.
  void mixed(size_t i, int requests, int failed) {
    for (int r = 0; r < requests; ++r)
      note(i, (r + 1) * failed / requests != r * failed / requests ? Outcome::failed
                                                                   : Outcome::answered);
  }
  // The interval's end, told by a request of the first.
  void end_interval() {
    now += OutlierDetector::interval;
    note(0, Outcome::answered);
  }
  std::string ejected() const {
    std::string out;
    for (const auto& e : all)
      if (e->health().ejected(now)) out += e->name();
    return out;
  }
  Duration left(size_t i) const { return all[i]->health().ejected_until() - now; }

  PoolLimits limits;
  EndpointRules rules;
  Sim sim;
  Time now{1000s};
  std::vector<EndpointPtr> all;
  std::optional<OutlierDetector> detector;
};

TEST_F(OutlierTest, FailuresInARow) {
  make(4);
  fail(1, 4);
  note(1, Outcome::answered);
  fail(1, 4);
  EXPECT_EQ(ejected(), "");
  fail(1, 1);
  EXPECT_EQ(ejected(), "b");
  EXPECT_EQ(left(1), 30s);
  now += 30s - 1ns;
  EXPECT_EQ(ejected(), "b");
  now += 1ns;
  EXPECT_EQ(ejected(), "");
}

TEST_F(OutlierTest, BodiesThatBreakOff) {
  make(4);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ejected(), "") << i;
    note(1, Outcome::answered);
    note(1, Outcome::broken);
  }
  EXPECT_EQ(ejected(), "b");
}

TEST_F(OutlierTest, TheTimeGrowsWithRepetitionAndShrinksWithGoodConduct) {
  rules.eject->for_most = 100s;
  make(4);
  for (const auto time : {30s, 60s, 90s, 100s, 100s}) {
    fail(1);
    EXPECT_EQ(left(1), time);
    now += time;
  }
  EXPECT_EQ(all[1]->health().ejections(), 5u);
  now += 89s;  // two whole times `for`
  fail(1);
  EXPECT_EQ(all[1]->health().ejections(), 4u);
  now += 100s + 1h;
  fail(1);
  EXPECT_EQ(left(1), 30s) << "all is forgotten";
}

TEST_F(OutlierTest, AtMostAPartIsOut) {
  make(5);
  for (size_t i = 0; i < 5; ++i) fail(i);
  EXPECT_EQ(ejected(), "ab") << "half of five";
  now += 30s;
  fail(2, 1);
  EXPECT_EQ(ejected(), "c") << "it went on counting";
}

TEST_F(OutlierTest, OneOfOneNeverIs) {
  make(1);
  fail(0, 100);
  EXPECT_EQ(ejected(), "");
}

TEST_F(OutlierTest, AtMostIsKeptWhenOthersLeave) {
  make(4);
  fail(0);
  now += 1s;
  fail(1);
  EXPECT_EQ(ejected(), "ab");
  all.pop_back();
  all.pop_back();
  detector->members_changed(all, now);
  EXPECT_EQ(ejected(), "b") << "the one that would return first is free";
  all.erase(all.begin());
  detector->members_changed(all, now);
  EXPECT_EQ(ejected(), "");
}

TEST_F(OutlierTest, WhatWasUnderWayDoesNotCountAgain) {
  make(4);
  fail(1);
  fail(1, 100);
  EXPECT_EQ(all[1]->health().ejections(), 1u);
  now += 30s;
  fail(1, 4);
  EXPECT_EQ(ejected(), "") << "it starts from zero";
}

TEST_F(OutlierTest, FailuresInARowCanBeOff) {
  rules.eject->consecutive = 0;
  make(4);
  fail(1, 1000);
  EXPECT_EQ(ejected(), "");
}

class DeviationTest : public OutlierTest {
 protected:
  DeviationTest() {
    rules.eject->consecutive = 0;
    rules.eject->deviation = {Deviation::on};
  }
};

TEST_F(DeviationTest, OneIsWorseThanTheOthers) {
  make(4);
  for (size_t i = 0; i < 4; ++i) mixed(i, 100, i == 2 ? 25 : 0);
  EXPECT_EQ(ejected(), "") << "not before the interval is over";
  end_interval();
  EXPECT_EQ(ejected(), "c");
}

TEST_F(DeviationTest, TwoOfFiveDoNotHideEachOther) {
  make(5);
  for (size_t i = 0; i < 5; ++i) mixed(i, 100, i < 2 ? 60 : 1);
  end_interval();
  EXPECT_EQ(ejected(), "ab");
}

TEST_F(DeviationTest, TheWorstFirst) {
  rules.eject->at_most = {2500};
  make(4);
  mixed(0, 100, 0);
  mixed(1, 100, 40);
  mixed(2, 100, 0);
  mixed(3, 100, 90);
  end_interval();
  EXPECT_EQ(ejected(), "d");
}

TEST_F(DeviationTest, AllEquallyBad) {
  make(4);
  for (size_t i = 0; i < 4; ++i) mixed(i, 100, 50 + static_cast<int>(i));
  end_interval();
  EXPECT_EQ(ejected(), "");
}

TEST_F(DeviationTest, ALittleWorseIsNoOutlier) {
  make(4);
  for (size_t i = 0; i < 4; ++i) mixed(i, 100, i == 1 ? 9 : 0);
  end_interval();
  EXPECT_EQ(ejected(), "") << "9 points are within 1.9 * 5";
  for (size_t i = 0; i < 4; ++i) mixed(i, 100, i == 1 ? 10 : 0);
  end_interval();
  EXPECT_EQ(ejected(), "b") << "10 are not";
}

TEST_F(DeviationTest, FewRequestsOrFewEndpointsProveNothing) {
  make(4);
  mixed(0, 100, 0);
  mixed(1, 100, 0);
  mixed(2, 19, 19);
  mixed(3, 100, 0);
  end_interval();
  EXPECT_EQ(ejected(), "") << "19 requests";
  mixed(0, 100, 0);
  mixed(2, 100, 100);
  end_interval();
  EXPECT_EQ(ejected(), "") << "two endpoints with requests";
  mixed(0, 100, 0);
  mixed(1, 20, 0);
  mixed(2, 20, 20);
  end_interval();
  EXPECT_EQ(ejected(), "c");
}

// What chance alone makes of equals, day after day: a false ejection is rare.
TEST_F(DeviationTest, ChanceIsNoOutlier) {
  make(6);
  int false_ejections = 0;
  for (int interval = 0; interval < 1000; ++interval) {
    for (size_t i = 0; i < 6; ++i)
      for (int r = 0; r < 40; ++r)
        note(i, sim.loop().random_below(10) == 0 ? Outcome::failed : Outcome::answered);
    end_interval();
    false_ejections += static_cast<int>(ejected().size());
    now += 1h;
  }
  EXPECT_LE(false_ejections, 1) << "of 6000";
}

TEST_F(DeviationTest, ABrokenBodyMakesAFailureOfItsHead) {
  make(3);
  mixed(0, 40, 0);
  mixed(1, 40, 0);
  for (int i = 0; i < 40; ++i) {
    note(2, Outcome::answered);
    note(2, i % 4 == 0 ? Outcome::broken : Outcome::completed);
  }
  const auto& conduct = all[2]->health().conduct;
  EXPECT_EQ(conduct.good, 30u);
  EXPECT_EQ(conduct.bad, 10u);
  rules.eject->at_most = {10'000};
  end_interval();
  EXPECT_EQ(ejected(), "c");
}

}  // namespace
}  // namespace banyan
