// Event and Semaphore: how tasks of one loop wait for each other.
// Owner: whoever shares them; they outlive every waiter. Thread: one loop's (across loops:
// Loop::send). Waiters queue first come, first served; a cancelled waiter leaves the queue at once.
// Bound: a semaphore's queue length is given by its maker; one more waiter gets Code::overloaded.
#pragma once
#include "task/task.h"

namespace banyan {

// A waiter in a queue of an Event or a Semaphore.
class Waiter : public Cancellable {
 public:
  struct Link : Hook {
    explicit Link(Waiter& w) : waiter(w) {}
    Waiter& waiter;
  };
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    return begin(*caller.promise().context, caller);
  }

 protected:
  explicit Waiter(const char* what) : what_(what) {}
  ~Waiter() = default;
  // True when the caller must wait; false when the result is known.
  virtual bool enqueue() = 0;
  virtual void left() = 0;

  friend class Event;
  friend class Semaphore;
  bool begin(Context& context, std::coroutine_handle<> caller);
  void wake();
  void on_cancel(Code why) noexcept override;
  void describe(std::string& out, int depth) const override { describe_line(out, depth, what_); }

  const char* what_;
  Loop* loop_ = nullptr;
  std::coroutine_handle<> caller_;
  Result<> result_;
  Link link_{*this};
};

// Something that happened, once: set() wakes all who wait, and later waits end at once. reset()
// starts over.
class Event {
 public:
  class Wait final : public Waiter {
   public:
    explicit Wait(Event& event) : Waiter("event"), event_(event) {}
    Result<> await_resume() const { return result_; }

   private:
    bool enqueue() override;
    void left() override {}
    Event& event_;
  };
  Wait wait() { return Wait(*this); }
  void set();
  void reset() { set_ = false; }
  bool is_set() const { return set_; }

 private:
  bool set_ = false;
  List<Waiter::Link> waiting_;
};

// Permits with a bounded queue. A permit goes home when its Permit dies.
class Semaphore {
 public:
  Semaphore(size_t permits, size_t queue_max) : free_(permits), queue_max_(queue_max) {}

  class Permit {
   public:
    Permit() = default;
    explicit Permit(Semaphore& home) : home_(&home) {}
    Permit(Permit&& other) noexcept : home_(std::exchange(other.home_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(home_, other.home_);
      return *this;
    }
    ~Permit() {
      if (home_ != nullptr) home_->release();
    }

   private:
    Semaphore* home_ = nullptr;
  };
  class Acquire final : public Waiter {
   public:
    explicit Acquire(Semaphore& home) : Waiter("permit"), home_(home) {}
    Result<Permit> await_resume() const {
      if (!result_) return std::unexpected(result_.error());
      return Permit(home_);
    }

   private:
    bool enqueue() override;
    void left() override { --home_.waiting_count_; }
    Semaphore& home_;
  };
  Acquire acquire() { return Acquire(*this); }
  size_t available() const { return free_; }
  size_t waiting() const { return waiting_count_; }

 private:
  void release();

  size_t free_;
  size_t queue_max_;
  size_t waiting_count_ = 0;
  List<Waiter::Link> waiting_;
};

}  // namespace banyan
