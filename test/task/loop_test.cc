#include "task/loop.h"

#include <set>
#include <thread>
#include <vector>

#include "task/nursery.h"
#include "task/virtual_loop.h"

namespace banyan {
namespace {

using LoopTest = VirtualLoop;

TEST_F(LoopTest, RandomIsRepeatableBySeed) {
  Loop a(poller, 9), b(poller, 9), c(poller, 10);
  std::set<uint64_t> seen;
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t x = a.random();
    EXPECT_EQ(x, b.random());
    differs |= x != c.random();
    seen.insert(x);
  }
  EXPECT_TRUE(differs);
  EXPECT_EQ(seen.size(), 1000u);
}

TEST_F(LoopTest, RandomBelowStaysBelowAndReachesAll) {
  for (const uint64_t bound : {uint64_t{1}, uint64_t{2}, uint64_t{7}}) {
    std::vector<int> hits(bound, 0);
    for (int i = 0; i < 700; ++i) {
      const uint64_t x = loop.random_below(bound);
      ASSERT_LT(x, bound);
      ++hits[x];
    }
    for (int h : hits) EXPECT_GT(h, 50);
  }
}

TEST_F(LoopTest, TheClocksGoTogether) {
  const WallTime wall = loop.wall();
  run([&] { return nap(1500ms); });
  EXPECT_EQ(loop.wall() - wall, 1500ms);
  EXPECT_EQ(elapsed(), 1500ms);
}

TEST_F(LoopTest, TimeStandsStillWithinATurn) {
  run([&]() -> Task<> {
    const Time before = loop.now();
    poller.pass(5ms);
    EXPECT_EQ(loop.now(), before);
    EXPECT_TRUE(co_await sleep_for(0ns));
    EXPECT_EQ(loop.now(), before + 5ms);
  });
  EXPECT_EQ(loop.take_longest_turn(), 5ms);
  EXPECT_EQ(loop.take_longest_turn(), 0ns);
}

TEST_F(LoopTest, WhatIsPostedWhileTheQueueRunsWaitsForTheNextTurn) {
  std::vector<uint64_t> turns;
  auto spin = [&]() -> Task<> {
    struct Post {
      Loop& home;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> h) { home.post(h); }
      void await_resume() const noexcept {}
    };
    for (int i = 0; i < 4; ++i) {
      co_await Post{loop};
      turns.push_back(poller.waits);
    }
  };
  run([&]() -> Task<> { co_await spin(); });
  for (size_t i = 1; i < turns.size(); ++i) EXPECT_EQ(turns[i], turns[i - 1] + 1);
}

TEST_F(LoopTest, TheBudgetIsSpentAndGivenAnew) {
  std::vector<int> spent;
  auto spender = [&]() -> Task<> {
    EXPECT_TRUE(co_await sleep_for(1us));
    int n = 0;
    while (loop.spend()) ++n;
    EXPECT_FALSE(loop.spend());
    spent.push_back(n);
  };
  run([&]() -> Task<> {
    Nursery both(co_await current_context());
    // Each coroutine that the loop resumes has a budget of its own.
    both.start([&] { return spender(); });
    both.start([&] { return spender(); });
    co_await both.join();
  });
  EXPECT_EQ(spent, (std::vector{64, 64}));
}

TEST_F(LoopTest, ResumeGivesABudgetToo) {
  std::coroutine_handle<> waiting;
  struct Hold {
    std::coroutine_handle<>& at;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) { at = h; }
    void await_resume() const noexcept {}
  };
  int n = 0;
  auto spender = [&]() -> Task<> {
    co_await Hold{waiting};
    while (loop.spend()) ++n;
  };
  run_root([&] { return spender(); }).start(context);
  while (loop.spend()) {
  }
  loop.resume(waiting);
  EXPECT_EQ(n, 64);
}

TEST_F(LoopTest, MessagesRunInOrderAndMaySendMore) {
  std::vector<int> ran;
  loop.send([&] {
    ran.push_back(1);
    loop.send([&] { ran.push_back(3); });
  });
  loop.send([&] { ran.push_back(2); });
  EXPECT_TRUE(loop.turn());
  EXPECT_EQ(ran, (std::vector{1, 2}));
  // The last message runs in this turn, and then nothing can ever happen any more: it says so.
  EXPECT_FALSE(loop.turn());
  EXPECT_EQ(ran, (std::vector{1, 2, 3}));
}

TEST_F(LoopTest, MessagesOfManyThreadsRunOnceEach) {
  constexpr size_t threads = 6, each = 400;
  std::vector<std::vector<size_t>> seen(threads);
  std::vector<std::thread> senders;
  for (size_t t = 0; t < threads; ++t)
    senders.emplace_back([&, t] {
      for (size_t i = 0; i < each; ++i) loop.send([&seen, t, i] { seen[t].push_back(i); });
    });
  for (auto& s : senders) s.join();
  for (int i = 0; i < 3; ++i) loop.turn();
  for (const auto& of_one : seen) {
    ASSERT_EQ(of_one.size(), each);
    for (size_t i = 0; i < each; ++i) EXPECT_EQ(of_one[i], i);
  }
}

TEST_F(LoopTest, AStuckLoopSaysSo) {
  EXPECT_FALSE(loop.turn());
  struct Probe final : Timer {
    void fire() noexcept override { ++fired; }
    int fired = 0;
  } probe;
  loop.arm(probe, loop.now() + 1s);
  EXPECT_TRUE(loop.turn());
  EXPECT_EQ(probe.fired, 1);
  EXPECT_EQ(elapsed(), 1s);
  EXPECT_FALSE(loop.turn());
}

TEST_F(LoopTest, StopEndsRun) {
  auto stopper = [&]() -> Task<> {
    EXPECT_TRUE(co_await sleep_for(3ms));
    loop.stop();
  };
  run_root([&] { return stopper(); }).start(context);
  loop.run();
  EXPECT_EQ(elapsed(), 3ms);
}

// Work that ends before the loop runs says stop() then; forgetting it would mean to run for ever.
TEST_F(LoopTest, AStopBeforeRunEndsItAtOnce) {
  loop.stop();
  loop.run();
  EXPECT_EQ(elapsed(), 0ns);
  auto stopper = [&]() -> Task<> {
    EXPECT_TRUE(co_await sleep_for(3ms));
    loop.stop();
  };
  run_root([&] { return stopper(); }).start(context);
  loop.run();  // and it is forgotten then
  EXPECT_EQ(elapsed(), 3ms);
}

TEST_F(LoopTest, TimersOfOneMomentFireInTheOrderOfArming) {
  std::vector<int> order;
  run([&]() -> Task<> {
    Nursery all(co_await current_context());
    auto sleeper = [&](int i) -> Task<> {
      EXPECT_TRUE(co_await sleep_for(7ms));
      order.push_back(i);
    };
    for (int i = 0; i < 20; ++i) all.start([&, i] { return sleeper(i); });
    co_await all.join();
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

}  // namespace
}  // namespace banyan
