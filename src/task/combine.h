// Combinators: a task under a limit of time (within), until something happens (until), many at once
// (gather), and waiting itself (sleep_for, sleep_until).
// Owner: the full expression that awaits them. Thread: its loop's.
// All of them wait for the task's own end: cancelling is asking, the answer comes from the task.
// None allocates, but gather: one array for its children.
#pragma once
#include <memory>
#include <vector>

#include "task/task.h"

namespace banyan {

// A cancellation scope with a context of its own, inside the caller's.
class Scope {
 public:
  explicit Scope(Context& outer)
      : cancel_(&outer.cancel), context_{outer.loop, cancel_, outer.deadline} {}
  Cancel& cancel() { return cancel_; }
  Context& context() { return context_; }

 private:
  Cancel cancel_;
  Context context_;
};

// A timer that calls a scope off.
class CancelTimer final : public Timer {
 public:
  CancelTimer(Cancel& cancel, Code why) : cancel_(cancel), why_(why) {}
  void fire() noexcept override { cancel_.request(why_); }

 private:
  Cancel& cancel_;
  Code why_;
};

// `co_await within{2s, next->call(req)}`: after the limit the task sees Code::timeout; its answer
// is awaited.
template <class T>
struct within {
  Duration limit;
  Task<T> task;
  struct State {
    explicit State(Context& outer) : scope(outer), timer(scope.cancel(), Code::timeout) {}
    Scope scope;
    CancelTimer timer;
  };
  std::optional<State> state{};

  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) {
    Context& outer = *caller.promise().context;
    state.emplace(outer);
    const Time at = after(outer.loop.now(), limit);
    state->scope.context().deadline = std::min(outer.deadline, at);
    if (at != never) outer.loop.arm(state->timer, at);
    return task.prepare(state->scope.context(), caller, &caller.promise());
  }
  T await_resume() { return task.take(); }
};
template <class D, class T>
within(D, Task<T>) -> within<T>;

// `co_await until{stream.peer_gone(), exchange()}`: when the trigger goes off the task sees its
// reason. A trigger has attach(Cancel&) and detach(); it may go off inside attach.
template <class Trigger, class T>
struct until {
  Trigger trigger;
  Task<T> task;
  std::optional<Scope> scope{};

  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) {
    scope.emplace(*caller.promise().context);
    trigger.attach(scope->cancel());
    return task.prepare(scope->context(), caller, &caller.promise());
  }
  T await_resume() {
    trigger.detach();
    return task.take();
  }
};
template <class Trigger, class T>
until(Trigger, Task<T>) -> until<Trigger, T>;

// A wait of an exact length; ends early with the reason when called off.
class Sleep final : public Cancellable, private Timer {
 public:
  explicit Sleep(Duration by) : by_(by) {}
  explicit Sleep(Time at) : at_(at) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    return begin(*caller.promise().context, caller);
  }
  Result<> await_resume() const { return result_; }

 private:
  bool begin(Context& context, std::coroutine_handle<> waiter);
  void fire() noexcept override;
  void on_cancel(Code why) noexcept override;
  void describe(std::string& out, int depth) const override;

  Duration by_ = Duration::max();
  Time at_ = never;
  Loop* loop_ = nullptr;
  std::coroutine_handle<> waiter_;
  Result<> result_;
};
inline Sleep sleep_for(Duration by) { return Sleep(by); }
inline Sleep sleep_until(Time at) { return Sleep(at); }

// Fan-out: `make(i)` for i in 0..n-1, all at once; the caller goes on when every child has ended.
// The gather owns `make`, a plain callable that names a coroutine.
template <class Make>
class Gather {
  using T = typename std::invoke_result_t<Make&, size_t>::value_type;

 public:
  Gather(size_t n, Make make) : n_(n), make_(std::move(make)) {}
  bool await_ready() const noexcept { return n_ == 0; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    waiter_ = caller;
    left_ = n_ + 1;
    results_ = std::make_unique<std::optional<T>[]>(n_);
    for (size_t i = 0; i < n_; ++i)
      child(*this, i).start(*caller.promise().context, &Gather::child_ended, this);
    return --left_ != 0;
  }
  std::vector<T> await_resume() {
    std::vector<T> all;
    all.reserve(n_);
    for (size_t i = 0; i < n_; ++i) all.push_back(std::move(*results_[i]));
    return all;
  }

 private:
  static Root child(Gather& self, size_t i) { self.results_[i].emplace(co_await self.make_(i)); }
  static void child_ended(void* self) {
    auto& g = *static_cast<Gather*>(self);
    if (--g.left_ == 0) g.waiter_.resume();
  }

  size_t n_;
  Make make_;
  size_t left_ = 0;
  std::coroutine_handle<> waiter_;
  std::unique_ptr<std::optional<T>[]> results_;
};
template <class Make>
Gather<Make> gather(size_t n, Make make) {
  return {n, std::move(make)};
}

}  // namespace banyan
