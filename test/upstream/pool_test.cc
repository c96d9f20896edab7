#include "upstream/pool.h"

#include <gtest/gtest.h>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class PoolTest : public testing::Test {
 protected:
  // An endpoint that accepts, and leaves when the client does.
  PoolTest() {
    sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> { co_await peer.read_until("the end"); });
    // One that sends a byte nobody asked for after 1 s, and closes after 2 s.
    sim.serve("10.0.0.2:80", [](Peer& peer) -> Task<> {
      (void)co_await sleep_for(1s);
      co_await peer.send("x");
      (void)co_await sleep_for(1s);
    });
    // One that closes after 1 s.
    sim.serve("10.0.0.3:80", [](Peer&) -> Task<> { (void)co_await sleep_for(1s); });
  }
  Task<H1Client*> open(Pool& pool, std::string_view at = "10.0.0.1:80") {
    const Address address = *parse_address(at);
    const Pool::Place place(pool);
    auto stream = co_await sim.engine().connect(address);
    CHECK(stream.has_value());
    co_return &pool.adopt(std::move(*stream), client_limits);
  }
  // `script` is Task<> of (Pool&).
  template <class Script>
  void run(Script script) {
    sim.run([&]() -> Task<> { return scene(script); });
  }
  template <class Script>
  Task<> scene(Script& script) {
    Pool pool(sim.loop(), limits);
    co_await script(pool);
  }

  PoolLimits limits{.connections_max = 3,
                    .idle_max = 2,
                    .idle_age_max = 10s,
                    .life_max = 60s,
                    .exchanges_max = 100};
  H1ClientLimits client_limits;
  Sim sim;
};

TEST_F(PoolTest, TheNewestIsTakenFirst) {
  run([&](Pool& pool) -> Task<> {
    H1Client* first = co_await open(pool);
    H1Client* second = co_await open(pool);
    EXPECT_EQ(pool.take(), nullptr);
    pool.put(*first, true);
    pool.put(*second, true);
    EXPECT_EQ(pool.idle(), 2u);
    EXPECT_EQ(pool.take(), second);
    EXPECT_EQ(pool.take(), first);
    EXPECT_EQ(pool.take(), nullptr);
    EXPECT_EQ(pool.count(), 2u);
    pool.put(*first, false);
    pool.put(*second, false);
    EXPECT_EQ(pool.count(), 0u) << "what may not be used again is closed";
  });
}

TEST_F(PoolTest, AnIdleOneIsClosedAtItsAge) {
  run([&](Pool& pool) -> Task<> {
    H1Client* first = co_await open(pool);
    H1Client* second = co_await open(pool);
    pool.put(*first, true);
    (void)co_await sleep_for(4s);
    pool.put(*second, true);
    (void)co_await sleep_for(6s - 1ns);
    EXPECT_EQ(pool.count(), 2u);
    (void)co_await sleep_for(2ns);
    EXPECT_EQ(pool.count(), 1u);
    (void)co_await sleep_for(4s - 2ns);
    EXPECT_EQ(pool.count(), 1u);
    (void)co_await sleep_for(2ns);
    EXPECT_EQ(pool.count(), 0u);
    EXPECT_EQ(pool.idle(), 0u);
  });
}

TEST_F(PoolTest, UseMakesItYoungAgain) {
  run([&](Pool& pool) -> Task<> {
    H1Client* c = co_await open(pool);
    for (int i = 0; i < 5; ++i) {
      pool.put(*c, true);
      (void)co_await sleep_for(9s);
      EXPECT_EQ(pool.take(), c);
    }
    pool.put(*c, true);
  });
}

TEST_F(PoolTest, ALifeEnds) {
  run([&](Pool& pool) -> Task<> {
    H1Client* c = co_await open(pool);
    for (int i = 0; i < 7; ++i) {
      pool.put(*c, true);
      (void)co_await sleep_for(8s);
      EXPECT_EQ(pool.take(), c);
    }
    pool.put(*c, true);
    (void)co_await sleep_for(4s);
    EXPECT_EQ(pool.take(), c) << "60 s are not over";
    (void)co_await sleep_for(1ns);
    pool.put(*c, true);
    EXPECT_EQ(pool.count(), 0u) << "too old to come back";
  });
}

TEST_F(PoolTest, TooOldToBeTaken) {
  limits.idle_age_max = 100s;
  run([&](Pool& pool) -> Task<> {
    pool.put(*co_await open(pool), true);
    (void)co_await sleep_for(60s + 1ns);
    EXPECT_EQ(pool.idle(), 1u);
    EXPECT_EQ(pool.take(), nullptr);
    EXPECT_EQ(pool.count(), 0u);
  });
}

TEST_F(PoolTest, NoMoreIdleOnesThanAllowed) {
  run([&](Pool& pool) -> Task<> {
    H1Client* all[] = {co_await open(pool), co_await open(pool), co_await open(pool)};
    for (H1Client* c : all) pool.put(*c, true);
    EXPECT_EQ(pool.idle(), 2u);
    EXPECT_EQ(pool.count(), 2u);
  });
}

TEST_F(PoolTest, ConnectsUnderWayCount) {
  run([&](Pool& pool) -> Task<> {
    H1Client* one = co_await open(pool);
    H1Client* two = co_await open(pool);
    EXPECT_FALSE(pool.full());
    {
      const Pool::Place third(pool);
      EXPECT_TRUE(pool.full());
      EXPECT_EQ(pool.connecting(), 1u);
    }
    EXPECT_FALSE(pool.full());
    pool.put(*one, true);
    pool.put(*two, false);
    EXPECT_EQ(pool.count(), 1u);
  });
}

TEST_F(PoolTest, UnreadBytesAreNeverTakenForAnAnswer) {
  run([&](Pool& pool) -> Task<> {
    H1Client* c = co_await open(pool, "10.0.0.2:80");
    pool.put(*c, true);
    (void)co_await sleep_for(1s);
    (void)co_await sleep_for(1ns);
    EXPECT_EQ(pool.idle(), 1u);
    EXPECT_EQ(pool.take(), nullptr);
    EXPECT_EQ(pool.count(), 0u);
  });
}

TEST_F(PoolTest, OneThatTheEndpointClosesLeavesAtOnce) {
  run([&](Pool& pool) -> Task<> {
    pool.put(*co_await open(pool), true);
    pool.put(*co_await open(pool, "10.0.0.3:80"), true);
    (void)co_await sleep_for(1s - 1ns);
    EXPECT_EQ(pool.idle(), 2u);
    (void)co_await sleep_for(2ns);
    EXPECT_EQ(pool.idle(), 1u);
    EXPECT_EQ(pool.count(), 1u);
    // The timer for the age of the other still stands.
    (void)co_await sleep_for(9s);
    EXPECT_EQ(pool.count(), 0u);
  });
}

TEST_F(PoolTest, OneThatWasClosedWhileInUseIsNotKept) {
  run([&](Pool& pool) -> Task<> {
    H1Client* c = co_await open(pool, "10.0.0.3:80");
    (void)co_await sleep_for(2s);
    pool.put(*c, true);
    EXPECT_EQ(pool.idle(), 0u);
    EXPECT_EQ(pool.count(), 0u);
    EXPECT_EQ(pool.take(), nullptr);
  });
}

TEST_F(PoolTest, AResetLeavesToo) {
  run([&](Pool& pool) -> Task<> {
    pool.put(*co_await open(pool), true);
    sim.world().reset("10.0.0.1");
    (void)co_await sleep_for(1ns);
    EXPECT_EQ(pool.count(), 0u);
  });
}

TEST_F(PoolTest, ClearClosesTheIdleOnes) {
  run([&](Pool& pool) -> Task<> {
    H1Client* used = co_await open(pool);
    pool.put(*co_await open(pool), true);
    pool.clear();
    EXPECT_EQ(pool.idle(), 0u);
    EXPECT_EQ(pool.count(), 1u);
    pool.put(*used, true);
    EXPECT_EQ(pool.idle(), 1u);
  });
}

}  // namespace
}  // namespace banyan
