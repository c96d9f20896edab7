// Condition: one thing a route asks of a request beside host, path and method, compiled at load.
// Owner: a compiled route. Thread: any (read only). What counts when a name comes more than once:
// any field line of a header may satisfy it (all tests of one condition on the same line); of query
// parameters and cookies the first counts. `present: false` wants none of that name.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "config/problems.h"
#include "http/message.h"
#include "patterns/routing/regex.h"
#include "patterns/routing/settings.h"

namespace banyan {

struct Condition {
  enum class Kind : uint8_t { header, query, cookie, client_ip };
  Kind kind = Kind::header;
  bool absent = false;  // present: false
  Name id = Name::other;
  std::string name;  // of a header: lower-case
  std::optional<std::string> exact, prefix;
  RegexPtr regex;
  std::vector<Cidr> networks;  // of client_ip

  bool has_test() const { return exact || prefix || regex != nullptr; }
};

// All conditions of a match; what is wrong with them goes to `problems`.
std::vector<Condition> compile_conditions(const MatchSettings& match, Problems& problems);

bool holds(const Condition& condition, const Request& request);
bool hold_all(const std::vector<Condition>& conditions, const Request& request);

// "header x-api-version is 2": for people.
std::string describe(const Condition& condition);
// Why it does not hold: "header x-api-version is not '2'", "cookie sid is missing".
std::string describe_failure(const Condition& condition, const Request& request);

}  // namespace banyan
