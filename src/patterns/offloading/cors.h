// CorsFilter: which pages of other origins may use this one, as browsers ask for it. Owner: the
// listener's stack. Thread: its loop's; the edit any. A preflight is answered here and reaches no
// service; what the service says of the matter itself is replaced. Origins are compared as whole
// texts: a scheme, a host in lower case, a port if it is not the standard one. Source: the Fetch
// standard, section 3.2 (CORS protocol).
#pragma once
#include "config/schema.h"
#include "patterns/offloading/answer_edit.h"

namespace banyan {

struct CorsSettings {
  std::vector<std::string> origins;
  std::vector<std::string> methods;  // empty: the standard ones
  std::vector<std::string> headers;
  std::vector<std::string> expose;
  bool credentials = false;
  Nanoseconds max_age = std::chrono::minutes(10);
};
void declare(Fields<CorsSettings>& f);

// What the settings come to. Immutable.
class CorsPolicy {
 public:
  explicit CorsPolicy(const CorsSettings& settings);
  bool allows_origin(std::string_view origin) const;
  // Says it on an answer to a request of this origin; `preflight`: with all that may be asked.
  void tell(std::string_view origin, std::string_view asked_headers, bool preflight,
            Headers& answer) const;

 private:
  std::vector<std::string> origins_;
  std::vector<std::pair<std::string, std::string>> wildcards_;  // before and behind the "*"
  bool any_ = false;
  const bool credentials_, any_header_;
  const std::string methods_, headers_, expose_, max_age_;
};

class CorsEdit final : public AnswerEdit {
 public:
  explicit CorsEdit(std::shared_ptr<const CorsPolicy> policy) : policy_(std::move(policy)) {}
  void edit(const Request& request, Headers& answer) const override;

 private:
  const std::shared_ptr<const CorsPolicy> policy_;
};

class CorsFilter final : public Filter {
 public:
  CorsFilter(ServicePtr wrapped, std::shared_ptr<const CorsPolicy> policy)
      : Filter(std::move(wrapped)), policy_(std::move(policy)) {}
  Task<Reply> call(Request& request) override;

 private:
  const std::shared_ptr<const CorsPolicy> policy_;
};

}  // namespace banyan
