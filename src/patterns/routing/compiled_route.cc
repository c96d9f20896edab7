#include "patterns/routing/compiled_route.h"

#include <algorithm>

#include "http/grammar.h"

namespace banyan {

namespace {

class Compiler {
 public:
  Compiler(const RouteSettings& settings, CompiledRoute& route, RoutePlace& place,
           Problems& problems)
      : settings_(settings), route_(route), place_(place), problems_(problems) {}

  void compile() {
    add_hosts();
    add_methods();
    add_path();
    route_.name = settings_.name.empty() ? route_name(settings_) : settings_.name;
    route_.conditions = compile_conditions(settings_.match, problems_);
    if (!settings_.rewrite.empty()) add_rewrite();
  }

 private:
  void error(std::string path, std::string message) {
    problems_.error(place_of(settings_), std::move(path), std::move(message));
  }
  void warning(std::string path, std::string message) {
    problems_.warning(place_of(settings_), std::move(path), std::move(message));
  }

  void add_hosts() {
    for (const std::string& text : settings_.match.host) {
      auto host = parse_host_pattern(text);
      if (!host)
        error("match.host", host.error());
      else if (std::find(place_.hosts.begin(), place_.hosts.end(), *host) == place_.hosts.end())
        place_.hosts.push_back(std::move(*host));
    }
  }

  void add_methods() {
    for (const std::string& method : settings_.match.methods) {
      if (!is_token(method)) {
        error("match.methods", "'" + printable(method) + "' is no method");
        continue;
      }
      route_.methods.add(method);
      std::string upper = method;
      for (char& c : upper)
        if (is_alpha(c)) c = static_cast<char>(c & ~0x20);
      if (upper != method && parse_method(upper) != Method::other)
        warning("match.methods", "methods are case-sensitive: '" + method + "' is not " + upper);
    }
  }

  void add_path() {
    const MatchSettings& match = settings_.match;
    if (!match.path.empty() && !match.path_regex.empty())
      return error("match", "has both path and path_regex; one of them");
    if (!match.path.empty()) add_pattern(match.path);
    if (!match.path_regex.empty()) add_regex(match.path_regex);
  }
  void add_pattern(const std::string& text) {
    auto pattern = parse_path_pattern(text);
    if (!pattern) return error("match.path", "'" + printable(text) + "': " + pattern.error());
    route_.capture_names = pattern->names;
    place_.path = pattern->is_any() ? RoutePlace::Path::any : RoutePlace::Path::pattern;
    place_.pattern = std::move(*pattern);
  }
  void add_regex(const std::string& text) {
    auto regex = compile_regex(text);
    if (!regex) return error("match.path_regex", regex.error());
    auto groups = named_groups(**regex);
    if (!groups) return error("match.path_regex", groups.error());
    place_.path = RoutePlace::Path::regex;
    route_.regex = std::move(*regex);
    route_.capture_names = groups->names;
    route_.groups = std::move(*groups);
  }

  void add_rewrite() {
    auto rewrite = Rewrite::parse(settings_.rewrite, route_.capture_names);
    if (!rewrite)
      error("rewrite", "'" + printable(settings_.rewrite) + "': " + rewrite.error());
    else
      route_.rewrite = std::move(*rewrite);
  }

  const RouteSettings& settings_;
  CompiledRoute& route_;
  RoutePlace& place_;
  Problems& problems_;
};

std::string joined(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& one : all) out += (out.empty() ? "" : ",") + one;
  return out;
}

}  // namespace

Rank CompiledRoute::rank() const {
  int exact = 0, prefix = 0, regexes = 0;
  for (const Condition& c : conditions) {
    exact += c.exact.has_value();
    prefix += c.prefix.has_value();
    regexes += c.regex != nullptr;
  }
  return {methods.empty(), -static_cast<int>(conditions.size()), -exact, -prefix, -regexes};
}

bool compile_route(const RouteSettings& settings, CompiledRoute& route, RoutePlace& place,
                   Problems& problems) {
  const size_t before = problems.errors();
  Compiler(settings, route, place, problems).compile();
  return problems.errors() == before;
}

std::vector<std::string> capture_names(const MatchSettings& match) {
  if (!match.path.empty()) {
    auto pattern = parse_path_pattern(match.path);
    return pattern ? std::move(pattern->names) : std::vector<std::string>{};
  }
  const auto regex = compile_regex(match.path_regex);
  auto groups = regex ? named_groups(**regex) : OrMessage<RegexGroups>{};
  return groups ? std::move(groups->names) : std::vector<std::string>{};
}

std::string route_name(const RouteSettings& settings) {
  const MatchSettings& match = settings.match;
  std::string out = joined(match.methods);
  if (!out.empty()) out += ' ';
  out += joined(match.host);
  if (!match.path.empty())
    out += match.path;
  else if (!match.path_regex.empty())
    out += "~" + match.path_regex;
  else
    out += match.host.empty() ? "*" : "/{rest...}";
  return out;
}

}  // namespace banyan
