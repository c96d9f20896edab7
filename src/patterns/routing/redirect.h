// Redirect: sends the client elsewhere. Owner: the worker's snapshot; the rule is compiled once at
// load and may be copied. Thread: its loop's. Where the client goes is decided by the configuration
// alone: scheme and host are literal, captures stand only in path and query, a path never begins
// with "//" (which a browser takes for a host), and nothing of a request can end the field, because
// a normal path and a checked query have no control bytes. Statuses: RFC 9110, section 15.4.
#pragma once
#include "config/problems.h"
#include "patterns/routing/settings.h"
#include "patterns/routing/template.h"
#include "service/service.h"

namespace banyan {

class RedirectRule {
 public:
  // `captures`: those of the match it belongs to; nullopt for a service that routes share by name.
  // nullopt when something is wrong, which is told.
  static std::optional<RedirectRule> compile(const RedirectSettings& settings,
                                             std::optional<std::span<const std::string>> captures,
                                             const Place& place, Problems& problems);
  // The value of Location, in the request's arena. The query is kept unless `to` has one.
  Result<std::string_view> location(const Request& request) const;
  uint16_t status() const { return status_; }

 private:
  RedirectRule(Template target, uint16_t status) : target_(std::move(target)), status_(status) {}

  std::string origin_;    // "https://host"; empty: the same
  std::string fragment_;  // with its '#'
  Template target_;
  uint16_t status_;
};

class Redirect final : public Service {
 public:
  explicit Redirect(RedirectRule rule) : rule_(std::move(rule)) {}
  Task<Reply> call(Request& request) override;

 private:
  const RedirectRule rule_;
};

}  // namespace banyan
