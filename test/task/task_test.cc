#include "task/task.h"

#include <memory>
#include <string>
#include <vector>

#include "task/virtual_loop.h"

namespace banyan {
namespace {

using TaskTest = VirtualLoop;

Task<int> seven() { co_return 7; }
Task<std::unique_ptr<int>> boxed(int n) { co_return std::make_unique<int>(n); }
Task<Result<std::unique_ptr<int>>> maybe(int n) {
  if (n < 0) co_return fail(Code::protocol, Side::client, "negative");
  co_return std::make_unique<int>(n);
}
Task<Result<int>> sum(std::vector<int> numbers, int& tried) {
  int total = 0;
  for (int n : numbers) {
    ++tried;
    // A value that can only be moved, taken out of a temporary.
    const auto box = TRY(co_await maybe(n));
    total += *box;
  }
  co_return total;
}

TEST_F(TaskTest, GivesItsValue) {
  EXPECT_EQ(run([] { return seven(); }), 7);
  EXPECT_EQ(*run([] { return boxed(5); }), 5);
}

TEST_F(TaskTest, TryGivesTheValueOrLeavesWithTheError) {
  int tried = 0;
  EXPECT_EQ(run([&] { return sum({1, 2, 3}, tried); }).value_or(-1), 6);
  EXPECT_EQ(tried, 3);
  tried = 0;
  const auto failed = run([&] { return sum({1, -2, 3}, tried); });
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error(), (Error{Code::protocol, Side::client, false, 0, "negative"}));
  EXPECT_EQ(tried, 2);
}

TEST_F(TaskTest, TryOfNothing) {
  auto steps = [&](bool good) -> Task<Result<std::string>> {
    TRY(good ? Result<>() : fail(Code::timeout, Side::upstream, "no"));
    co_return "after";
  };
  EXPECT_EQ(run([&]() -> Task<Result<std::string>> { co_return co_await steps(true); }), "after");
  EXPECT_EQ(
      run([&]() -> Task<Result<std::string>> { co_return co_await steps(false); }).error().code,
      Code::timeout);
}

TEST_F(TaskTest, IsLazyAndMayBeDroppedBeforeItsStart) {
  bool ran = false;
  auto mark = [&]() -> Task<> {
    ran = true;
    co_return;
  };
  run([&]() -> Task<> {
    {
      auto dropped = mark();
      EXPECT_FALSE(ran);
    }
    EXPECT_FALSE(ran);
    co_await mark();
    EXPECT_TRUE(ran);
  });
}

// Borrowed arguments, locals with destructors and the result live and die in the expected order.
TEST_F(TaskTest, LocalsDieBeforeTheCallerGoesOn) {
  std::vector<std::string> log;
  struct Note {
    std::vector<std::string>& to;
    std::string text;
    ~Note() { to.push_back(text); }
  };
  auto inner = [&](const std::string& name) -> Task<Result<int>> {
    const Note note{log, "end of " + name};
    TRY(co_await sleep_for(1ms));
    co_return 1;
  };
  run([&]() -> Task<> {
    const Note note{log, "end of caller"};
    EXPECT_EQ((co_await inner("first")).value_or(0) + (co_await inner("second")).value_or(0), 2);
    log.push_back("sum");
  });
  EXPECT_EQ(log,
            (std::vector<std::string>{"end of first", "end of second", "sum", "end of caller"}));
  EXPECT_EQ(elapsed(), 2ms);
}

Task<uint64_t> depth(uint64_t n) { co_return n == 0 ? 0 : 1 + co_await depth(n - 1); }

TEST_F(TaskTest, ALongLoopOfTasksUsesNoStack) {
  // Each task hands over to the next by symmetric transfer: a million in turn must not pile up
  // frames.
  const auto total = run([&]() -> Task<uint64_t> {
    uint64_t n = 0;
    for (int i = 0; i < 200'000; ++i) n += static_cast<uint64_t>(co_await seven());
    co_return n;
  });
  EXPECT_EQ(total, 1'400'000u);
  EXPECT_EQ(run([] { return depth(1000); }), 1000u);
}

TEST_F(TaskTest, TheContextIsTheCallers) {
  run([&]() -> Task<> {
    auto inner = [&]() -> Task<Context*> { co_return &co_await current_context(); };
    EXPECT_EQ(co_await inner(), &context);
    EXPECT_EQ(&(co_await current_context()).loop, &loop);
  });
}

TEST_F(TaskTest, RootTellsOfItsEndAfterTheFrameIsGone) {
  struct Seen {
    int64_t live = -1;
  } seen;
  const auto before = frames.live();
  auto nothing = []() -> Task<> { co_return; };
  run_root([&] {
    return nothing();
  }).start(context, [](void* s) { static_cast<Seen*>(s)->live = frames.live(); }, &seen);
  EXPECT_EQ(seen.live, before);
}

using TaskDeathTest = TaskTest;
TEST_F(TaskDeathTest, DestroyedBeforeItsEnd) {
  EXPECT_DEATH(
      {
        auto sleeper = nap(1s);
        sleeper.prepare(context, std::noop_coroutine()).resume();
      },
      "does not hold");
}

}  // namespace
}  // namespace banyan
