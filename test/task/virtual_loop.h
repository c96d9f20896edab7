// VirtualLoop: a loop whose time jumps to the next timer, for tests of the task floor, which has no
// network. (Tests of the floors above use test/sim/run.h.) Owner: the test. Thread: one, but
// Loop::send. A run that is stuck fails the test with the tree of waiting tasks, and is called off.
// Bound: turns_max turns.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>

#include "task/combine.h"

namespace banyan {

using namespace std::chrono_literals;

class VirtualPoller final : public Poller {
 public:
  static constexpr Time begin{1'000'003s};
  Time now() override { return now_; }
  WallTime wall() override { return WallTime(1'700'000'000s) + (now_ - begin); }
  bool wait(Time until) override {
    ++waits;
    if (woken_.exchange(false)) return true;
    if (until == never) return false;
    now_ = std::max(now_, until);
    return true;
  }
  void dispatch() override {}
  void wake() override { woken_ = true; }
  void pass(Duration time) { now_ += time; }

  uint64_t waits = 0;

 private:
  Time now_ = begin;
  std::atomic<bool> woken_{false};
};

class VirtualLoop : public testing::Test {
 protected:
  static constexpr uint64_t turns_max = 1'000'000;

  // Runs what `make` makes to its end; `make` lives until then.
  template <class Make>
  auto run(Make make) -> typename std::invoke_result_t<Make&>::value_type {
    using T = typename std::invoke_result_t<Make&>::value_type;
    const auto frames_before = frames.live();
    if constexpr (std::is_void_v<T>) {
      go(drive(make));
      EXPECT_EQ(frames.live(), frames_before);
    } else {
      std::optional<T> result;
      go(drive_into(make, result));
      EXPECT_EQ(frames.live(), frames_before);
      return std::move(*result);
    }
  }
  Duration elapsed() { return loop.now() - VirtualPoller::begin; }
  // A step of a script: something that takes so long, and says how it ended.
  Task<Result<>> nap(Duration by) { co_return co_await sleep_for(by); }
  // Never ends but by cancellation; then it takes `longer` to clean up.
  Task<Result<>> stubborn(Duration longer) {
    auto end = co_await sleep_until(never);
    const Time until = loop.now() + longer;
    while (loop.now() < until) co_await Yield{loop};
    co_return end;
  }
  // Lets others run, whatever the scope says; time passes by a microsecond.
  struct Yield final : Timer {
    explicit Yield(Loop& l) : home(l) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      waiter = h;
      home.arm(*this, home.now() + 1us);
    }
    void await_resume() const noexcept {}
    void fire() noexcept override { home.post(waiter); }
    Loop& home;
    std::coroutine_handle<> waiter;
  };

  VirtualPoller poller;
  Loop loop{poller, 1};
  Cancel root;
  Context context{loop, root, never};

 private:
  template <class Make>
  static Root drive(Make& make) {
    co_await make();
  }
  template <class Make, class T>
  static Root drive_into(Make& make, std::optional<T>& result) {
    result.emplace(co_await make());
  }
  void go(Root task) {
    ended_ = false;
    task.start(context, &VirtualLoop::end, this);
    for (uint64_t turns = 0; !ended_; ++turns) {
      ASSERT_LT(turns, turns_max) << "spinning";
      if (loop.turn() || ended_) continue;
      std::string tree;
      root.describe(tree);
      ADD_FAILURE() << "stuck:\n" << tree;
      root.request(Code::cancelled);
    }
  }
  static void end(void* self) {
    static_cast<VirtualLoop*>(self)->ended_ = true;
    static_cast<VirtualLoop*>(self)->poller.wake();
  }
  bool ended_ = false;
};

}  // namespace banyan
