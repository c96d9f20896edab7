#include "patterns/routing/implication.h"

#include <algorithm>

#include "http/grammar.h"

namespace banyan {

namespace {

bool same_subject(const Condition& a, const Condition& b) {
  return a.kind == b.kind && a.name == b.name;
}

// Each part with its length, so that no value can look like two.
void append_part(std::string& out, char tag, std::string_view text) {
  out += tag + std::to_string(text.size()) + ":" + std::string(text);
}

std::string canonical(const Condition& c) {
  std::string out;
  append_part(out, static_cast<char>('0' + static_cast<int>(c.kind)), c.name);
  if (c.absent) out += '!';
  if (c.exact) append_part(out, 'e', *c.exact);
  if (c.prefix) append_part(out, 'p', *c.prefix);
  if (c.regex != nullptr) append_part(out, 'r', text_of(*c.regex));
  std::vector<std::string> networks;
  for (const Cidr& network : c.networks) networks.push_back(to_string(network));
  std::sort(networks.begin(), networks.end());
  for (const std::string& network : networks) append_part(out, 'n', network);
  return out;
}

bool contains(const Cidr& a, const Cidr& b) { return a.bits <= b.bits && a.contains(b.network); }

bool networks_within(const Condition& a, const Condition& b) {
  return std::all_of(a.networks.begin(), a.networks.end(), [&](const Cidr& inner) {
    return std::any_of(b.networks.begin(), b.networks.end(),
                       [&](const Cidr& outer) { return contains(outer, inner); });
  });
}

bool regex_follows(const Condition& a, const Condition& b) {
  if (b.regex == nullptr) return true;
  if (a.exact) return matches_whole(*b.regex, *a.exact);
  return a.regex != nullptr && text_of(*a.regex) == text_of(*b.regex);
}

bool follows(const Condition& a, const Condition& b) {
  if (!same_subject(a, b) || a.absent != b.absent) return false;
  if (a.kind == Condition::Kind::client_ip) return networks_within(a, b);
  if (a.absent) return !a.has_test() && !b.has_test();
  if (b.exact && a.exact != b.exact) return false;
  if (b.prefix) {
    const auto& begin = a.exact ? a.exact : a.prefix;
    if (!begin || !begin->starts_with(*b.prefix)) return false;
  }
  return regex_follows(a, b);
}

std::string self_contradiction(const Condition& c) {
  if (c.absent && c.has_test()) return "it must be absent and have a value";
  if (c.exact && c.prefix && !c.exact->starts_with(*c.prefix))
    return "the exact value does not begin with the prefix";
  if (c.exact && c.regex != nullptr && !matches_whole(*c.regex, *c.exact))
    return "the exact value does not match the regex";
  if (c.kind == Condition::Kind::header && c.exact &&
      (!is_field_value(*c.exact) || trim(*c.exact) != *c.exact))
    return "no field has a value with control bytes, or blanks at its ends";
  return {};
}

// Tests on values of the same name that no single value can pass.
bool values_exclude(const Condition& a, const Condition& b) {
  if (a.exact && b.exact) return *a.exact != *b.exact;
  if (a.exact && b.prefix) return !a.exact->starts_with(*b.prefix);
  if (b.exact && a.prefix) return !b.exact->starts_with(*a.prefix);
  if (a.prefix && b.prefix)
    return !a.prefix->starts_with(*b.prefix) && !b.prefix->starts_with(*a.prefix);
  return false;
}

bool networks_apart(const Condition& a, const Condition& b) {
  return std::none_of(a.networks.begin(), a.networks.end(), [&](const Cidr& x) {
    return std::any_of(b.networks.begin(), b.networks.end(),
                       [&](const Cidr& y) { return contains(x, y) || contains(y, x); });
  });
}

bool look_exclusive(const Condition& a, const Condition& b) {
  if (!same_subject(a, b)) return false;
  if (a.kind == Condition::Kind::client_ip) return networks_apart(a, b);
  if (a.absent != b.absent) return true;
  const bool regex_differs = (a.regex != nullptr || b.regex != nullptr) && !follows(a, b);
  return values_exclude(a, b) || regex_differs;
}

}  // namespace

std::string canonical(const std::vector<Condition>& conditions) {
  std::vector<std::string> all;
  all.reserve(conditions.size());
  for (const Condition& c : conditions) all.push_back(canonical(c));
  std::sort(all.begin(), all.end());
  std::string out;
  for (const std::string& one : all) append_part(out, ';', one);
  return out;
}

bool imply(const std::vector<Condition>& a, const Condition& b) {
  return std::any_of(a.begin(), a.end(), [&](const Condition& c) { return follows(c, b); });
}

bool imply_all(const std::vector<Condition>& a, const std::vector<Condition>& b) {
  return std::all_of(b.begin(), b.end(), [&](const Condition& c) { return imply(a, c); });
}

std::string contradiction(const std::vector<Condition>& conditions) {
  for (const Condition& a : conditions) {
    if (std::string why = self_contradiction(a); !why.empty()) return describe(a) + ": " + why;
    for (const Condition& b : conditions) {
      if (!same_subject(a, b)) continue;
      // A header may come twice and pass each test once; nothing else can.
      const bool one_value = a.kind != Condition::Kind::header;
      if (a.absent != b.absent || (one_value && values_exclude(a, b)))
        return describe(a) + " and " + describe(b) + " never hold together";
    }
  }
  return {};
}

bool look_exclusive(const std::vector<Condition>& a, const std::vector<Condition>& b) {
  return std::any_of(a.begin(), a.end(), [&](const Condition& x) {
    return std::any_of(b.begin(), b.end(),
                       [&](const Condition& y) { return look_exclusive(x, y); });
  });
}

}  // namespace banyan
