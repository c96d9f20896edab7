// Reference: what RouteTable must answer, said as plainly as it can be said: every route is looked
// at, by its text, and of those that fit the one with the least key wins. It shares nothing with
// the table but regular expressions. Owner: the test. Thread: one. Patterns must be written in
// normal form. Cost: linear in the routes, with copies everywhere.
#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "patterns/routing/compiled_route.h"

namespace banyan {

class Reference {
 public:
  explicit Reference(const std::vector<RouteSettings>& routes) : routes_(routes) {}

  // The same words as Routes::find.
  std::string find(const Request& request) const {
    const auto winner = find_route(request);
    if (winner) return described(*winner, request);
    const std::string allow = allowed(request);
    return allow.empty() ? "404" : "405 " + allow;
  }

  std::optional<size_t> find_route(const Request& request) const {
    std::optional<std::pair<Key, size_t>> best;
    for (size_t i = 0; i < routes_.size(); ++i) {
      auto key = key_of(i, request);
      if (!key || !method_fits(i, request)) continue;
      if (!best || std::pair(*key, i) < *best) best.emplace(*std::move(key), i);
    }
    return best ? std::optional(best->second) : std::nullopt;
  }

  bool fits(size_t index, const Request& request) const {
    return key_of(index, request).has_value() && method_fits(index, request);
  }

  // Whether two routes are for the same requests, and neither says more than the other.
  bool has_equals() const {
    for (size_t b = 0; b < routes_.size(); ++b)
      for (size_t a = 0; a < b; ++a)
        if (equal(routes_[a], routes_[b])) return true;
    return false;
  }

 private:
  // (kind, text before and after, longest first, the texts themselves)
  using SegmentKey = std::tuple<int, int, int, std::string, std::string>;
  using PathKey = std::pair<int, std::vector<SegmentKey>>;
  using HostKey = std::pair<int, int>;
  using ConditionKey = std::tuple<int, int, int, int>;
  using Key = std::tuple<HostKey, PathKey, bool, ConditionKey>;
  enum PathKind { by_pattern, by_regex, by_none };
  enum SegmentKind { literal, affix, parameter, rest };

  static std::vector<std::string> split(const std::string& text, char mark) {
    std::vector<std::string> out(1);
    for (char c : text)
      if (c == mark)
        out.emplace_back();
      else
        out.back() += c;
    return out;
  }
  static std::vector<std::string> segments(std::string_view path) {
    return split(std::string(path.substr(1)), '/');
  }

  static SegmentKey segment_key(const std::string& text) {
    const size_t open = text.find('{'), close = text.find('}');
    if (open == std::string::npos) return {literal, 0, 0, text, ""};
    if (text.find("...}") != std::string::npos) return {rest, 0, 0, "", ""};
    const std::string before = text.substr(0, open), after = text.substr(close + 1);
    return {before.empty() && after.empty() ? parameter : affix, -static_cast<int>(before.size()),
            -static_cast<int>(after.size()), before, after};
  }
  static std::string capture_name(const std::string& text) {
    const std::string inside = text.substr(text.find('{') + 1);
    return inside.substr(0, inside.find_first_of(".}"));
  }
  // The value of a segment's capture; nullopt: the segment does not fit.
  static std::optional<std::string> value_of(const SegmentKey& pattern, const std::string& s) {
    const auto& [kind, m, n, before, after] = pattern;
    if (kind == literal) return s == before ? std::optional(s) : std::nullopt;
    if (s.size() <= before.size() + after.size()) return std::nullopt;
    if (!s.starts_with(before) || !s.ends_with(after)) return std::nullopt;
    std::string value = s.substr(before.size(), s.size() - before.size() - after.size());
    for (size_t cut = 1; cut <= 2 && cut <= value.size(); ++cut)
      if (value[value.size() - cut] == '%') return std::nullopt;
    return value;
  }

  using Captured = std::vector<std::pair<std::string, std::string>>;
  static std::optional<Captured> match_pattern(const std::string& pattern, std::string_view path) {
    const auto wanted = segments(pattern), given = segments(path);
    Captured out;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const SegmentKey key = segment_key(wanted[i]);
      if (std::get<0>(key) == rest) {
        std::string value;
        for (size_t j = i; j < given.size(); ++j) value += (j > i ? "/" : "") + given[j];
        out.emplace_back(capture_name(wanted[i]), value);
        return out;
      }
      if (i >= given.size()) return std::nullopt;
      auto value = value_of(key, given[i]);
      if (!value) return std::nullopt;
      if (std::get<0>(key) != literal) out.emplace_back(capture_name(wanted[i]), *value);
    }
    return wanted.size() == given.size() ? std::optional(out) : std::nullopt;
  }

  static const re2::RE2& regex_of(const std::string& text) {
    static std::map<std::string, RegexPtr> compiled;
    RegexPtr& regex = compiled[text];
    if (regex == nullptr) regex = compile_regex(text).value();
    return *regex;
  }
  static std::optional<Captured> match_path(const MatchSettings& match, std::string_view path) {
    if (!match.path.empty()) return match_pattern(match.path, path);
    if (match.path_regex.empty()) return Captured{};
    const re2::RE2& regex = regex_of(match.path_regex);
    const auto groups = named_groups(regex);
    std::vector<std::string_view> values(groups->names.size() + 1);
    if (!match_groups(regex, *groups, path, values.data())) return std::nullopt;
    Captured out;
    for (size_t i = 0; i < groups->names.size(); ++i) out.emplace_back(groups->names[i], values[i]);
    return out;
  }
  static PathKey path_key(const MatchSettings& match) {
    if (!match.path_regex.empty()) return {by_regex, {}};
    if (match.path.empty() || match.path.starts_with("/{rest...}")) return {by_none, {}};
    PathKey key{by_pattern, {}};
    for (const std::string& s : segments(match.path)) key.second.push_back(segment_key(s));
    return key;
  }

  static std::string lowered(std::string text) {
    for (char& c : text) c = lower(c);
    return text;
  }
  static std::optional<HostKey> host_key(const MatchSettings& match, std::string_view host) {
    if (match.host.empty()) return HostKey{2, 0};
    std::optional<HostKey> best;
    for (const std::string& written : match.host) {
      const std::string text = lowered(written);
      const bool wildcard = text.starts_with("*.");
      const std::string end = wildcard ? text.substr(1) : text;
      if (wildcard ? host.size() <= end.size() || !host.ends_with(end) : host != end) continue;
      const HostKey key{wildcard, wildcard ? -static_cast<int>(end.size()) : 0};
      best = best ? std::min(*best, key) : key;
    }
    return best;
  }

  static bool value_fits(const TextMatch& m, const std::string& value) {
    if (m.exact && value != *m.exact) return false;
    if (m.prefix && !value.starts_with(*m.prefix)) return false;
    return !m.regex || matches_whole(regex_of(*m.regex), value);
  }
  static bool fits_one(const TextMatch& m, const std::vector<std::string>& values) {
    if (m.present == false) return values.empty();
    return std::any_of(values.begin(), values.end(),
                       [&](const std::string& v) { return value_fits(m, v); });
  }
  static std::vector<std::string> first_of(std::vector<std::string> values) {
    if (values.size() > 1) values.resize(1);
    return values;
  }
  static std::string decoded(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                          hex_value(text[i + 2]) >= 0;
      out += escape           ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16))
             : text[i] == '+' ? ' '
                              : text[i];
      if (escape) i += 2;
    }
    return out;
  }
  static std::vector<std::string> header_values(const Request& r, const std::string& name) {
    std::vector<std::string> out;
    for (const Field& f : r.headers)
      if (lowered(std::string(f.name)) == lowered(name)) out.emplace_back(f.value);
    return out;
  }
  static std::vector<std::string> query_values(const Request& r, const std::string& name) {
    std::vector<std::string> out;
    for (const std::string& pair : split(std::string(r.target.query), '&')) {
      const size_t equals = pair.find('=');
      if (pair.empty() || decoded(pair.substr(0, equals)) != name) continue;
      out.push_back(equals == std::string::npos ? "" : decoded(pair.substr(equals + 1)));
    }
    return first_of(out);
  }
  static std::vector<std::string> cookie_values(const Request& r, const std::string& name) {
    std::vector<std::string> out;
    for (const std::string& line : header_values(r, "cookie"))
      for (const std::string& pair : split(line, ';')) {
        const std::string plain(trim(pair));
        const size_t equals = plain.find('=');
        if (equals == std::string::npos || trim(plain.substr(0, equals)) != name) continue;
        out.emplace_back(trim(std::string_view(plain).substr(equals + 1)));
      }
    return first_of(out);
  }

  static bool conditions_hold(const MatchSettings& match, const Request& r) {
    for (const auto& h : match.headers)
      if (!fits_one(h.value, header_values(r, h.name))) return false;
    for (const auto& q : match.query)
      if (!fits_one(q.value, query_values(r, q.name))) return false;
    for (const auto& c : match.cookies)
      if (!fits_one(c.value, cookie_values(r, c.name))) return false;
    return match.client_ip.empty() ||
           std::any_of(match.client_ip.begin(), match.client_ip.end(),
                       [&](const Cidr& n) { return n.contains(r.client.ip); });
  }
  static ConditionKey condition_key(const MatchSettings& match) {
    ConditionKey key{match.client_ip.empty() ? 0 : -1, 0, 0, 0};
    for (const auto* all : {&match.headers, &match.query, &match.cookies})
      for (const auto& one : *all) {
        --std::get<0>(key);
        std::get<1>(key) -= one.value.exact.has_value();
        std::get<2>(key) -= one.value.prefix.has_value();
        std::get<3>(key) -= one.value.regex.has_value();
      }
    return key;
  }

  // All but the method.
  std::optional<Key> key_of(size_t index, const Request& request) const {
    const MatchSettings& match = routes_[index].match;
    if (!request.target.path.starts_with('/')) return std::nullopt;
    const auto host = host_key(match, request.host);
    if (!host || !match_path(match, request.target.path) || !conditions_hold(match, request))
      return std::nullopt;
    return Key{*host, path_key(match), match.methods.empty(), condition_key(match)};
  }
  bool method_fits(size_t index, const Request& request) const {
    const auto& methods = routes_[index].match.methods;
    return methods.empty() ||
           std::find(methods.begin(), methods.end(), request.method_text) != methods.end();
  }

  std::string described(size_t index, const Request& request) const {
    std::string out = routes_[index].name;
    const auto captured = match_path(routes_[index].match, request.target.path);
    for (const auto& [name, value] : *captured) out += " " + name + "=" + value;
    return out;
  }
  // As Allow has them: the known ones in the order of http/method.h, then others as they come.
  std::string allowed(const Request& request) const {
    std::set<std::string> all;
    for (size_t i = 0; i < routes_.size(); ++i)
      if (key_of(i, request))
        all.insert(routes_[i].match.methods.begin(), routes_[i].match.methods.end());
    std::string out;
    for (std::string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE"})
      if (all.contains(std::string(known))) out += (out.empty() ? "" : ", ") + std::string(known);
    return out;
  }

  using Said = std::multiset<std::string>;
  static void say(Said& said, char kind, const std::vector<Named<TextMatch>>& all) {
    for (const auto& [name, place, m] : all) {
      std::string text = kind + lowered(name);
      if (m.present == false) text += "|absent";
      if (m.exact) text += "|is " + *m.exact;
      if (m.prefix) text += "|begins " + *m.prefix;
      if (m.regex) text += "|like " + *m.regex;
      said.insert(text);
    }
  }
  static Said said(const MatchSettings& match) {
    Said out;
    say(out, 'h', match.headers);
    say(out, 'q', match.query);
    say(out, 'c', match.cookies);
    for (const Cidr& network : match.client_ip) out.insert("from " + to_string(network));
    return out;
  }
  template <class T>
  static bool share(const std::vector<T>& a, const std::vector<T>& b) {
    return (a.empty() && b.empty()) || std::any_of(a.begin(), a.end(), [&](const T& x) {
             return std::find(b.begin(), b.end(), x) != b.end();
           });
  }
  static bool equal(const RouteSettings& a, const RouteSettings& b) {
    return share(a.match.host, b.match.host) && path_key(a.match) == path_key(b.match) &&
           a.match.path_regex == b.match.path_regex && share(a.match.methods, b.match.methods) &&
           said(a.match) == said(b.match);
  }

  const std::vector<RouteSettings>& routes_;
};

}  // namespace banyan
