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

void Operation::complete() {
  detach();
  loop_->resume(waiter_);
}

void Operation::complete_soon() {
  detach();
  loop_->post(waiter_);
}

void Operation::leave(Code why) {
  detach();
  abandon(why);
}

}  // namespace banyan
