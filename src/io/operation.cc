#include "io/operation.h"

namespace banyan {

bool Operation::begin(Context& context, std::coroutine_handle<> waiter) {
  if (auto why = context.cancel.why()) {
    refuse(*why);
    return false;
  }
  loop_ = &context.loop;
  waiter_ = waiter;
  if (start()) {
    if (loop_->spend()) return false;
    // Done, but this coroutine has had its share of the turn: others go first.
    loop_->post(waiter_);
    return true;
  }
  context.cancel.add(*this);
  if (deadline_ != never) loop_->arm(*this, deadline_);
  return true;
}

void Operation::detach() {
  Cancellable::unlink();
  disarm();
}

bool Operation::start_below(Loop& loop, Above& above) {
  loop_ = &loop;
  above_ = &above;
  return start();
}

void Operation::complete() {
  detach();
  if (above_ != nullptr) return above_->below_ended(*this, true);
  loop_->resume(waiter_);
}

void Operation::complete_soon() {
  detach();
  if (above_ != nullptr) return above_->below_ended(*this, false);
  loop_->post(waiter_);
}

void Operation::leave(Code why) {
  detach();
  abandon(why);
}

}  // namespace banyan
