// RequestIdFilter: a name for each request, by which logs of all services can be put together:
// X-Request-Id towards the service, in the answer, and in the access log. Owner: the listener's
// stack. Thread: its loop's. A name that a client gives counts only when its peer is trusted
// (`forwarded.trust`) and it is 1 to 128 visible characters; all others get one of ours: UUIDv7
// (RFC 9562, section 5.7), which sorts by time.
#pragma once
#include "base/ip.h"
#include "patterns/offloading/answer_edit.h"

namespace banyan {

class RequestIdFilter final : public Filter {
 public:
  RequestIdFilter(ServicePtr wrapped, std::vector<Cidr> trust, Loop& loop)
      : Filter(std::move(wrapped)), trust_(std::move(trust)), loop_(loop) {}
  Task<Reply> call(Request& request) override;

 private:
  const std::vector<Cidr> trust_;
  Loop& loop_;
};

// The answer has the name that the request has got.
class RequestIdEdit final : public AnswerEdit {
 public:
  void edit(const Request& request, Headers& answer) const override;
};

// "018f...": 36 characters.
std::string_view make_uuid7(Loop& loop, Arena& arena);

}  // namespace banyan
