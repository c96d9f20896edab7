#include "task/nursery.h"

#include <vector>

#include "task/virtual_loop.h"

namespace banyan {
namespace {

using NurseryTest = VirtualLoop;

TEST_F(NurseryTest, RunsBesideTheOwnerAndIsJoined) {
  run([&]() -> Task<> {
    Nursery nursery(co_await current_context());
    std::vector<int> ended;
    auto work = [&](int i) -> Task<> {
      EXPECT_TRUE(co_await sleep_for(std::chrono::milliseconds(i)));
      ended.push_back(i);
    };
    for (int i : {3, 1, 2}) EXPECT_TRUE(nursery.start([&, i] { return work(i); }));
    EXPECT_EQ(nursery.size(), 3u);
    EXPECT_EQ(elapsed(), 0ns);
    co_await nursery.join();
    EXPECT_EQ(ended, (std::vector{1, 2, 3}));
    EXPECT_EQ(nursery.size(), 0u);
    co_await nursery.join();  // nothing left: no wait
  });
  EXPECT_EQ(elapsed(), 3ms);
}

TEST_F(NurseryTest, RefusesMoreThanItsLimit) {
  run([&]() -> Task<> {
    Nursery nursery(co_await current_context(), 2);
    int ran = 0;
    auto work = [&]() -> Task<> {
      ++ran;
      EXPECT_TRUE(co_await sleep_for(1ms));
    };
    auto make = [&] { return work(); };
    EXPECT_TRUE(nursery.start(make));
    EXPECT_TRUE(nursery.start(make));
    EXPECT_FALSE(nursery.start(make));
    EXPECT_EQ(ran, 2);
    co_await nursery.join();
    EXPECT_TRUE(nursery.start(make));
    co_await nursery.join();
    EXPECT_EQ(ran, 3);
  });
}

TEST_F(NurseryTest, CancelAsksAndJoinWaitsForTheAnswer) {
  run([&]() -> Task<> {
    Nursery nursery(co_await current_context());
    Code why{};
    auto work = [&]() -> Task<> {
      const auto end = co_await stubborn(2ms);
      EXPECT_FALSE(end.has_value());
      why = end.error().code;
    };
    nursery.start([&] { return work(); });
    EXPECT_TRUE(co_await sleep_for(5ms));
    nursery.cancel(Code::overloaded);
    EXPECT_EQ(nursery.size(), 1u);
    EXPECT_FALSE(nursery.start([&] { return work(); }));
    co_await nursery.join();
    EXPECT_EQ(why, Code::overloaded);
  });
  EXPECT_EQ(elapsed(), 7ms);
}

TEST_F(NurseryTest, TheOwnersCancellationReachesIt) {
  auto owner = [&]() -> Task<Result<>> {
    Nursery nursery(co_await current_context());
    auto work = [&]() -> Task<> { EXPECT_EQ((co_await nap(1h)).error().code, Code::timeout); };
    nursery.start([&] { return work(); });
    co_await nursery.join();
    co_return Result<>();
  };
  EXPECT_TRUE(run([&]() -> Task<Result<>> { co_return co_await within{4ms, owner()}; }));
  EXPECT_EQ(elapsed(), 4ms);
}

TEST_F(NurseryTest, BornInACancelledScopeStartsNothing) {
  root.request(Code::cancelled);
  run([&]() -> Task<> {
    Nursery nursery(co_await current_context());
    bool ran = false;
    auto work = [&]() -> Task<> {
      ran = true;
      co_return;
    };
    EXPECT_FALSE(nursery.start([&] { return work(); }));
    EXPECT_FALSE(ran);
  });
}

TEST_F(NurseryTest, KeepsWhatTheTaskWasMadeWith) {
  run([&]() -> Task<> {
    Nursery nursery(co_await current_context());
    auto shared = std::make_shared<int>(5);
    auto work = [](const int& n) -> Task<> {
      EXPECT_TRUE(co_await sleep_for(1ms));
      EXPECT_EQ(n, 5);
    };
    nursery.start([&work, s = shared] { return work(*s); });
    EXPECT_EQ(shared.use_count(), 2);
    std::weak_ptr<int> watch = shared;
    shared.reset();
    EXPECT_FALSE(watch.expired());
    co_await nursery.join();
    EXPECT_TRUE(watch.expired());
  });
}

using NurseryDeathTest = NurseryTest;
TEST_F(NurseryDeathTest, DestroyedWithTasksInside) {
  EXPECT_DEATH(
      {
        Nursery nursery(context);
        auto sleeper = [&]() -> Task<> { EXPECT_FALSE(co_await nap(1h)); };
        nursery.start([&] { return sleeper(); });
      },
      "size_ == 0 does not hold");
}

}  // namespace
}  // namespace banyan
