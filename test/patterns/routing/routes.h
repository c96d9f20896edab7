// Routes: a routing table from the text that a user writes under `routes:`, through the reader, the
// declared settings and RouteTable::build, with everything that was told; and the answer to a
// request as one line of text. Owner: the test. Thread: one. Without a name a route has the one
// that is made from its match.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "config/schema.h"
#include "patterns/routing/answer_text.h"
#include "patterns/routing/asked.h"

namespace banyan {

// One entry of `routes:`, as far as Gateway Routing reads it.
struct RouteText {
  RouteSettings route;
  Place place;
};

inline void declare(Fields<RouteText>& f) {
  f.field("name", [](RouteText& r) -> std::string& { return r.route.name; }, "");
  f.field("match", [](RouteText& r) -> MatchSettings& { return r.route.match; }, "");
  f.field("rewrite", [](RouteText& r) -> std::string& { return r.route.rewrite; }, "");
}

class Routes {
 public:
  explicit Routes(const std::string& text) {
    const Node tree = parse_yaml(text, "f.yaml", Sources{}, problems_);
    std::vector<RouteText> all;
    if (Value<std::vector<RouteText>>::read(tree, all, Reading(problems_))) {
      for (RouteText& one : all) {
        one.route.place = one.place;
        settings_.push_back(std::move(one.route));
      }
      table_ = RouteTable::build(settings_, problems_);
    }
    told_ = problems_.text();
  }

  bool good() const { return table_ != nullptr; }
  const std::string& told() const { return told_; }
  const RouteTable& table() const { return *table_; }
  std::shared_ptr<const RouteTable> take() { return std::move(table_); }
  const std::vector<RouteSettings>& settings() const { return settings_; }

  // "name", "name id=4 rest=a/b", "404", "405 GET, POST", or "refused" (by the listener).
  std::string find(std::string_view line, const PathRules& rules = {}) const {
    Asked asked(line, rules);
    return asked.refused() ? "refused" : find(asked);
  }
  std::string find(Asked& asked) const { return answer_text(*table_, asked.request()); }
  // Where the service behind the route is asked: "/v2/4?x=1", or the status of a refusal.
  std::string rewritten(std::string_view line, const PathRules& rules = {}) const {
    Asked asked(line, rules);
    if (asked.refused()) return "refused";
    Request& request = asked.request();
    const RouteTable::Found found = table_->find(request);
    if (!found) return "404";
    request.captures = found.captures;
    const auto target = table_->route(found.route).rewrite->apply(request);
    return target ? std::string(target->forward) : std::to_string(target.error().status);
  }

 private:
  Problems problems_;
  std::vector<RouteSettings> settings_;
  std::shared_ptr<const RouteTable> table_;
  std::string told_;
};

}  // namespace banyan
