#include "patterns/bulkhead/compartment.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <thread>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class CompartmentTest : public testing::Test {
 protected:
  // Asks for a permit at `at` and holds it for `hold`; notes when it came, or why not.
  Task<> call(std::string name, Duration at, Duration hold, std::string key = "",
              Duration deadline = Duration::max()) {
    (void)co_await sleep_for(at);
    if (deadline == Duration::max())
      co_await ask(name, hold, key);
    else
      co_await within{deadline, ask(name, hold, key)};
  }
  Task<> ask(std::string name, Duration hold, std::string key) {
    auto permit = co_await compartment->acquire({.key = key});
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(sim.elapsed()).count();
    if (!permit) {
      told += name + "@" + std::to_string(ms) + ":" + permit.error().what + "\n";
      co_return;
    }
    told += name + "@" + std::to_string(ms) + "\n";
    (void)co_await sleep_for(hold);
    permit->answered({});
  }
  template <class... Calls>
  void run(const CompartmentLimits& limits, Calls... calls) {
    compartment.emplace(limits);
    sim.run([&]() -> Task<> {
      Nursery all(co_await current_context());
      (all.start(calls), ...);
      co_await all.join();
    });
    EXPECT_EQ(compartment->status().in_flight, 0u);
    EXPECT_EQ(compartment->status().queued, 0u);
  }
  Task<> reconfigure() {
    (void)co_await sleep_for(10ms);
    compartment->configure({.concurrency = 2, .queue = 9});
    compartment->wake((co_await current_context()).loop);
  }
  auto at(std::string name, Duration when, Duration hold, std::string key = "",
          Duration deadline = Duration::max()) {
    return [=, this] { return call(name, when, hold, key, deadline); };
  }

  Sim sim;
  std::optional<Compartment> compartment;
  std::string told;
};

TEST_F(CompartmentTest, NeverMoreThanItsPermits) {
  run({.concurrency = 2, .queue = 8}, at("a", 0ms, 100ms), at("b", 0ms, 50ms), at("c", 0ms, 10ms),
      at("d", 0ms, 10ms));
  EXPECT_EQ(told, "a@0\nb@0\nc@50\nd@60\n");
  EXPECT_EQ(compartment->status().admitted, 4u);
  EXPECT_EQ(compartment->status().waited, 2u);
  EXPECT_EQ(compartment->status().waited_for, 110ms);
}

TEST_F(CompartmentTest, AFullQueueRefusesAtOnce) {
  run({.concurrency = 1, .queue = 1}, at("a", 0ms, 50ms), at("b", 0ms, 1ms), at("c", 0ms, 1ms));
  EXPECT_EQ(told, "a@0\nc@0:the compartment is full, and so is its queue\nb@50\n");
  EXPECT_EQ(compartment->status().refused_full, 1u);
}

TEST_F(CompartmentTest, WithoutAQueueNobodyWaits) {
  run({.concurrency = 1}, at("a", 0ms, 50ms), at("b", 1ms, 1ms));
  EXPECT_EQ(told, "a@0\nb@1:the compartment is full, and so is its queue\n");
}

TEST_F(CompartmentTest, AWaitHasAnEnd) {
  run({.concurrency = 1, .queue = 5, .wait = 20ms}, at("a", 0ms, 50ms), at("b", 10ms, 1ms));
  EXPECT_EQ(told, "a@0\nb@30:no permit of the compartment came free in time\n");
  EXPECT_EQ(compartment->status().refused_waited, 1u);
}

TEST_F(CompartmentTest, OneThatIsCalledOffLeavesTheQueue) {
  run({.concurrency = 1, .queue = 5}, at("a", 0ms, 50ms), at("b", 0ms, 1ms, "", 20ms),
      at("c", 1ms, 1ms));
  EXPECT_EQ(told, "a@0\nb@20:called off while waiting for a permit\nc@50\n");
}

TEST_F(CompartmentTest, WhatCannotBeInTimeIsRefusedAtOnce) {
  // A call takes 50 ms; of one that has 60 ms and must wait for 50 of them nothing good can come.
  run({.concurrency = 1, .queue = 5}, at("a", 0ms, 50ms), at("b", 60ms, 50ms),
      at("c", 61ms, 50ms, "", 60ms), at("d", 62ms, 1ms));
  EXPECT_EQ(told,
            "a@0\nb@60\nc@61:the compartment is full, and the wait would be too long\nd@110\n");
  EXPECT_EQ(compartment->status().refused_late, 1u);
}

TEST_F(CompartmentTest, WhoBecomesTooLateLeavesTheQueueThen) {
  // A call takes 50 ms, so one that must be done at 175 must begin by 125; its place is free then.
  run({.concurrency = 1, .queue = 1}, at("a", 0ms, 50ms), at("b", 60ms, 90ms),
      at("c", 70ms, 50ms, "", 105ms), at("d", 126ms, 1ms), at("e", 127ms, 1ms));
  EXPECT_EQ(told,
            "a@0\nb@60\nc@125:the compartment is full, and the wait would be too long\n"
            "e@127:the compartment is full, and so is its queue\nd@150\n");
  EXPECT_EQ(compartment->status().refused_late, 1u);
  EXPECT_EQ(compartment->status().refused_full, 1u);
}

TEST_F(CompartmentTest, WhatIsNotLentIsThereForWhoComesBack) {
  // Of four places a flood may have three; the fourth is for who has none.
  run({.concurrency = 4, .queue = 9, .keyed = true, .lend = 75'00}, at("f1", 0ms, 100ms, "f"),
      at("f2", 0ms, 100ms, "f"), at("f3", 0ms, 90ms, "f"), at("f4", 0ms, 10ms, "f"),
      at("a1", 10ms, 20ms, "a"), at("a2", 11ms, 10ms, "a"), at("b", 12ms, 10ms, "b"));
  EXPECT_EQ(told, "f1@0\nf2@0\nf3@0\na1@10\nb@30\na2@40\nf4@90\n");
}

TEST_F(CompartmentTest, WhatIsKeptIsForAllThatHaveLess) {
  run({.concurrency = 4, .queue = 9, .keyed = true, .lend = 50'00}, at("f1", 0ms, 100ms, "f"),
      at("f2", 0ms, 100ms, "f"), at("f3", 0ms, 10ms, "f"), at("a1", 10ms, 50ms, "a"),
      at("a2", 11ms, 30ms, "a"), at("b", 12ms, 10ms, "b"));
  EXPECT_EQ(told, "f1@0\nf2@0\na1@10\na2@11\nb@41\nf3@100\n") << "but nobody is over the limit";
}

TEST_F(CompartmentTest, WithAllLentNobodyIsKeptAPlace) {
  run({.concurrency = 2, .queue = 9, .keyed = true}, at("f1", 0ms, 100ms, "f"),
      at("f2", 0ms, 100ms, "f"), at("a", 10ms, 1ms, "a"));
  EXPECT_EQ(told, "f1@0\nf2@0\na@100\n");
}

TEST_F(CompartmentTest, OnePlaceIsLentWhateverTheShare) {
  run({.concurrency = 1, .queue = 9, .keyed = true, .lend = 1'00}, at("f1", 0ms, 10ms, "f"),
      at("f2", 0ms, 10ms, "f"), at("a", 1ms, 10ms, "a"));
  EXPECT_EQ(told, "f1@0\na@10\nf2@20\n");
}

TEST_F(CompartmentTest, AFloodMakesNobodyElseTooLate) {
  // Ten of a flood wait, 10 ms each; the other tenant is next all the same, and so in time.
  Compartment flooded({.concurrency = 1, .queue = 99, .keyed = true});
  std::string got;
  sim.run([&]() -> Task<> {
    Nursery all(co_await current_context());
    const auto one = [&](std::string key, Duration hold) -> Task<> {
      auto permit = co_await flooded.acquire({.key = key});
      got += permit ? key : std::string("!");
      (void)co_await sleep_for(hold);
      if (permit) permit->answered({});
    };
    const auto timely = [&]() -> Task<> { co_await within{30ms, one("b", 10ms)}; };
    co_await one("a", 10ms);
    for (int i = 0; i < 10; ++i) all.start([&] { return one("a", 10ms); });
    all.start([&] { return timely(); });
    co_await all.join();
  });
  EXPECT_EQ(got, "aabaaaaaaaaa");
  EXPECT_EQ(flooded.status().refused_late, 0u);
}

TEST_F(CompartmentTest, KeysShareFairly) {
  run({.concurrency = 1, .queue = 9, .keyed = true}, at("a1", 0ms, 10ms, "a"),
      at("a2", 1ms, 10ms, "a"), at("a3", 2ms, 10ms, "a"), at("b1", 3ms, 10ms, "b"));
  EXPECT_EQ(told, "a1@0\nb1@10\na2@20\na3@30\n");
}

TEST_F(CompartmentTest, WithoutSharesKeysMeanNothing) {
  run({.concurrency = 1, .queue = 9}, at("a1", 0ms, 10ms, "a"), at("a2", 1ms, 10ms, "a"),
      at("a3", 2ms, 10ms, "a"), at("b1", 3ms, 10ms, "b"));
  EXPECT_EQ(told, "a1@0\na2@10\na3@20\nb1@30\n");
}

TEST_F(CompartmentTest, WhoIsRefusedIsToldWhenToComeAgain) {
  run({.concurrency = 1}, at("a", 0ms, 10ms));
  EXPECT_EQ(compartment->retry_after_seconds(), 1u);
  run({.concurrency = 1}, at("a", 0ms, 2400ms));
  EXPECT_EQ(compartment->retry_after_seconds(), 3u) << "not a moment too early";
  run({.concurrency = 2}, at("a", 0ms, 2400ms));
  EXPECT_EQ(compartment->retry_after_seconds(), 2u);
  run({.concurrency = 1}, at("a", 0ms, 1h));
  EXPECT_EQ(compartment->retry_after_seconds(), 60u);
}

TEST_F(CompartmentTest, AnAdaptiveLimitHearsOfCallsThatHang) {
  compartment.emplace(CompartmentLimits{.concurrency = 20, .adaptive = GradientBounds{1, 20}});
  const auto one = [&](Duration hold, auto end) -> Task<> {
    auto permit = co_await compartment->acquire({.key = ""});
    EXPECT_TRUE(permit);
    if (!permit) co_return;
    (void)co_await sleep_for(hold);
    ((*permit).*end)({});
  };
  sim.run([&]() -> Task<> {
    for (int i = 0; i < 100; ++i) co_await one(10ms, &Compartment::Permit::answered);
    EXPECT_EQ(compartment->status().limit, 20u);
    for (int i = 0; i < 100; ++i) co_await one(10s, &Compartment::Permit::unanswered);
  });
  EXPECT_LT(compartment->status().limit, 15u);
}

TEST_F(CompartmentTest, AFloodMakesRoomForTheOthers) {
  run({.concurrency = 1, .queue = 2, .keyed = true}, at("a1", 0ms, 10ms, "a"),
      at("a2", 1ms, 10ms, "a"), at("a3", 2ms, 10ms, "a"), at("b1", 3ms, 10ms, "b"));
  EXPECT_EQ(told, "a1@0\na3@3:the compartment is full, and so is its queue\nb1@10\na2@20\n");
}

TEST_F(CompartmentTest, UnderOverloadTheNewestGoFirst) {
  run({.concurrency = 1, .queue = 9}, at("a", 0ms, 150ms), at("b", 1ms, 10ms), at("c", 2ms, 10ms),
      at("d", 3ms, 10ms));
  EXPECT_EQ(told, "a@0\nd@150\nc@160\nb@170\n");
}

TEST_F(CompartmentTest, BytesAreBounded) {
  compartment.emplace(CompartmentLimits{.concurrency = 9, .queue = 9, .bytes = 100});
  std::string order;
  sim.run([&]() -> Task<> {
    Nursery all(co_await current_context());
    const auto one = [&](uint64_t bytes, Duration hold) {
      return [&, bytes, hold]() -> Task<> {
        auto permit = co_await compartment->acquire({.key = "", .bytes = bytes});
        order += std::to_string(bytes) + "@" + std::to_string(sim.elapsed() / 1ms) + " ";
        (void)co_await sleep_for(hold);
      };
    };
    const auto a = one(60, 10ms), b = one(60, 10ms), c = one(1, 10ms), d = one(5000, 10ms);
    all.start([&] { return a(); });
    all.start([&] { return b(); });
    all.start([&] { return c(); });
    all.start([&] { return d(); });
    co_await all.join();
  });
  EXPECT_EQ(order, "60@0 60@10 1@10 5000@20 ") << "in their order; too large counts as the bound";
}

TEST_F(CompartmentTest, OneThatIsTooLargeForNowHoldsUpSmallerOnesOnlyWhileItWaits) {
  compartment.emplace(CompartmentLimits{.concurrency = 9, .queue = 9, .wait = 20ms, .bytes = 100});
  std::string order;
  sim.run([&]() -> Task<> {
    Nursery all(co_await current_context());
    const auto one = [&](uint64_t bytes, Duration at) -> Task<> {
      (void)co_await sleep_for(at);
      auto permit = co_await compartment->acquire({.key = "", .bytes = bytes});
      order +=
          std::to_string(bytes) + (permit ? "@" : "!") + std::to_string(sim.elapsed() / 1ms) + " ";
      (void)co_await sleep_for(50ms);
    };
    all.start([&] { return one(60, 0ms); });
    all.start([&] { return one(80, 1ms); });
    all.start([&] { return one(10, 2ms); });
    co_await all.join();
  });
  EXPECT_EQ(order, "60@0 10@21 80!21 ");
}

TEST_F(CompartmentTest, MorePermitsAfterAReload) {
  run({.concurrency = 1, .queue = 9}, at("a", 0ms, 50ms), at("b", 1ms, 50ms),
      [&] { return reconfigure(); });
  EXPECT_EQ(told, "a@0\nb@10\n");
}

// ---- Over threads, with real time: what must hold is a count.

class Never final : public Poller {
 public:
  Time now() override { return Time(std::chrono::steady_clock::now().time_since_epoch()); }
  WallTime wall() override { return {}; }
  bool wait(Time until) override {
    std::unique_lock lock(mutex_);
    if (until == never)
      changed_.wait(lock, [&] { return woken_; });
    else
      changed_.wait_until(lock, std::chrono::steady_clock::time_point(until.time_since_epoch()),
                          [&] { return woken_; });
    woken_ = false;
    return true;
  }
  void dispatch() override {}
  void wake() override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

struct Counted {
  std::atomic<int> now{0}, most{0}, got{0}, refused{0};
};

Task<> take_and_give(Compartment& compartment, Counted& counted, std::string key) {
  Loop& loop = (co_await current_context()).loop;
  for (int i = 0; i < 300; ++i) {
    auto permit = co_await compartment.acquire({.key = key});
    if (!permit) {
      ++counted.refused;
      continue;
    }
    const int now = ++counted.now;
    int most = counted.most.load();
    while (most < now && !counted.most.compare_exchange_weak(most, now)) {
    }
    ++counted.got;
    if (loop.random_below(4) == 0) (void)co_await sleep_for(20us);
    --counted.now;
  }
}

void work(Compartment& compartment, Counted& counted, uint64_t seed) {
  Never poller;
  Loop loop(poller, seed);
  Cancel cancel;
  Context context{loop, cancel};
  const auto main = [&]() -> Task<> {
    Nursery all(co_await current_context());
    for (int i = 0; i < 6; ++i)
      all.start([&, i] { return take_and_give(compartment, counted, std::to_string(i % 3)); });
    co_await all.join();
  };
  run_root([&] {
    return main();
  }).start(context, [](void* l) { static_cast<Loop*>(l)->stop(); }, &loop);
  loop.run();
}

TEST(CompartmentThreads, TheLimitIsExactOverAllWorkers) {
  for (const bool keyed : {false, true}) {
    Compartment compartment({.concurrency = 3, .queue = 100, .wait = 10s, .keyed = keyed});
    Counted counted;
    std::vector<std::thread> threads;
    for (uint64_t t = 1; t <= 3; ++t)
      threads.emplace_back([&, t] { work(compartment, counted, t); });
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(counted.got, 3 * 6 * 300);
    EXPECT_EQ(counted.refused, 0);
    EXPECT_LE(counted.most, 3);
    EXPECT_EQ(compartment.status().in_flight, 0u);
    EXPECT_EQ(compartment.status().queued, 0u);
  }
}

}  // namespace
}  // namespace banyan
