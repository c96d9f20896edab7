#include "patterns/bulkhead/gradient.h"

#include <gtest/gtest.h>

#include "patterns/bulkhead/compartment.h"
#include "sim/run.h"
#include "task/sync.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

// Answers that all take the same, with so many in flight; time goes on by a millisecond each.
class GradientTest : public testing::Test {
 protected:
  void answer(int n, Duration took, uint32_t in_flight) {
    for (; n > 0; --n) gradient.sample(took, in_flight, now += 1ms);
  }
  // Until the first probe is over and something is known.
  void know(Duration normal) {
    answer(100, normal, 100);
    answer(150, normal, 10);  // the probe, and a whole window
    ASSERT_FALSE(gradient.probing());
    ASSERT_EQ(gradient.normal(), normal);
  }

  Gradient gradient{{.least = 2, .most = 100}};
  Time now{};
};

TEST_F(GradientTest, BeginsWithTheMostThereMayBe) {
  EXPECT_EQ(gradient.limit(), 100u);
  EXPECT_EQ(gradient.normal(), 0ns);
}

TEST_F(GradientTest, ItsFirstProbeGoesWithAQuarterOfTheLoad) {
  answer(99, 10ms, 80);
  EXPECT_FALSE(gradient.probing());
  answer(1, 10ms, 80);
  EXPECT_TRUE(gradient.probing());
  EXPECT_EQ(gradient.limit(), 20u);
  answer(100, 10ms, 50);
  EXPECT_TRUE(gradient.probing()) << "those of before the probe prove nothing";
  answer(20, 9ms, 20);
  answer(19, 4ms, 20);
  EXPECT_TRUE(gradient.probing());
  answer(1, 4ms, 20);
  EXPECT_FALSE(gradient.probing());
  EXPECT_EQ(gradient.normal(), 4ms) << "the first 20 had the company of the others";
}

TEST_F(GradientTest, AProbeHasAnEnd) {
  answer(100, 10ms, 80);
  ASSERT_TRUE(gradient.probing());
  EXPECT_FALSE(gradient.check(now + 199ms));
  EXPECT_TRUE(gradient.check(now + 200ms)) << "20 answers one after the other";
  EXPECT_FALSE(gradient.probing());
  EXPECT_EQ(gradient.limit(), 100u);
  EXPECT_EQ(gradient.normal(), 10ms) << "nothing new was learned";
}

TEST_F(GradientTest, FewAnswersOfAProbeAreBetterThanNone) {
  answer(100, 10ms, 80);
  answer(20, 10ms, 20);
  answer(3, 5ms, 20);
  EXPECT_TRUE(gradient.check(now + 200ms));
  EXPECT_EQ(gradient.normal(), 5ms);
}

TEST_F(GradientTest, SlowAnswersLowerTheLimitByTheirRatio) {
  know(10ms);
  answer(100, 20ms, 100);
  // 0.7 of 100, and 0.3 of 100 * 1.5 / 2 + 10.
  EXPECT_EQ(gradient.limit(), 95u);
  answer(95, 1000ms, 95);
  EXPECT_EQ(gradient.limit(), 84u) << "never to less than half at once, of which 0.3";
}

TEST_F(GradientTest, QuickAnswersRaiseALimitThatIsUsed) {
  know(10ms);
  answer(100, 1000ms, 100);
  const uint32_t low = gradient.limit();
  ASSERT_LT(low, 100u);
  answer(100, 10ms, 20);
  EXPECT_EQ(gradient.limit(), low) << "20 in flight prove nothing for more";
  answer(100, 10ms, low);
  EXPECT_GT(gradient.limit(), low);
}

TEST_F(GradientTest, SomewhatSlowerIsStillNormal) {
  know(10ms);
  answer(1000, 15ms, 100);
  EXPECT_EQ(gradient.limit(), 100u);
}

TEST_F(GradientTest, ItIsMeasuredAnewWhenTheLimitHasFallenByHalf) {
  know(10ms);
  int answers = 0;
  while (!gradient.probing() && answers < 5000) {
    answer(1, 100ms, gradient.limit());
    ++answers;
  }
  EXPECT_LT(answers, 600);
  EXPECT_LE(gradient.limit(), 50u / 2);
  answer(100, 100ms, gradient.limit());
  EXPECT_EQ(gradient.normal(), 100ms) << "it is not the load: this is what it takes now";
}

TEST_F(GradientTest, ItIsMeasuredAnewWhenALoadIsMuchQuickerThanNormal) {
  know(90ms);
  answer(100, 61ms, 100);
  EXPECT_FALSE(gradient.probing()) << "somewhat quicker";
  answer(100, 59ms, 100);
  EXPECT_TRUE(gradient.probing()) << "little by little, but much quicker than it was measured";
  answer(50, 10ms, 25);
  EXPECT_FALSE(gradient.probing());
  EXPECT_EQ(gradient.normal(), 10ms) << "the rest of the 59 was load";
}

TEST_F(GradientTest, WithoutLoadQuickerAnswersAreTheNewNormal) {
  know(90ms);
  answer(1500, 20ms, 10);
  EXPECT_FALSE(gradient.probing()) << "nothing is held back for it";
  EXPECT_NEAR(static_cast<double>(gradient.normal().count()), 20e6, 1e5);
}

TEST_F(GradientTest, AServiceThatHangsLosesItsLimit) {
  know(10ms);
  for (int i = 0; i < 5000; ++i) gradient.unanswered(30s, gradient.limit(), now += 1s);
  EXPECT_EQ(gradient.limit(), 4u) << "half of 4 and its root are 4 again";
  EXPECT_EQ(gradient.normal(), 10ms) << "hanging does not become normal";
  answer(5000, 10ms, 100);
  EXPECT_EQ(gradient.limit(), 100u) << "it is trusted again when it answers";
}

TEST_F(GradientTest, QuickFailuresAreNoQuickAnswers) {
  know(10ms);
  answer(99, 1000ms, 100);
  for (int i = 0; i < 1000; ++i) gradient.unanswered(1ms, 100, now += 1ms);
  EXPECT_EQ(gradient.limit(), 100u) << "the window of slow answers is not full yet";
  EXPECT_EQ(gradient.normal(), 10ms);
  answer(1, 1000ms, 100);
  EXPECT_LT(gradient.limit(), 90u);
}

TEST_F(GradientTest, WithoutASingleAnswerNothingIsNormal) {
  for (int i = 0; i < 1000; ++i) gradient.unanswered(30s, 100, now += 1s);
  EXPECT_EQ(gradient.limit(), 100u);
  EXPECT_EQ(gradient.normal(), 0ns);
}

TEST_F(GradientTest, ItKeepsItsBoundsWhateverComes) {
  uint64_t dice = 1;
  for (int i = 0; i < 200'000; ++i) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    const auto took = Duration((dice >> 33) % 5 == 0 ? int64_t{1} << (dice >> 58) % 63
                                                     : static_cast<int64_t>(dice >> 40));
    gradient.sample(took - 5ns, static_cast<uint32_t>(dice >> 57), now += Duration(dice >> 44));
    ASSERT_GE(gradient.limit(), 2u);
    ASSERT_LE(gradient.limit(), 100u);
  }
}

TEST(GradientBoundsTest, WithoutRoomBetweenThemItStaysWhereItIs) {
  Gradient gradient({.least = 7, .most = 7});
  Time now{};
  for (int i = 0; i < 10'000; ++i) {
    gradient.sample(Duration(i % 1000 * 1ms), 7, now += 1ms);
    ASSERT_EQ(gradient.limit(), 7u);
  }
  EXPECT_FALSE(gradient.probing());
}

// ---- A service that can do `capacity` things at once, behind a compartment that has to find out;
// clients that ask again and again. Everything is counted in answers, so the speed does not matter.
class Converges : public testing::Test {
 protected:
  static constexpr uint32_t most = 200;

  Task<> client() {
    Loop& loop = (co_await current_context()).loop;
    while (answers < until) {
      auto permit = co_await compartment.acquire({.key = ""});
      EXPECT_TRUE(permit) << permit.error().what;
      if (!permit) co_return;
      co_await serve(loop);
      permit->answered({});
      ++answers;
      lowest = std::min(lowest, compartment.status().limit);
      highest = std::max(highest, compartment.status().limit);
    }
  }
  // Its time varies by a fifth around its mean.
  Task<> serve(Loop& loop) {
    auto place = co_await (slow ? slow_places : places).acquire();
    EXPECT_TRUE(place);
    const auto mean = static_cast<uint64_t>(takes.count());
    (void)co_await sleep_for(
        Duration(static_cast<int64_t>(mean - mean / 5 + loop.random_below(mean * 2 / 5))));
  }
  // So many answers more.
  void ask(int more, int clients = 100) {
    lowest = UINT32_MAX;
    highest = 0;
    until = answers + more;
    sim.run([this, clients]() -> Task<> {
      Nursery all(co_await current_context());
      for (int i = 0; i < clients; ++i) all.start([this] { return client(); });
      co_await all.join();
    });
  }
  // The limit that is found for a capacity: 1.5 of it, and room for a queue.
  void expect_limit_for(uint32_t capacity) const {
    EXPECT_LE(compartment.status().limit, 3 * capacity);
    EXPECT_GE(compartment.status().limit, capacity);
  }

  Sim sim;
  Compartment compartment{
      {.concurrency = most, .queue = 1000, .wait = 1h, .adaptive = GradientBounds{1, most}}};
  Semaphore places{20, 10'000};
  Semaphore slow_places{5, 10'000};
  bool slow = false;
  Duration takes = 10ms;
  int answers = 0, until = 0;
  uint32_t lowest = 0, highest = 0;
};

TEST_F(Converges, ToTheCapacityOfAService) {
  ask(3000);
  expect_limit_for(20);
}

TEST_F(Converges, AfterAStepDownOfTheCapacity) {
  ask(3000);
  slow = true;
  ask(2000);
  expect_limit_for(5);
}

TEST_F(Converges, AfterAStepUpOfTheCapacity) {
  slow = true;
  ask(3000);
  slow = false;
  ask(3000);
  expect_limit_for(20);
}

TEST_F(Converges, AfterAStepOfTheLatencyThatIsNotOfTheLoad) {
  ask(3000);
  takes = 50ms;
  ask(2000);
  expect_limit_for(20);
  takes = 10ms;
  ask(2000);
  expect_limit_for(20);
}

TEST_F(Converges, AndStaysThereUnderALoadThatNeverEnds) {
  ask(5000);
  ask(40'000);
  expect_limit_for(20);
  EXPECT_LE(highest, 60u) << "what is always slow does not become normal";
}

TEST_F(Converges, ButLimitsNobodyWhileTheServiceIsQuick) {
  ask(5000, 15);
  EXPECT_EQ(highest, most);
  EXPECT_EQ(compartment.status().waited, 0u);
}

}  // namespace
}  // namespace banyan
