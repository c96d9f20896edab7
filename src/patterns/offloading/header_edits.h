// HeaderEdits: fields that the configuration sets, adds or removes, on requests and on answers.
// Owner: the listener's stack. Thread: its loop's; an edit is for any. Fields that frame a message
// or speak of one connection cannot be named (checked at load), so no edit can break a message.
#pragma once
#include "config/schema.h"
#include "patterns/offloading/answer_edit.h"

namespace banyan {

struct FieldEdits {
  std::vector<Named<std::string>> set, add;
  std::vector<std::string> remove;
  bool empty() const { return set.empty() && add.empty() && remove.empty(); }
  void apply(Headers& headers) const;
};
struct HeaderSettings {
  std::optional<FieldEdits> request, response;
};
void declare(Fields<FieldEdits>& f);
void declare(Fields<HeaderSettings>& f);

class RequestHeaderFilter final : public Filter {
 public:
  RequestHeaderFilter(ServicePtr wrapped, FieldEdits edits)
      : Filter(std::move(wrapped)), edits_(std::move(edits)) {}
  Task<Reply> call(Request& request) override {
    edits_.apply(request.headers);
    return next->call(request);
  }

 private:
  const FieldEdits edits_;
};

class ResponseHeaderEdit final : public AnswerEdit {
 public:
  explicit ResponseHeaderEdit(FieldEdits edits) : edits_(std::move(edits)) {}
  void edit(const Request&, Headers& answer) const override { edits_.apply(answer); }

 private:
  const FieldEdits edits_;
};

}  // namespace banyan
