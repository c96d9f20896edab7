// What a table answers, as one line of text: "name", "name id=4 rest=a/b", "404", or
// "405 GET, POST". Owner: none, a function. Thread: any.
#pragma once
#include <string>

#include "patterns/routing/table.h"

namespace banyan {

inline std::string answer_text(const RouteTable& table, const Request& request) {
  const RouteTable::Found found = table.find(request);
  if (!found) return found.allow.empty() ? "404" : "405 " + std::string(found.allow);
  std::string out = table.route(found.route).name;
  for (const Capture& c : found.captures)
    out += " " + std::string(c.name) + "=" + std::string(c.value);
  return out;
}

}  // namespace banyan
