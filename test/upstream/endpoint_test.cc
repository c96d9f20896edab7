#include "upstream/endpoint.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/run.h"
#include "upstream/cluster.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class EndpointTest : public testing::Test {
 protected:
  EndpointPtr make(uint32_t weight = 1) {
    return std::make_shared<Endpoint>(sim.loop(), "10.0.0.1:80", *parse_address("10.0.0.1:80"),
                                      weight, limits, rules);
  }
  PoolLimits limits;
  EndpointRules rules;
  Sim sim;
};

TEST_F(EndpointTest, SkippedAfterFailedConnectsForExactlySoLong) {
  sim.run([&]() -> Task<> {
    const EndpointPtr e = make();
    EXPECT_FALSE(e->skipped());
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
      e->connect_failed();
      (void)co_await sleep_for(pause - 1ns);
      EXPECT_TRUE(e->skipped()) << pause.count();
      (void)co_await sleep_for(1ns);
      EXPECT_FALSE(e->skipped()) << pause.count();
    }
    e->connected();
    e->connect_failed();
    (void)co_await sleep_for(1s);
    EXPECT_FALSE(e->skipped()) << "a success starts over";
  });
}

TEST_F(EndpointTest, ConnectsThatFailTogetherCountOnce) {
  sim.run([&]() -> Task<> {
    const EndpointPtr e = make();
    for (int i = 0; i < 100; ++i) e->connect_failed();
    (void)co_await sleep_for(1s);
    EXPECT_FALSE(e->skipped());
  });
}

TEST_F(EndpointTest, ASlowAnswerCountsAtOnceAndIsForgottenSlowly) {
  sim.run([&]() -> Task<> {
    const EndpointPtr e = make();
    EXPECT_EQ(e->cost(), 0) << "nothing is known: it is worth a try";
    e->answered_in(10ms);
    EXPECT_DOUBLE_EQ(e->cost(), 10e6);
    e->answered_in(100ms);
    EXPECT_DOUBLE_EQ(e->cost(), 100e6);
    e->answered_in(10ms);
    EXPECT_DOUBLE_EQ(e->cost(), 100e6) << "no time has passed since the slow one";
    (void)co_await sleep_for(10s);
    EXPECT_NEAR(e->cost(), 100e6 / std::exp(1), 1) << "10 s take it to 1/e";
    e->answered_in(10ms);
    EXPECT_NEAR(e->cost(), 100e6 / std::exp(1) + 10e6 * (1 - 1 / std::exp(1)), 1);
  });
}

TEST_F(EndpointTest, TheQueueAndTheWeightCount) {
  const EndpointPtr light = make(1), heavy = make(4);
  light->answered_in(10ms);
  heavy->answered_in(10ms);
  EXPECT_DOUBLE_EQ(heavy->cost(), light->cost() / 4);
  {
    const Pool::Place first(light->pool()), second(light->pool());
    EXPECT_EQ(light->load(), 2u);
    EXPECT_DOUBLE_EQ(light->cost(), 30e6);
  }
  EXPECT_EQ(light->load(), 0u);
}

TEST_F(EndpointTest, TheFirstUnknownIsTriedButNotTheSecond) {
  const EndpointPtr e = make();
  const Pool::Place trying(e->pool());
  EXPECT_GE(e->cost(), 1e9);
}

TEST_F(EndpointTest, WeightsAddUpWithoutWrapping) {
  const EndpointPtr e = make(UINT32_MAX - 1);
  e->add_weight(1);
  EXPECT_EQ(e->weight(), UINT32_MAX);
  e->add_weight(7);
  EXPECT_EQ(e->weight(), UINT32_MAX);
}

TEST_F(EndpointTest, AClusterKeepsThoseThatStay) {
  Cluster cluster("shop", sim.engine(), sim.loop(), Balance::ewma, {});
  const auto member = [](const char* address, uint32_t weight) {
    return Cluster::Member{address, *parse_address(address), weight};
  };
  cluster.set_members({member("10.0.0.1:80", 1), member("10.0.0.2:80", 1)});
  const EndpointPtr one = cluster.endpoints()[0], two = cluster.endpoints()[1];
  cluster.set_members({member("10.0.0.2:80", 7), member("10.0.0.3:80", 1)});
  ASSERT_EQ(cluster.endpoints().size(), 2u);
  EXPECT_EQ(cluster.endpoints()[0], two);
  EXPECT_EQ(two->weight(), 7u);
  EXPECT_EQ(one.use_count(), 1) << "nobody else holds it any more";
  cluster.set_members({member("10.0.0.2:80", 2), member("10.0.0.2:80", 3)});
  ASSERT_EQ(cluster.endpoints().size(), 1u);
  EXPECT_EQ(cluster.endpoints()[0]->weight(), 5u);
  cluster.set_members({});
  EXPECT_TRUE(cluster.endpoints().empty());
  EXPECT_EQ(cluster.pick({}), nullptr);
}

}  // namespace
}  // namespace banyan
