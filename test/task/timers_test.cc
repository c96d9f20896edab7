#include "task/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace banyan {
namespace {

using namespace std::chrono_literals;
constexpr Time start{123'456'789'012'345ns};

struct Probe final : Timer {
  void fire() noexcept override {
    EXPECT_FALSE(armed());
    ++fired;
    if (act) act();
  }
  int fired = 0;
  std::function<void()> act;
};

TEST(TimerWheel, FiresAtTheExactTime) {
  for (const Duration by :
       {1ns, 500ns, 1'048'575ns, 1'048'576ns, 1'048'577ns, Duration(63ms), Duration(64ms),
        Duration(68ms), Duration(5s), Duration(1h), Duration(24h * 14), Duration(24h * 700)}) {
    TimerWheel wheel(start);
    Probe probe;
    wheel.arm(probe, start + by);
    EXPECT_LE(wheel.next(), start + by);
    EXPECT_GT(wheel.next(), start);
    wheel.advance(start + by - 1ns);
    EXPECT_EQ(probe.fired, 0) << by.count();
    wheel.advance(start + by);
    EXPECT_EQ(probe.fired, 1) << by.count();
    EXPECT_EQ(wheel.next(), never);
  }
}

TEST(TimerWheel, FollowingNextComesToTheTimerInFewSteps) {
  for (const Duration by : {Duration(1ms), Duration(70ms), Duration(1h), Duration(24h * 40)}) {
    TimerWheel wheel(start);
    Probe probe;
    Time now = start;
    wheel.arm(probe, start + by);
    int steps = 0;
    for (; probe.fired == 0 && steps < 100; ++steps) {
      const Time next = wheel.next();
      ASSERT_GT(next, now) << "no progress";
      wheel.advance(now = next);
    }
    EXPECT_EQ(now, start + by);
    EXPECT_LE(steps, 70);
  }
}

TEST(TimerWheel, ThePastFiresOnTheNextAdvance) {
  TimerWheel wheel(start);
  Probe past, zero, present;
  wheel.arm(past, start - 1h);
  wheel.arm(zero, Time{} - 5s);
  wheel.arm(present, start);
  EXPECT_LE(wheel.next(), start);
  wheel.advance(start);
  EXPECT_EQ(past.fired + zero.fired + present.fired, 3);
}

TEST(TimerWheel, ArmingAgainMoves) {
  TimerWheel wheel(start);
  Probe probe;
  wheel.arm(probe, start + 1ms);
  wheel.arm(probe, start + 10s);
  wheel.advance(start + 5s);
  EXPECT_EQ(probe.fired, 0);
  wheel.arm(probe, start + 6s);
  wheel.advance(start + 6s);
  EXPECT_EQ(probe.fired, 1);
  wheel.advance(start + 20s);
  EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, DisarmedOrDeadDoesNotFire) {
  TimerWheel wheel(start);
  Probe probe;
  wheel.arm(probe, start + 1ms);
  EXPECT_TRUE(probe.armed());
  probe.disarm();
  EXPECT_FALSE(probe.armed());
  wheel.arm(*std::make_unique<Probe>(), start + 1ms);
  wheel.advance(start + 1s);
  EXPECT_EQ(probe.fired, 0);
  EXPECT_EQ(wheel.next(), never);
}

TEST(TimerWheel, OneThatFiresMayDisarmAnotherThatIsDue) {
  TimerWheel wheel(start);
  Probe first, second;
  first.act = [&] { second.disarm(); };
  second.act = [&] { first.disarm(); };
  wheel.arm(first, start + 5ms);
  wheel.arm(second, start + 5ms);
  wheel.advance(start + 5ms);
  EXPECT_EQ(first.fired, 1);
  EXPECT_EQ(second.fired, 0);
}

// A periodic timer whose next time has passed too, because the loop was late: it must not be lost
// in a slot that lies behind.
TEST(TimerWheel, ArmedAgainWhileFiring) {
  for (const Duration period : {Duration(0ns), Duration(1us), Duration(100us), Duration(3ms)}) {
    TimerWheel wheel(start);
    Probe periodic, other;
    periodic.act = [&] { wheel.arm(periodic, periodic.at() + period); };
    wheel.arm(periodic, start + 1us);
    wheel.arm(other, start + 30ms);
    wheel.advance(start + 50ms);
    EXPECT_EQ(other.fired, 1);
    EXPECT_TRUE(periodic.armed());
    const int before = periodic.fired;
    EXPECT_LE(wheel.next(), periodic.at());
    wheel.advance(std::max(start + 50ms, periodic.at()));
    EXPECT_GT(periodic.fired, before) << period.count();
  }
}

TEST(TimerWheel, ManyInOneSlotAreNotLookedAtAgainAndAgain) {
  TimerWheel wheel(start);
  constexpr size_t n = 100'000;
  std::vector<std::unique_ptr<Probe>> probes;
  for (size_t i = 0; i < n; ++i) {
    probes.push_back(std::make_unique<Probe>());
    wheel.arm(*probes.back(), start + 10ms + Duration(static_cast<int64_t>(i)));
  }
  // As many turns as timers before they are due. Were each turn to look at the slot, this would be
  // 10^10 steps: minutes, and the test's time would be up.
  for (size_t i = 0; i < n; ++i) {
    wheel.advance(start + Duration(static_cast<int64_t>(i)) * 90);
    ASSERT_GT(wheel.next(), start);
  }
  EXPECT_TRUE(std::all_of(probes.begin(), probes.end(), [](auto& p) { return p->fired == 0; }));
  wheel.advance(start + 11ms);
  EXPECT_TRUE(std::all_of(probes.begin(), probes.end(), [](auto& p) { return p->fired == 1; }));
}

// Against a model that looks at every timer: random arming, disarming and jumps, from nanoseconds
// to weeks.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed), wheel_(start), probes_(200), expected_(200, 0) {}

  void step() {
    switch (random_() % 4) {
      case 0:
      case 1:
        return arm();
      case 2:
        return probes_[pick()].disarm();
      default:
        return jump();
    }
  }

 private:
  size_t pick() { return random_() % probes_.size(); }
  // Every magnitude from 1 ns to 2^51 ns (26 days) is as likely as another.
  Duration magnitude() {
    const int bits = static_cast<int>(random_() % 52);
    return Duration(static_cast<int64_t>(random_() & ((uint64_t{1} << bits) - 1)));
  }
  void arm() {
    wheel_.arm(probes_[pick()], now_ + magnitude() - Duration(random_() % 8 == 0 ? 1000 : 0));
  }
  void jump() {
    Time earliest = never;
    for (auto& p : probes_)
      if (p.armed()) earliest = std::min(earliest, p.at());
    EXPECT_LE(wheel_.next(), earliest);
    // Often to where the wheel asks to be called, or just before a timer; else anywhere.
    const Time next = wheel_.next();
    const uint64_t how = random_() % 4;
    if (how == 0 && next != never)
      now_ = std::max(now_, next);
    else if (how == 1 && earliest != never)
      now_ = std::max(now_, earliest - 1ns);
    else
      now_ += magnitude();
    for (size_t i = 0; i < probes_.size(); ++i)
      if (probes_[i].armed() && probes_[i].at() <= now_) ++expected_[i];
    wheel_.advance(now_);
    for (size_t i = 0; i < probes_.size(); ++i) {
      ASSERT_EQ(probes_[i].fired, expected_[i]) << "timer " << i;
      if (probes_[i].armed()) ASSERT_GT(probes_[i].at(), now_);
    }
  }

  std::mt19937_64 random_;
  TimerWheel wheel_;
  std::vector<Probe> probes_;
  std::vector<int> expected_;
  Time now_ = start;
};

TEST(TimerWheel, BehavesAsTheModelDoes) {
  for (uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) model.step();
  }
}

}  // namespace
}  // namespace banyan
