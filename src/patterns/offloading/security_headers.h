// SecurityHeaders: the fields with which a browser is told to be careful, on every answer that does
// not have them already. Owner: the listener's stack. Thread: any. Source: OWASP secure headers;
// RFC 6797 (HSTS, over TLS alone); Fetch (nosniff).
#pragma once
#include "config/schema.h"
#include "patterns/offloading/answer_edit.h"

namespace banyan {

struct SecurityHeaderSettings {
  bool enabled = true;
  Nanoseconds hsts = std::chrono::hours(365 * 24);
  std::string frames = "SAMEORIGIN";
  std::string referrer = "strict-origin-when-cross-origin";
};
void declare(Fields<SecurityHeaderSettings>& f);

class SecurityHeaderEdit final : public AnswerEdit {
 public:
  explicit SecurityHeaderEdit(const SecurityHeaderSettings& settings);
  void edit(const Request& request, Headers& answer) const override;

 private:
  const std::string hsts_, frames_, referrer_;
};

}  // namespace banyan
