// Nursery: the owner of background tasks. Everything started here ends before the nursery does: it
// is called off, and joined. Nothing is ever detached. Owner: the scope that needs the work (a
// server, an exchange, a cluster). Thread: its loop's. Lifetime: what a task borrows must outlive
// join(). Destroying a nursery that is not empty is a bug (CHECK). Bound: `limit` tasks at once;
// one more is refused, and the caller decides what that means.
#pragma once
#include "task/task.h"

namespace banyan {

class Nursery {
 public:
  explicit Nursery(Context& outer, size_t limit = SIZE_MAX)
      : cancel_(&outer.cancel), context_{outer.loop, cancel_, never}, limit_(limit) {}
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;
  ~Nursery() { CHECK(size_ == 0); }

  // Starts the task that `make` makes; it runs at once until it first waits. `make` is kept until
  // the end. False when the nursery is full or called off: nothing was started.
  template <class Make>
  bool start(Make make) {
    if (size_ >= limit_ || cancel_.requested()) return false;
    ++size_;
    run_root(std::move(make)).start(context_, &Nursery::ended, this);
    return true;
  }
  void cancel(Code why = Code::cancelled) { cancel_.request(why); }
  size_t size() const { return size_; }
  Context& context() { return context_; }

  // Waits until every task has ended. Not cancellable: the end is what cancellation asks for.
  class Join {
   public:
    explicit Join(Nursery& nursery) : nursery_(nursery) {}
    bool await_ready() const noexcept { return nursery_.size_ == 0; }
    void await_suspend(std::coroutine_handle<> caller) noexcept {
      CHECK(!nursery_.joiner_);
      nursery_.joiner_ = caller;
    }
    void await_resume() const noexcept {}

   private:
    Nursery& nursery_;
  };
  Join join() { return Join(*this); }

 private:
  static void ended(void* self) {
    auto& n = *static_cast<Nursery*>(self);
    if (--n.size_ == 0 && n.joiner_) n.context_.loop.post(std::exchange(n.joiner_, nullptr));
  }

  Cancel cancel_;
  Context context_;
  size_t limit_;
  size_t size_ = 0;
  std::coroutine_handle<> joiner_;
};

}  // namespace banyan
