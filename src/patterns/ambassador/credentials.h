// KeyFilter and TokenFilter: put the credential that the service wants into each request, in place
// of whatever the caller sent in its field. Owner: the service's stack, below all that sends a
// request again. Thread: its loop's. A token that the service does not take (401) is dropped, and
// the request sent once more with a new one if it has no content: it was not processed.
#pragma once
#include "patterns/ambassador/token_source.h"
#include "service/service.h"

namespace banyan {

class KeyFilter final : public Filter {
 public:
  KeyFilter(ServicePtr wrapped, std::string header, std::string value)
      : Filter(std::move(wrapped)), header_(std::move(header)), value_(std::move(value)) {}
  Task<Reply> call(Request& request) override {
    request.headers.set(header_, value_);
    return next->call(request);
  }

 private:
  const std::string header_, value_;
};

class TokenFilter final : public Filter {
 public:
  TokenFilter(ServicePtr wrapped, std::shared_ptr<TokenSource> source)
      : Filter(std::move(wrapped)), source_(std::move(source)) {}
  Task<Reply> call(Request& request) override;

 private:
  const std::shared_ptr<TokenSource> source_;
};

}  // namespace banyan
