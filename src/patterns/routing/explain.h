// explain: why a request goes where it goes: the route that won, and those that came nearest with
// what kept each away, in plain words. For `banyan explain` and the admin page. Owner: none, a
// function; the answer's captures point into the request's arena. Thread: any. Cost: it looks at
// every route once and compiles its place anew, so it is linear in their number: for people, never
// for traffic. Bound: `others_max` routes are told.
#pragma once
#include "patterns/routing/table.h"

namespace banyan {

struct Explanation {
  struct Other {
    uint32_t route;                    // index in the settings
    std::vector<std::string> reasons;  // never empty
  };
  RouteTable::Found found;    // none: 404, or 405 when `allow` is not empty
  std::string why;            // of the winner, or of there being none
  std::vector<Other> others;  // nearest first
};

// `settings`: what the table was built of.
Explanation explain(const RouteTable& table, std::span<const RouteSettings> settings,
                    const Request& request, size_t others_max = 5);

}  // namespace banyan
