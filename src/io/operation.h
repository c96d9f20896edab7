// Operation: the awaitable under everything that waits for the network. It is completion-shaped:
// start() asks the engine, the engine completes it once, with a result or an error; in between it
// can be asked to end early (cancelled, or its deadline passed) and the engine acknowledges by
// completing it. Owner: the coroutine that awaits it (it lives in that frame). Thread: its loop's.
// Cost: a timer is armed only when the operation has to wait, and only if it has a deadline.
// A stream over another one (io/tls_stream) starts operations of the lower stream itself, in the
// place of a coroutine (Above).
#pragma once
#include <coroutine>

#include "task/task.h"

namespace banyan {

class Operation : public Cancellable, public Timer {
 public:
  explicit Operation(Time deadline) : deadline_(deadline) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) {
    frame_ = &caller.promise();
    return begin(*caller.promise().context, caller);
  }

  // The frame that waits, for FrameTrail.
  const PromiseBase* frame() const { return frame_; }

  // Engine side. The result must be set; after these calls the operation may be gone.
  void complete();       // resumes the waiter now: the engine's last act of this event
  void complete_soon();  // resumes it in this turn's run queue

  // Who waits for the end of an operation that no coroutine awaits.
  class Above {
   public:
    // `now`: it is the engine's last act, so the waiter above may be resumed; else it is only
    // posted.
    virtual void below_ended(Operation& ended, bool now) = 0;

   protected:
    ~Above() = default;
  };
  // True: the result is there already, and nobody is told. Deadline and cancellation are Above's:
  // call_off() ends it within the call.
  bool start_below(Loop& loop, Above& above);
  void call_off(Code why) { leave(why); }

 protected:
  ~Operation() = default;
  // Asks the engine. True: the result is there already.
  virtual bool start() = 0;
  // Ends it early: sets the error and completes it (complete_soon), now or when the engine can.
  virtual void abandon(Code why) = 0;
  // Sets the error when the work was called off before it began.
  virtual void refuse(Code why) = 0;
  Loop& loop() const { return *loop_; }

 private:
  bool begin(Context& context, std::coroutine_handle<> waiter);
  void detach();
  void fire() noexcept final { leave(Code::timeout); }
  void on_cancel(Code why) noexcept final { leave(why); }
  void leave(Code why);

  Time deadline_;
  const PromiseBase* frame_ = nullptr;
  Loop* loop_ = nullptr;
  std::coroutine_handle<> waiter_;
  Above* above_ = nullptr;  // instead of it
};

}  // namespace banyan
