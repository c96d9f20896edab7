#include "task/cancel.h"

namespace banyan {

Cancel::Cancel(Cancel* parent) {
  if (parent == nullptr) return;
  if (parent->why_)
    why_ = parent->why_;
  else
    parent->add(link_);
}

void Cancel::request(Code why) {
  if (why_) return;
  why_ = why;
  // One may add or remove others while it is told, so the list is read afresh each time.
  while (Cancellable* one = below_.pop_front()) one->on_cancel(why);
}

void Cancel::describe(std::string& out, int depth) const {
  describe_line(out, depth, why_ ? "scope (cancelled)" : "scope");
  for (Cancellable* l = below_.front(); l != nullptr; l = below_.after(*l))
    l->describe(out, depth + 1);
}

void describe_line(std::string& out, int depth, std::string_view text) {
  out.append(static_cast<size_t>(depth) * 2, ' ').append(text).append("\n");
}

}  // namespace banyan
