#include "patterns/routing/condition.h"

#include <algorithm>

#include "http/grammar.h"
#include "patterns/routing/request_value.h"

namespace banyan {

namespace {

constexpr std::string_view kind_words[] = {"header", "query", "cookie", "client_ip"};

bool passes(const Condition& c, std::string_view value) {
  return (!c.exact || value == *c.exact) && (!c.prefix || value.starts_with(*c.prefix)) &&
         (c.regex == nullptr || matches_whole(*c.regex, value));
}

bool header_holds(const Condition& c, const Headers& headers) {
  if (c.id != Name::other && !headers.has(c.id)) return c.absent;
  for (const Field& field : headers) {
    if (field.id != c.id || (c.id == Name::other && !iequal(field.name, c.name))) continue;
    if (c.absent) return false;
    if (passes(c, field.value)) return true;
  }
  return c.absent;
}

bool query_holds(const Condition& c, const Request& request) {
  const auto value = find_query(request.target.query, c.name);
  if (!value || c.absent) return value.has_value() != c.absent;
  return (!c.exact || value->equals(*c.exact)) && (!c.prefix || value->starts_with(*c.prefix)) &&
         (c.regex == nullptr || matches_whole(*c.regex, value->text(request.arena)));
}

bool cookie_holds(const Condition& c, const Headers& headers) {
  const auto value = find_cookie(headers, c.name);
  if (!value || c.absent) return value.has_value() != c.absent;
  return passes(c, *value);
}

// The peer of the connection. The one place to change when a trusted forwarded address counts.
const Ip* client_ip(const Request& request) {
  const Address& client = request.client;
  const bool numeric =
      client.family == Address::Family::ipv4 || client.family == Address::Family::ipv6;
  return numeric ? &client.ip : nullptr;
}

bool client_holds(const Condition& c, const Request& request) {
  const Ip* const ip = client_ip(request);
  return ip != nullptr && std::any_of(c.networks.begin(), c.networks.end(),
                                      [&](const Cidr& network) { return network.contains(*ip); });
}

std::string subject(const Condition& c) {
  return std::string(kind_words[static_cast<size_t>(c.kind)]) + " " + printable(c.name);
}

std::string networks_text(const Condition& c) {
  std::string out;
  for (const Cidr& network : c.networks) out += (out.empty() ? "" : ", ") + to_string(network);
  return out;
}

struct Verbs {
  std::string_view exact, prefix, regex, joint;
};

std::string tests_text(const Condition& c, const Verbs& verbs) {
  std::string out;
  const auto append = [&](std::string_view verb, std::string_view text) {
    out += std::string(out.empty() ? " " : verbs.joint) + std::string(verb) + " '" +
           printable(text) + "'";
  };
  if (c.exact) append(verbs.exact, *c.exact);
  if (c.prefix) append(verbs.prefix, *c.prefix);
  if (c.regex != nullptr) append(verbs.regex, text_of(*c.regex));
  return out;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

class Compiler {
 public:
  Compiler(std::vector<Condition>& out, Problems& problems) : out_(out), problems_(problems) {}

  void add(Condition::Kind kind, const std::vector<Named<TextMatch>>& all) {
    for (const Named<TextMatch>& named : all) add(kind, named);
  }

 private:
  void add(Condition::Kind kind, const Named<TextMatch>& named) {
    const bool is_header = kind == Condition::Kind::header;
    const TextMatch& m = named.value;
    Condition c{.kind = kind, .name = is_header ? lowered(named.name) : named.name};
    if (is_header) c.id = known_name(c.name);
    c.absent = m.present == false;
    c.exact = m.exact;
    c.prefix = m.prefix;
    if (const char* fault = name_fault(kind, named.name)) return error(named, kind, fault);
    if (m.regex) {
      auto regex = compile_regex(*m.regex);
      if (!regex) return error(named, kind, regex.error());
      c.regex = std::move(*regex);
    }
    if (!c.has_test() && !m.present)
      return error(named, kind, "wants one of exact, prefix, regex, present");
    out_.push_back(std::move(c));
  }
  static const char* name_fault(Condition::Kind kind, std::string_view name) {
    if (kind == Condition::Kind::query) return nullptr;
    return is_token(name) ? nullptr : "is no name that can come (letters, digits, '-' and '_')";
  }
  void error(const Named<TextMatch>& named, Condition::Kind kind, const std::string& message) {
    problems_.error(named.place, "match",
                    std::string(kind_words[static_cast<size_t>(kind)]) + " '" +
                        printable(named.name) + "' " + message);
  }

  std::vector<Condition>& out_;
  Problems& problems_;
};

}  // namespace

std::vector<Condition> compile_conditions(const MatchSettings& match, Problems& problems) {
  std::vector<Condition> out;
  Compiler compiler(out, problems);
  compiler.add(Condition::Kind::header, match.headers);
  compiler.add(Condition::Kind::query, match.query);
  compiler.add(Condition::Kind::cookie, match.cookies);
  if (!match.client_ip.empty())
    out.push_back({.kind = Condition::Kind::client_ip, .networks = match.client_ip});
  return out;
}

bool holds(const Condition& condition, const Request& request) {
  switch (condition.kind) {
    case Condition::Kind::header:
      return header_holds(condition, request.headers);
    case Condition::Kind::query:
      return query_holds(condition, request);
    case Condition::Kind::cookie:
      return cookie_holds(condition, request.headers);
    case Condition::Kind::client_ip:
      break;
  }
  return client_holds(condition, request);
}

bool hold_all(const std::vector<Condition>& conditions, const Request& request) {
  return std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& c) { return holds(c, request); });
}

std::string describe(const Condition& c) {
  if (c.kind == Condition::Kind::client_ip) return "client is in " + networks_text(c);
  if (c.absent) return subject(c) + " is absent";
  return subject(c) +
         (c.has_test() ? tests_text(c, {"is", "begins with", "matches", " and "}) : " is present");
}

std::string describe_failure(const Condition& c, const Request& request) {
  if (c.kind == Condition::Kind::client_ip) return "client is not in " + networks_text(c);
  if (c.absent) return subject(c) + " is present";
  const Condition missing{.kind = c.kind, .absent = true, .id = c.id, .name = c.name};
  if (holds(missing, request)) return subject(c) + " is missing";
  return subject(c) + tests_text(c, {"is not", "does not begin with", "does not match", " or "});
}

}  // namespace banyan
