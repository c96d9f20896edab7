// thread_call: `co_await on_thread(there, here, f)` runs `f` on another loop's thread and goes on
// here with its result; `co_await task_on_thread(...)` the same for a coroutine, which runs in a
// nursery of that thread.
// Owner: the caller's full expression. Thread: `here`'s.
// Not cancellable: what `f` borrows from the caller stays alive until it has run.
// Lifetime: both loops outlive the call, and turn.
#pragma once
#include <coroutine>
#include <optional>
#include <type_traits>

#include "task/nursery.h"

namespace banyan {

template <class F>
class OnThread {
  using R = std::invoke_result_t<F&>;

 public:
  OnThread(Loop& there, Loop& here, F f) : there_(there), here_(here), f_(std::move(f)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    there_.send([this, caller] {
      result_.emplace(f_());
      // The loop, not `this`: once the message is out the caller may be gone.
      Loop& here = here_;
      here.send([&here, caller] { here.post(caller); });
    });
  }
  R await_resume() { return std::move(*result_); }

 private:
  Loop& there_;
  Loop& here_;
  F f_;
  std::optional<R> result_;
};
template <class F>
OnThread<F> on_thread(Loop& there, Loop& here, F f) {
  return {there, here, std::move(f)};
}

// `make` is a plain callable that names a coroutine of the other thread. nullopt: its nursery is
// called off, nothing ran.
template <class Make>
class TaskOnThread {
  using R = typename std::invoke_result_t<Make&>::value_type;

 public:
  TaskOnThread(Nursery& there, Loop& here, Make make)
      : there_(there), here_(here), make_(std::move(make)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    caller_ = caller;
    there_.context().loop.send([this] {
      if (!there_.start([this] { return run(); })) back();
    });
  }
  std::optional<R> await_resume() { return std::move(result_); }

 private:
  Task<> run() {
    result_.emplace(co_await make_());
    back();
  }
  void back() {
    Loop& here = here_;
    here.send([&here, caller = caller_] { here.post(caller); });
  }

  Nursery& there_;
  Loop& here_;
  Make make_;
  std::coroutine_handle<> caller_;
  std::optional<R> result_;
};
template <class Make>
TaskOnThread<Make> task_on_thread(Nursery& there, Loop& here, Make make) {
  return {there, here, std::move(make)};
}

}  // namespace banyan
