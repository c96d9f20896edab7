#include "upstream/circuit.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/hash.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using State = Circuit::State;

class CircuitTest : public testing::Test {
 protected:
  CircuitTest() { make(3, 10s, 1); }
  void make(uint32_t failures, Nanoseconds open, uint32_t probes) {
    circuit = std::make_unique<Circuit>(
        BreakerSettings{.failures = failures, .open = open, .probes = probes});
  }
  // One whole exchange; false: it was refused.
  bool exchange(Outcome outcome) {
    auto pass = circuit->try_pass(now);
    pass.note(outcome, now);
    return bool(pass);
  }
  void fail(int n) {
    for (; n > 0; --n) EXPECT_TRUE(exchange(Outcome::failed));
  }
  State state() const { return circuit->status(now).state; }

  Time now{1000s};
  std::unique_ptr<Circuit> circuit;
};

TEST_F(CircuitTest, OpensAfterSoManyFailuresInARow) {
  fail(2);
  EXPECT_TRUE(exchange(Outcome::answered));
  fail(2);
  EXPECT_EQ(state(), State::closed);
  EXPECT_EQ(circuit->status(now).failures, 2u);
  fail(1);
  EXPECT_EQ(state(), State::open);
  EXPECT_FALSE(exchange(Outcome::answered));
  EXPECT_EQ(circuit->status(now).refused, 1u);
  EXPECT_EQ(circuit->status(now).opened, 1u);
}

TEST_F(CircuitTest, IsOpenForExactlySoLong) {
  fail(3);
  EXPECT_EQ(circuit->left(now), 10s);
  now += 10s - 1ns;
  EXPECT_FALSE(circuit->passable(now));
  EXPECT_FALSE(circuit->try_pass(now));
  EXPECT_EQ(circuit->left(now), 1ns);
  now += 1ns;
  EXPECT_EQ(state(), State::half_open);
  EXPECT_EQ(circuit->left(now), 0s);
  EXPECT_TRUE(circuit->passable(now));
  EXPECT_TRUE(circuit->try_pass(now));
}

TEST_F(CircuitTest, AProbeThatGoesWellClosesIt) {
  fail(3);
  now += 10s;
  auto probe = circuit->try_pass(now);
  EXPECT_FALSE(circuit->try_pass(now)) << "one at a time";
  EXPECT_TRUE(probe.note(Outcome::answered, now)) << "closed by this";
  EXPECT_EQ(state(), State::closed);
  fail(2);
  EXPECT_EQ(state(), State::closed) << "it counts from zero";
}

TEST_F(CircuitTest, AProbeThatFailsOpensItAnewForAsLong) {
  fail(3);
  now += 25s;
  EXPECT_TRUE(exchange(Outcome::failed));
  EXPECT_EQ(circuit->left(now), 10s);
  EXPECT_EQ(circuit->status(now).opened, 2u);
}

TEST_F(CircuitTest, AProbeWithoutAVerdictFreesItsPlace) {
  fail(3);
  now += 10s;
  {
    const auto probe = circuit->try_pass(now);
    EXPECT_EQ(circuit->status(now).probes, 1u);
    EXPECT_FALSE(circuit->passable(now));
  }
  EXPECT_EQ(state(), State::half_open);
  EXPECT_EQ(circuit->status(now).probes, 0u);
  EXPECT_TRUE(exchange(Outcome::answered));
  EXPECT_EQ(state(), State::closed);
}

TEST_F(CircuitTest, AMovedPassIsOne) {
  fail(3);
  now += 10s;
  auto probe = circuit->try_pass(now);
  Circuit::Pass moved(std::move(probe));
  EXPECT_FALSE(probe);  // NOLINT: that is what is tested
  Circuit::Pass assigned;
  assigned = std::move(moved);
  EXPECT_EQ(circuit->status(now).probes, 1u);
  assigned = Circuit::Pass();
  EXPECT_EQ(circuit->status(now).probes, 0u);
}

TEST_F(CircuitTest, SeveralProbesMustAllGoWell) {
  make(1, 10s, 3);
  fail(1);
  now += 10s;
  auto a = circuit->try_pass(now), b = circuit->try_pass(now), c = circuit->try_pass(now);
  EXPECT_TRUE(a && b && c);
  EXPECT_FALSE(circuit->try_pass(now));
  EXPECT_FALSE(a.note(Outcome::answered, now));
  EXPECT_FALSE(circuit->try_pass(now)) << "no more than are needed";
  c = Circuit::Pass();
  EXPECT_TRUE(circuit->passable(now)) << "one was given up";
  EXPECT_FALSE(b.note(Outcome::answered, now));
  auto d = circuit->try_pass(now);
  EXPECT_TRUE(d.note(Outcome::answered, now));
  EXPECT_EQ(state(), State::closed);
}

TEST_F(CircuitTest, OldNewsDoesNotCount) {
  auto early = circuit->try_pass(now);
  fail(3);
  EXPECT_FALSE(early.note(Outcome::answered, now));
  EXPECT_EQ(state(), State::open);
  now += 10s;
  auto slow_probe = circuit->try_pass(now);
  early.note(Outcome::failed, now);
  EXPECT_EQ(state(), State::half_open) << "it says nothing about now";
  slow_probe.note(Outcome::failed, now);
  now += 10s;
  auto probe = circuit->try_pass(now);
  EXPECT_TRUE(probe);
  slow_probe = Circuit::Pass();
  EXPECT_EQ(circuit->status(now).probes, 1u) << "a place of an earlier opening is not given back";
}

TEST_F(CircuitTest, BodiesThatBreakOffOpenItThoughTheirHeadsAreGood) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(state(), State::closed) << i;
    auto pass = circuit->try_pass(now);
    pass.note(Outcome::answered, now);
    pass.note(Outcome::broken, now);
  }
  EXPECT_EQ(state(), State::open);
}

TEST_F(CircuitTest, AWholeBodyWipesOutThoseThatBrokeOff) {
  for (const Outcome end :
       {Outcome::broken, Outcome::broken, Outcome::completed, Outcome::broken, Outcome::broken}) {
    auto pass = circuit->try_pass(now);
    pass.note(Outcome::answered, now);
    pass.note(end, now);
  }
  EXPECT_EQ(state(), State::closed);
}

TEST_F(CircuitTest, AfterBrokenBodiesAGoodHeadIsOnProbation) {
  const auto breaks_off = [&] {
    auto pass = circuit->try_pass(now);
    pass.note(Outcome::answered, now);
    pass.note(Outcome::broken, now);
  };
  for (int i = 0; i < 3; ++i) breaks_off();
  now += 10s;
  breaks_off();
  EXPECT_EQ(state(), State::open) << "the probe's own body broke off";
  now += 10s;
  auto probe = circuit->try_pass(now);
  EXPECT_TRUE(probe.note(Outcome::answered, now));
  probe.note(Outcome::completed, now);
  breaks_off();
  breaks_off();
  EXPECT_EQ(state(), State::closed) << "a whole body ends it";
}

TEST_F(CircuitTest, OfOneFailure) {
  make(1, 1ms, 1);
  for (int i = 0; i < 3; ++i) {
    fail(1);
    EXPECT_FALSE(circuit->try_pass(now));
    now += 1ms;
    EXPECT_TRUE(exchange(Outcome::answered));
  }
}

TEST_F(CircuitTest, NamesOfItsStates) {
  EXPECT_EQ(name(State::closed), "closed");
  EXPECT_EQ(name(State::open), "open");
  EXPECT_EQ(name(State::half_open), "half-open");
}

TEST(CircuitsTest, TheSameNameAndSettingsAreTheSameCircuit) {
  Circuits circuits;
  const BreakerSettings five{.failures = 5}, six{.failures = 6};
  const auto a = circuits.of("a", five);
  EXPECT_EQ(circuits.of("a", five), a);
  EXPECT_NE(circuits.of("b", five), a);
  auto other = circuits.of("a", six);
  EXPECT_NE(other, a);
  EXPECT_EQ(circuits.of("a", five), a) << "a new version that is given up harms nothing";
  EXPECT_EQ(circuits.of("a", six), other);
}

TEST(CircuitsTest, NobodysCircuitIsForgotten) {
  Circuits circuits;
  const BreakerSettings one{.failures = 1};
  circuits.of("a", one)->try_pass(Time{}).note(Outcome::failed, Time{});
  EXPECT_EQ(circuits.of("a", one)->status(Time{}).state, State::closed);
}

// For the thread sanitizer, and for exactness: in each round the circuit opens, and of all that ask
// in all threads exactly the probes may go.
TEST(CircuitsTest, ExactOverThreads) {
  constexpr uint32_t probes = 2;
  constexpr int rounds = 200, threads_count = 4, tries = 50;
  Circuit circuit({.failures = 3, .open = 1s, .probes = probes});
  Time now{1000s};
  for (int round = 0; round < rounds; ++round) {
    std::atomic<uint32_t> passed{0};
    for (int i = 0; i < 3; ++i) circuit.try_pass(now).note(Outcome::failed, now);
    ASSERT_EQ(circuit.status(now).state, State::open);
    now += 1s;
    std::vector<std::thread> threads;
    std::vector<std::vector<Circuit::Pass>> got(threads_count);
    for (auto& mine : got)
      threads.emplace_back([&] {
        for (int i = 0; i < tries; ++i) {
          auto pass = circuit.try_pass(now);
          if (!pass) continue;
          passed.fetch_add(1);
          mine.push_back(std::move(pass));
        }
      });
    for (auto& t : threads) t.join();
    EXPECT_EQ(passed.load(), probes);
    for (auto& mine : got)
      for (auto& pass : mine) pass.note(Outcome::answered, now);
    ASSERT_EQ(circuit.status(now).state, State::closed);
  }
  EXPECT_EQ(circuit.status(now).opened, uint64_t{rounds});
}

// Everything at once: whatever the threads do, no more probes are out than may be, and in the end
// it closes again.
TEST(CircuitsTest, ManyThreadsWithManyOutcomes) {
  constexpr uint32_t probes = 3;
  Circuit circuit({.failures = 2, .open = 1ns, .probes = probes});
  std::atomic<int64_t> clock{1};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (uint32_t i = 0; i < 20'000; ++i) {
        const Time now{Duration(clock.fetch_add(1))};
        auto pass = circuit.try_pass(now);
        EXPECT_LE(circuit.status(now).probes, probes);
        const uint64_t dice = spread(uint64_t{i} << 2 | t) >> 60;
        if (dice < 5) pass.note(Outcome::failed, now);
        if (dice >= 8) {
          pass.note(Outcome::answered, now);
          pass.note(dice == 8 ? Outcome::broken : Outcome::completed, now);
        }
      }
    });
  for (auto& t : threads) t.join();
  const Time now{Duration(clock.load() + 10)};
  EXPECT_GT(circuit.status(now).opened, 100u);
  EXPECT_EQ(circuit.status(now).probes, 0u) << "all places are free";
  for (uint32_t i = 0; i < probes; ++i) circuit.try_pass(now).note(Outcome::answered, now);
  EXPECT_EQ(circuit.status(now).state, State::closed);
}

}  // namespace
}  // namespace banyan
