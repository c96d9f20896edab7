// AnswerEdit and AnswerFilter: what is written on every answer on its way to the client, those that
// the gateway makes of its own faults included: the filter edits what comes from below, the edge
// (app/edge) edits the others. Owner: the listener's stack. Thread: any for an edit, its loop's for
// the filter.
#pragma once
#include <memory>
#include <vector>

#include "service/service.h"

namespace banyan {

class AnswerEdit {
 public:
  virtual ~AnswerEdit() = default;
  // Texts that it adds live as long as the edit, or in the answer's arena.
  virtual void edit(const Request& request, Headers& answer) const = 0;
};
using AnswerEdits = std::vector<std::shared_ptr<const AnswerEdit>>;

class AnswerFilter final : public Filter {
 public:
  AnswerFilter(ServicePtr wrapped, std::shared_ptr<const AnswerEdit> edit)
      : Filter(std::move(wrapped)), edit_(std::move(edit)) {}
  Task<Reply> call(Request& request) override {
    auto reply = co_await next->call(request);
    if (reply) edit_->edit(request, *reply->headers);
    co_return reply;
  }

 private:
  const std::shared_ptr<const AnswerEdit> edit_;
};

}  // namespace banyan
