#include "task/sync.h"

namespace banyan {

bool Waiter::begin(Context& context, std::coroutine_handle<> caller) {
  if (auto why = context.cancel.why()) {
    result_ = fail(*why, Side::self, "called off before a wait");
    return false;
  }
  loop_ = &context.loop;
  caller_ = caller;
  if (!enqueue()) return false;
  context.cancel.add(*this);
  return true;
}

void Waiter::wake() {
  link_.unlink();
  unlink();
  loop_->post(caller_);
}

void Waiter::on_cancel(Code why) noexcept {
  link_.unlink();
  left();
  result_ = fail(why, Side::self, "called off while waiting");
  loop_->post(caller_);
}

bool Event::Wait::enqueue() {
  if (event_.set_) return false;
  event_.waiting_.push_back(link_);
  return true;
}

void Event::set() {
  set_ = true;
  while (Waiter::Link* link = waiting_.pop_front()) link->waiter.wake();
}

bool Semaphore::Acquire::enqueue() {
  if (home_.free_ > 0 && home_.waiting_count_ == 0) {
    --home_.free_;
    return false;
  }
  if (home_.waiting_count_ >= home_.queue_max_) {
    result_ = fail(Code::overloaded, Side::self, "no permit is free and the queue is full");
    return false;
  }
  home_.waiting_.push_back(link_);
  ++home_.waiting_count_;
  return true;
}

void Semaphore::release() {
  if (Waiter::Link* link = waiting_.pop_front()) {
    --waiting_count_;
    link->waiter.wake();
    return;
  }
  ++free_;
}

}  // namespace banyan
