// CompiledRoute: what one route's settings come to, checked and ready to be asked. RoutePlace is
// where it stands in the table (hosts, path); CompiledRoute is what stays for each request. Owner:
// the route table, and explain for one call. Thread: any (read only).
#pragma once
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "patterns/routing/condition.h"
#include "patterns/routing/host_index.h"
#include "patterns/routing/method_set.h"
#include "patterns/routing/path_pattern.h"
#include "patterns/routing/rewrite.h"

namespace banyan {

// What decides between routes of the same host and path; less is more specific. Methods before
// none, then the number of conditions, then how much each says: exact, prefix, regex, present.
// What is equal in all of it is decided by the order of the file.
using Rank = std::tuple<bool, int, int, int, int>;

struct CompiledRoute {
  MethodSet methods;
  std::vector<Condition> conditions;
  std::vector<std::string> capture_names;
  RegexPtr regex;  // of path_regex
  RegexGroups groups;
  std::optional<Rewrite> rewrite;
  std::string name;

  bool allows(const Request& request) const {
    return methods.allows(request.method, request.method_text);
  }
  Rank rank() const;
};

struct RoutePlace {
  enum class Path : uint8_t { pattern, regex, any };  // in the order of how specific they are
  std::vector<HostPattern> hosts;                     // empty: any host
  Path path = Path::any;
  PathPattern pattern;  // of Path::pattern; of "/{rest...}" too, for its capture
};

// False when something is wrong; all of it is told to `problems`.
bool compile_route(const RouteSettings& settings, CompiledRoute& route, RoutePlace& place,
                   Problems& problems);

// The captures that a match gives, for what is filled in elsewhere (a redirect). Empty when the
// match is wrong.
std::vector<std::string> capture_names(const MatchSettings& match);

// Where the route stands in its file, or at least its match.
inline const Place& place_of(const RouteSettings& settings) {
  return settings.place.line != 0 ? settings.place : settings.match.place;
}

// The name of a route that has none: "GET shop.example/catalog/{rest...}".
std::string route_name(const RouteSettings& settings);

}  // namespace banyan
