#include "task/combine.h"

namespace banyan {

bool Sleep::begin(Context& context, std::coroutine_handle<> waiter) {
  if (auto why = context.cancel.why()) {
    result_ = fail(*why, Side::self, "called off before a wait");
    return false;
  }
  loop_ = &context.loop;
  waiter_ = waiter;
  if (at_ == never) at_ = after(loop_->now(), by_);
  context.cancel.add(*this);
  if (at_ != never) loop_->arm(*this, at_);
  return true;
}

void Sleep::fire() noexcept {
  Cancellable::unlink();
  loop_->post(waiter_);
}

void Sleep::on_cancel(Code why) noexcept {
  disarm();
  result_ = fail(why, Side::self, "called off during a wait");
  loop_->post(waiter_);
}

void Sleep::describe(std::string& out, int depth) const { describe_line(out, depth, "sleep"); }

}  // namespace banyan
