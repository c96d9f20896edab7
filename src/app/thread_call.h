// thread_call: `co_await on_thread(there, here, f)` runs `f` on another loop's thread and goes on
// here with its result. It is not cancellable: what `f` borrows from the caller stays alive until
// `f` has run. Owner: the caller's full expression. Thread: `here`'s. Lifetime: both loops outlive
// it, and turn.
#pragma once
#include <coroutine>
#include <optional>
#include <type_traits>

#include "task/loop.h"

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

}  // namespace banyan
