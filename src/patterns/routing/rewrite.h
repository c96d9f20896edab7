// Rewrite: the path (and query) that the service behind a route sees. Compiled at load from
// "/v2/{id}", applied to a request whose route has been found. Owner: the route table. Thread: any
// (read only). The query stays unless the template has one. Source of what is safe: template.h.
#pragma once
#include "patterns/routing/template.h"

namespace banyan {

class Rewrite {
 public:
  static OrMessage<Rewrite> parse(std::string_view text, std::span<const std::string> captures);
  // The request's target as it is after it; the request itself does not change. Error: 400.
  Result<Target> apply(const Request& request) const;

 private:
  explicit Rewrite(Template t) : template_(std::move(t)) {}

  Template template_;
};

}  // namespace banyan
