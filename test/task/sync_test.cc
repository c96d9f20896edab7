#include "task/sync.h"

#include <string>
#include <vector>

#include "task/nursery.h"
#include "task/virtual_loop.h"

namespace banyan {
namespace {

class Sync : public VirtualLoop {
 protected:
  // Takes a permit, keeps it, and notes when it came.
  Task<> use(Semaphore& permits, Duration keep, std::string name) {
    auto permit = co_await permits.acquire();
    if (!permit) {
      log.push_back(name + " " + std::string(banyan::name(permit.error().code)));
      co_return;
    }
    log.push_back(name + " at " + std::to_string(elapsed() / 1ms));
    EXPECT_TRUE(co_await sleep_for(keep));
  }
  Task<Result<>> acquire_only(Semaphore& permits) {
    auto permit = TRY(co_await permits.acquire());
    co_return Result<>();
  }
  std::vector<std::string> log;
};

TEST_F(Sync, EventWakesAllWhoWait) {
  run([&]() -> Task<> {
    Event event;
    Nursery waiters(co_await current_context());
    int woken = 0;
    auto wait = [&]() -> Task<> {
      EXPECT_TRUE(co_await event.wait());
      ++woken;
    };
    for (int i = 0; i < 3; ++i) waiters.start([&] { return wait(); });
    EXPECT_TRUE(co_await sleep_for(1ms));
    EXPECT_EQ(woken, 0);
    event.set();
    event.set();  // once more changes nothing
    EXPECT_EQ(woken, 0) << "it wakes by the run queue, never in the middle of the caller";
    co_await waiters.join();
    EXPECT_EQ(woken, 3);
    EXPECT_TRUE(event.is_set());
    EXPECT_TRUE(co_await event.wait());  // later waits end at once
    event.reset();
    auto again = [&]() -> Task<Result<>> { co_return co_await event.wait(); };
    EXPECT_EQ((co_await within{2ms, again()}).error().code, Code::timeout);
  });
  EXPECT_EQ(elapsed(), 3ms);
}

TEST_F(Sync, AWaiterThatIsWokenAndThenCalledOffWasWoken) {
  run([&]() -> Task<> {
    Event event;
    Nursery waiters(co_await current_context());
    bool good = false;
    auto wait = [&]() -> Task<> { good = (co_await event.wait()).has_value(); };
    waiters.start([&] { return wait(); });
    event.set();
    waiters.cancel();
    co_await waiters.join();
    EXPECT_TRUE(good);
  });
}

TEST_F(Sync, PermitsGoFirstComeFirstServed) {
  run([&]() -> Task<> {
    Semaphore permits(2, 10);
    Nursery users(co_await current_context());
    for (const char* who : {"a", "b", "c", "d", "e"})
      users.start([&, who] { return use(permits, 10ms, who); });
    EXPECT_EQ(permits.waiting(), 3u);
    EXPECT_EQ(permits.available(), 0u);
    co_await users.join();
    EXPECT_EQ(permits.available(), 2u);
    EXPECT_EQ(permits.waiting(), 0u);
  });
  EXPECT_EQ(log, (std::vector<std::string>{"a at 0", "b at 0", "c at 10", "d at 10", "e at 20"}));
}

TEST_F(Sync, AFullQueueRefuses) {
  run([&]() -> Task<> {
    Semaphore permits(1, 1);
    Nursery users(co_await current_context());
    for (const char* who : {"a", "b", "c"})
      users.start([&, who] { return use(permits, 5ms, who); });
    co_await users.join();
    Semaphore none(0, 0);
    EXPECT_EQ((co_await acquire_only(none)).error().code, Code::overloaded);
  });
  EXPECT_EQ(log, (std::vector<std::string>{"a at 0", "c overloaded", "b at 5"}));
}

TEST_F(Sync, ACancelledWaiterLeavesTheQueueAtOnce) {
  run([&]() -> Task<> {
    Semaphore permits(1, 2);
    Nursery users(co_await current_context()), hasty(co_await current_context());
    users.start([&] { return use(permits, 10ms, "a"); });
    hasty.start([&] { return use(permits, 10ms, "b"); });
    users.start([&] { return use(permits, 10ms, "c"); });
    EXPECT_EQ(permits.waiting(), 2u);
    hasty.cancel(Code::timeout);
    EXPECT_EQ(permits.waiting(), 1u);
    users.start([&] { return use(permits, 10ms, "d"); });  // its place is free
    co_await hasty.join();
    co_await users.join();
    EXPECT_EQ(permits.available(), 1u);
  });
  EXPECT_EQ(log, (std::vector<std::string>{"a at 0", "b timeout", "c at 10", "d at 20"}));
}

// The permit was given, then the task was called off before it ran: the permit must come home.
TEST_F(Sync, APermitGivenToACancelledTaskComesHome) {
  run([&]() -> Task<> {
    Semaphore permits(1, 2);
    Nursery users(co_await current_context());
    auto first = co_await permits.acquire();
    EXPECT_TRUE(first.has_value());
    bool got = false;
    auto wait = [&]() -> Task<> {
      auto permit = co_await permits.acquire();
      got = permit.has_value();
      EXPECT_EQ(permits.available(), 0u);
      EXPECT_EQ((co_await nap(1h)).error().code, Code::cancelled);
    };
    users.start([&] { return wait(); });
    *first = Semaphore::Permit();  // goes home, and on to the one who waits
    EXPECT_EQ(permits.available(), 0u);
    users.cancel();
    co_await users.join();
    EXPECT_TRUE(got);
    EXPECT_EQ(permits.available(), 1u);
  });
  EXPECT_EQ(elapsed(), 0ns);
}

TEST_F(Sync, NobodyOvertakesTheQueue) {
  run([&]() -> Task<> {
    Semaphore permits(1, 5);
    Nursery users(co_await current_context());
    users.start([&] { return use(permits, 4ms, "a"); });
    users.start([&] { return use(permits, 4ms, "b"); });
    // Comes in the very moment in which the permit passes from a to b.
    EXPECT_TRUE(co_await sleep_for(4ms));
    users.start([&] { return use(permits, 4ms, "c"); });
    co_await users.join();
  });
  EXPECT_EQ(log, (std::vector<std::string>{"a at 0", "b at 4", "c at 8"}));
}

TEST_F(Sync, APermitMovesAndGoesHomeOnce) {
  Semaphore permits(3, 0);
  run([&]() -> Task<> {
    auto one = co_await permits.acquire();
    auto two = co_await permits.acquire();
    EXPECT_EQ(permits.available(), 1u);
    Semaphore::Permit moved = std::move(*one);
    EXPECT_EQ(permits.available(), 1u);
    moved = std::move(*two);
    *two = Semaphore::Permit();
    EXPECT_EQ(permits.available(), 2u);
  });
  EXPECT_EQ(permits.available(), 3u);
}

TEST_F(Sync, DescribesWhoWaits) {
  run([&]() -> Task<> {
    Event event;
    Semaphore permits(0, 1);
    Nursery waiters(co_await current_context());
    auto wait = [&]() -> Task<> { EXPECT_FALSE(co_await event.wait()); };
    waiters.start([&] { return wait(); });
    waiters.start([&] { return use(permits, 0ns, "x"); });
    std::string tree;
    root.describe(tree);
    EXPECT_EQ(tree, "scope\n  scope\n    event\n    permit\n");
    waiters.cancel();
    co_await waiters.join();
  });
}

}  // namespace
}  // namespace banyan
