#include "task/combine.h"

#include <string>
#include <vector>

#include "task/virtual_loop.h"

namespace banyan {
namespace {

using Combine = VirtualLoop;

TEST_F(Combine, SleepsExactly) {
  for (const Duration by : {0ns, 1ns, 999ns, 1'048'575ns, 1'048'576ns, Duration(67ms), Duration(3h),
                            Duration(24h * 30)}) {
    const Time before = loop.now();
    EXPECT_TRUE(run([&] { return nap(by); }).has_value());
    EXPECT_EQ(loop.now() - before, by);
  }
}

TEST_F(Combine, SleepUntilThePastDoesNotWait) {
  EXPECT_TRUE(run([&]() -> Task<Result<>> { co_return co_await sleep_until(loop.now() - 5s); }));
  EXPECT_EQ(elapsed(), 0ns);
}

TEST_F(Combine, WithinGivesTheAnswerInTime) {
  EXPECT_TRUE(run([&]() -> Task<Result<>> { co_return co_await within{10ms, nap(4ms)}; }));
  EXPECT_EQ(elapsed(), 4ms);
}

TEST_F(Combine, WithinCallsOffAfterTheLimit) {
  const auto end = run([&]() -> Task<Result<>> { co_return co_await within{10ms, nap(1h)}; });
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, Code::timeout);
  EXPECT_EQ(elapsed(), 10ms);
}

TEST_F(Combine, WithinWaitsForTheAnswer) {
  // Calling off is asking: the task took 3 ms more to end, and only then the caller goes on.
  const auto end = run([&]() -> Task<Result<>> { co_return co_await within{10ms, stubborn(3ms)}; });
  EXPECT_EQ(end.error().code, Code::timeout);
  EXPECT_EQ(elapsed(), 13ms);
}

TEST_F(Combine, WithinNothingAndForEver) {
  EXPECT_FALSE(run([&]() -> Task<Result<>> { co_return co_await within{0ns, nap(1ns)}; }));
  EXPECT_EQ(elapsed(), 0ns);
  EXPECT_TRUE(
      run([&]() -> Task<Result<>> { co_return co_await within{Duration::max(), nap(5ms)}; }));
  EXPECT_EQ(elapsed(), 5ms);
}

// The inner limit, then the outer one; each ends at its own moment, with the same reason.
TEST_F(Combine, NestedWithin) {
  struct Row {
    Duration outer, inner, work, ends;
    bool good;
  };
  for (const Row& row : {Row{50ms, 20ms, 10ms, 10ms, true}, Row{50ms, 20ms, 30ms, 20ms, false},
                         Row{20ms, 50ms, 30ms, 20ms, false}, Row{20ms, 20ms, 30ms, 20ms, false}}) {
    const Time before = loop.now();
    auto inner = [&]() -> Task<Result<>> {
      co_return co_await within{Duration(row.inner), nap(row.work)};
    };
    const auto end =
        run([&]() -> Task<Result<>> { co_return co_await within{Duration(row.outer), inner()}; });
    EXPECT_EQ(end.has_value(), row.good);
    if (!end) EXPECT_EQ(end.error().code, Code::timeout);
    EXPECT_EQ(loop.now() - before, row.ends);
  }
}

// After an inner limit the outer task goes on: the inner scope alone was called off.
TEST_F(Combine, AfterAnInnerLimitTheOuterGoesOn) {
  auto outer = [&]() -> Task<Result<>> {
    EXPECT_FALSE((co_await within{5ms, nap(1h)}));
    co_return co_await sleep_for(5ms);
  };
  EXPECT_TRUE(run([&]() -> Task<Result<>> { co_return co_await within{50ms, outer()}; }));
  EXPECT_EQ(elapsed(), 10ms);
}

TEST_F(Combine, DeadlinesShrinkInward) {
  const Time start = loop.now();
  auto deadline = [&]() -> Task<Time> { co_return (co_await current_context()).deadline; };
  auto nested = [&]() -> Task<Time> { co_return co_await within{1h, deadline()}; };
  run([&]() -> Task<> {
    EXPECT_EQ(co_await deadline(), never);
    EXPECT_EQ((co_await within{3s, deadline()}), start + 3s);
    EXPECT_EQ((co_await within{3s, nested()}), start + 3s);
    EXPECT_EQ((co_await within{2h, nested()}), start + 1h);
  });
}

// A trigger that goes off at a given time, or when it is attached.
struct Alarm {
  struct State : Timer {
    void fire() noexcept override { scope->request(Code::overloaded); }
    Cancel* scope = nullptr;
    int attached = 0, detached = 0;
  };
  Loop& loop;
  State& state;
  Duration by;
  void attach(Cancel& scope) {
    ++state.attached;
    state.scope = &scope;
    if (by == 0ns)
      scope.request(Code::overloaded);
    else
      loop.arm(state, loop.now() + by);
  }
  void detach() {
    ++state.detached;
    state.disarm();
  }
};

TEST_F(Combine, UntilEndsWithTheTriggersReason) {
  struct Row {
    Duration trigger, work, ends;
    bool good;
  };
  for (const Row& row :
       {Row{5ms, 2ms, 2ms, true}, Row{5ms, 9ms, 5ms, false}, Row{0ns, 9ms, 0ns, false}}) {
    const Time before = loop.now();
    Alarm::State state;
    const auto end = run([&]() -> Task<Result<>> {
      co_return co_await until{Alarm{loop, state, row.trigger}, nap(row.work)};
    });
    EXPECT_EQ(end.has_value(), row.good);
    if (!end) EXPECT_EQ(end.error().code, Code::overloaded);
    EXPECT_EQ(loop.now() - before, row.ends);
    EXPECT_EQ(state.attached, 1);
    EXPECT_EQ(state.detached, 1);
  }
}

TEST_F(Combine, GatherWaitsForAllAndKeepsTheOrder) {
  const auto all = run([&]() -> Task<std::vector<Result<int>>> {
    auto part = [&](size_t i) -> Task<Result<int>> {
      TRY(co_await sleep_for(std::chrono::milliseconds(10 - i)));
      if (i == 3) co_return fail(Code::reset, Side::upstream, "third");
      co_return static_cast<int>(i * i);
    };
    co_return co_await gather(8, part);
  });
  ASSERT_EQ(all.size(), 8u);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(all[i].has_value(), i != 3);
    if (all[i]) EXPECT_EQ(*all[i], static_cast<int>(i * i));
  }
  EXPECT_EQ(elapsed(), 10ms);
}

TEST_F(Combine, GatherOfNoneAndOfWhatDoesNotWait) {
  auto none = [](size_t) -> Task<Result<>> { co_return Result<>(); };
  EXPECT_EQ(run([&]() -> Task<size_t> { co_return (co_await gather(0, none)).size(); }), 0u);
  EXPECT_EQ(run([&]() -> Task<size_t> { co_return (co_await gather(100, none)).size(); }), 100u);
  EXPECT_EQ(elapsed(), 0ns);
}

TEST_F(Combine, GatherIsCalledOffTogether) {
  auto all = [&]() -> Task<Result<>> {
    auto part = [&](size_t i) -> Task<Result<>> {
      co_return co_await sleep_for(std::chrono::seconds(i));
    };
    const auto ends = co_await gather(5, part);
    for (size_t i = 0; i < 5; ++i) EXPECT_EQ(ends[i].has_value(), i < 2) << i;
    co_return ends[4];
  };
  const auto end = run([&]() -> Task<Result<>> { co_return co_await within{1500ms, all()}; });
  EXPECT_EQ(end.error().code, Code::timeout);
  EXPECT_EQ(elapsed(), 1500ms);
}

TEST_F(Combine, NothingWaitsInACancelledScope) {
  root.request(Code::cancelled);
  const auto end = run([&] { return nap(1h); });
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, Code::cancelled);
  EXPECT_EQ(elapsed(), 0ns);
}

}  // namespace
}  // namespace banyan
