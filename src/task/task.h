// Task<T>: a coroutine that starts when it is awaited and ends before its caller goes on. It cannot
// be moved, so it is awaited where it is made, and everything it borrows from its caller is alive
// while it runs. Owner: the caller's full expression. Thread: its loop's. Context is ambient: each
// task inherits its caller's (loop, cancellation, deadline) through the promise. Frames come from
// `frames`; nothing throws; a task that is destroyed before its end is a bug (CHECK).
#pragma once
#include <coroutine>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "task/cancel.h"
#include "task/frames.h"
#include "task/loop.h"

namespace banyan {

// Lives in whoever opened the scope (within, until, Nursery); never stored by anyone else.
struct Context {
  Loop& loop;
  Cancel& cancel;
  Time deadline = never;
};

template <class T>
class Task;

struct PromiseBase : Pooled {
  Context* context = nullptr;
  std::coroutine_handle<> parent;
  const PromiseBase* caller = nullptr;  // the parent's; for hints only, null where it is not told

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) const noexcept {
      return h.promise().parent;
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& u) {
    value.emplace(std::forward<U>(u));
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
};

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = Promise<T>;
  using value_type = T;

  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (started_) CHECK(handle_.done());
    handle_.destroy();
  }

  // As an awaitable: runs at once, in the caller's context.
  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) noexcept {
    return prepare(*caller.promise().context, caller, &caller.promise());
  }
  T await_resume() { return take(); }

  // For combinators: sets the task up in another context; the caller resumes the handle.
  std::coroutine_handle<> prepare(Context& context, std::coroutine_handle<> parent,
                                  const PromiseBase* caller = nullptr) noexcept {
    handle_.promise().context = &context;
    handle_.promise().parent = parent;
    handle_.promise().caller = caller;
    started_ = true;
    return handle_;
  }
  // The result; once, after the end.
  T take() {
    if constexpr (!std::is_void_v<T>) return std::move(*handle_.promise().value);
  }

 private:
  friend Promise<T>;
  explicit Task(std::coroutine_handle<Promise<T>> h) : handle_(h) {}

  std::coroutine_handle<Promise<T>> handle_;
  bool started_ = false;
};

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

// `Context& context = co_await current_context();`
struct CurrentContext {
  Context* context = nullptr;
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) noexcept {
    context = caller.promise().context;
    return false;
  }
  Context& await_resume() const noexcept { return *context; }
};
inline CurrentContext current_context() { return {}; }

// The frame at the bottom of a chain: it has no caller. Whoever starts it says in which context,
// and what happens at the end (`on_end` runs last, after the frame is gone; it may be null).
class Root {
 public:
  struct promise_type : PromiseBase {
    struct Ended {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> h) const noexcept {
        auto* then = h.promise().on_end;
        void* whose = h.promise().owner;
        h.destroy();
        if (then != nullptr) then(whose);
      }
      void await_resume() const noexcept {}
    };
    Root get_return_object() {
      return Root(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    Ended final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void (*on_end)(void* owner) = nullptr;
    void* owner = nullptr;
  };

  void start(Context& context, void (*on_end)(void*) = nullptr, void* owner = nullptr) {
    handle_.promise().context = &context;
    handle_.promise().on_end = on_end;
    handle_.promise().owner = owner;
    handle_.resume();
  }

 private:
  explicit Root(std::coroutine_handle<promise_type> h) : handle_(h) {}
  std::coroutine_handle<promise_type> handle_;
};

// Runs the task that `make` makes, to its end. `make` is a plain callable that lives in this frame;
// it names a coroutine, it is none itself (rule 3 of the architecture).
template <class Make>
Root run_root(Make make) {
  co_await make();
}

}  // namespace banyan
