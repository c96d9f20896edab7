#include "upstream/endpoint_health.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

using namespace std::chrono_literals;

class EndpointHealthTest : public testing::Test {
 protected:
  EndpointHealthTest() {
    rules.health = HealthSettings{.path = "/", .unhealthy_after = 3, .healthy_after = 2};
    rules.eject = EjectSettings{};
  }

  EndpointRules rules;
  Time now{1000s};
};

TEST_F(EndpointHealthTest, UsableUntilProvedBad) {
  EndpointHealth health(rules, now);
  for (int i = 0; i < 10; ++i) {
    health.check_failed();
    health.check_failed();
    EXPECT_TRUE(health.usable(now)) << "two are not three";
    health.check_passed(now);
  }
  for (int i = 0; i < 3; ++i) health.check_failed();
  EXPECT_FALSE(health.healthy() || health.usable(now));
  for (int i = 0; i < 10; ++i) {
    health.check_passed(now);
    health.check_failed();
    EXPECT_FALSE(health.usable(now)) << "not in a row";
  }
  health.check_passed(now);
  health.check_passed(now);
  EXPECT_TRUE(health.usable(now));
}

TEST_F(EndpointHealthTest, EjectionAndChecksAreBothNeeded) {
  EndpointHealth health(rules, now);
  health.eject(now);
  EXPECT_TRUE(health.healthy());
  EXPECT_FALSE(health.usable(now));
  health.end_ejection(now);
  EXPECT_TRUE(health.usable(now));
}

TEST_F(EndpointHealthTest, WithoutSlowStartAllAtOnce) {
  EndpointHealth health(rules, now);
  EXPECT_EQ(health.ramp(now), 1);
}

TEST_F(EndpointHealthTest, SlowStartRisesInALine) {
  rules.slow_start = 30s;
  EndpointHealth health(rules, now);
  const auto after = [&](Duration time) { return health.ramp(now + time); };
  EXPECT_DOUBLE_EQ(after(0s), 0.1);
  EXPECT_DOUBLE_EQ(after(3s), 0.1);
  EXPECT_DOUBLE_EQ(after(6s), 0.2);
  EXPECT_DOUBLE_EQ(after(15s), 0.5);
  EXPECT_DOUBLE_EQ(after(30s), 1);
  EXPECT_DOUBLE_EQ(after(24h), 1);
}

TEST_F(EndpointHealthTest, SlowStartBeginsAnewAfterEachRecovery) {
  rules.slow_start = 30s;
  EndpointHealth health(rules, now);
  now += 1h;
  EXPECT_DOUBLE_EQ(health.ramp(now), 1);
  for (int i = 0; i < 3; ++i) health.check_failed();
  now += 1min;
  health.check_passed(now);
  health.check_passed(now);
  EXPECT_DOUBLE_EQ(health.ramp(now + 15s), 0.5) << "by checks";
  now += 1h;
  health.eject(now);
  EXPECT_DOUBLE_EQ(health.ramp(now + 30s + 15s), 0.5) << "after an ejection of 30 s";
  now += 1h;
  health.recovered(now);
  EXPECT_DOUBLE_EQ(health.ramp(now + 15s), 0.5) << "when its breaker has closed";
}

TEST_F(EndpointHealthTest, AGoodCheckOfAHealthyOneStartsNothing) {
  rules.slow_start = 30s;
  EndpointHealth health(rules, now);
  now += 1h;
  health.check_failed();
  health.check_passed(now);
  EXPECT_DOUBLE_EQ(health.ramp(now), 1);
}

TEST_F(EndpointHealthTest, TheBreakerIsApart) {
  EndpointHealth none(rules, now);
  EXPECT_TRUE(none.passable(now));
  EXPECT_FALSE(none.pass(now)) << "an empty pass, that nobody asks for";
  EXPECT_EQ(none.circuit(), nullptr);
  rules.breaker = BreakerSettings{.failures = 1};
  EndpointHealth health(rules, now);
  health.pass(now).note(Outcome::failed, now);
  EXPECT_FALSE(health.passable(now));
  EXPECT_TRUE(health.usable(now));
  EXPECT_EQ(health.circuit()->status(now).state, Circuit::State::open);
}

}  // namespace
}  // namespace banyan
