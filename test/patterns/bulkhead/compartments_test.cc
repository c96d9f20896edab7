#include "patterns/bulkhead/compartments.h"

#include <gtest/gtest.h>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

TEST(Compartments, OneOfANameForAll) {
  Compartments all;
  const auto a = all.of("a", {.concurrency = 3});
  EXPECT_EQ(all.of("a", {.concurrency = 5}), a);
  EXPECT_EQ(a->status().limit, 3u) << "what is only prepared changes nothing";
  EXPECT_NE(all.of("b", {.concurrency = 3}), a);
}

TEST(Compartments, AreForgottenWhenNobodyHoldsThem) {
  Compartments all;
  const auto b = all.of("b", {});
  auto a = all.of("a", {.concurrency = 3});
  ASSERT_EQ(all.all().size(), 2u);
  EXPECT_EQ(all.all().front(), std::pair(std::string("a"), a));
  a.reset();
  ASSERT_EQ(all.all().size(), 1u);
  EXPECT_EQ(all.all().front().second, b);
  EXPECT_EQ(all.of("a", {.concurrency = 5})->status().limit, 5u);
}

TEST(Compartments, NewLimitsLetInThoseThatWait) {
  Sim sim;
  Compartments all;
  const auto one = all.of("a", {.concurrency = 1, .queue = 9});
  std::string told;
  sim.run([&]() -> Task<> {
    Nursery calls(co_await current_context());
    const auto call = [&]() -> Task<> {
      auto permit = co_await one->acquire({.key = ""});
      EXPECT_TRUE(permit);
      told += std::to_string(sim.elapsed() / 1ms) + " ";
      (void)co_await sleep_for(50ms);
    };
    for (int i = 0; i < 3; ++i) calls.start([&] { return call(); });
    (void)co_await sleep_for(10ms);
    all.set_limits("unknown", {.concurrency = 9}, sim.loop());
    all.set_limits("a", {.concurrency = 2, .queue = 9}, sim.loop());
    co_await calls.join();
  });
  EXPECT_EQ(told, "0 10 50 ");
}

}  // namespace
}  // namespace banyan
