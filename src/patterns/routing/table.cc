#include "patterns/routing/table.h"

#include <algorithm>

namespace banyan {

std::vector<uint32_t> RouteTable::places_of(const Site& site,
                                            const std::vector<int>& regexes) const {
  const auto begin = by_regex_.begin() + slot_begins_[site.regexes];
  const auto end = by_regex_.begin() + slot_begins_[site.regexes + 1];
  std::vector<uint32_t> out;
  for (int regex : regexes) {
    const auto number = static_cast<uint32_t>(regex);
    auto at = std::partition_point(begin, end, [&](uint32_t i) { return regex_ids_[i] < number; });
    for (; at != end && regex_ids_[*at] == number; ++at) out.push_back(*at);
  }
  std::sort(out.begin(), out.end());
  return out;
}

template <class Visit>
bool RouteTable::search_regexes(const Site& site, std::string_view path,
                                const CaptureValues& values, Visit& visit) const {
  const RegexGroup::Matches matches(groups_[site.group], path);
  if (const std::vector<int>* const all = matches.all()) {
    const auto places = places_of(site, *all);
    return std::any_of(places.begin(), places.end(),
                       [&](uint32_t i) { return visit(ordered_[i], values); });
  }
  for (uint32_t i = slot_begins_[site.regexes]; i < slot_begins_[site.regexes + 1]; ++i)
    if (matches.has(regex_ids_[i]) && visit(ordered_[i], values)) return true;
  return false;
}

template <class Visit>
bool RouteTable::search(std::string_view host, std::string_view path, CaptureValues& values,
                        Visit& visit) const {
  const auto visit_slot = [&](uint32_t n, const CaptureValues& captured) {
    for (uint32_t i = slot_begins_[n]; i < slot_begins_[n + 1]; ++i)
      if (visit(ordered_[i], captured)) return true;
    return false;
  };
  return hosts_.search(host, [&](uint32_t number) {
    const Site& site = sites_[number];
    if (trie_.search(site.tree, path, values, visit_slot)) return true;
    if (site.regexes != none && search_regexes(site, path, values, visit)) return true;
    if (site.any == none) return false;
    values.values[0] = path.substr(1);
    values.count = 1;
    if (visit_slot(site.any, values)) return true;
    values.count = 0;
    return false;
  });
}

RouteTable::Found RouteTable::find(const Request& request) const {
  Found found;
  const std::string_view path = request.target.path;
  if (!path.starts_with('/')) return found;  // CONNECT, OPTIONS *
  CaptureValues values;
  bool method_missed = false;
  auto choose = [&](uint32_t index, const CaptureValues&) {
    const CompiledRoute& route = routes_[index];
    if (!route.allows(request)) {
      method_missed = true;
      return false;
    }
    if (!route.conditions.empty() && !hold_all(route.conditions, request)) return false;
    found.route = index;
    return true;
  };
  if (search(request.host, path, values, choose))
    found.captures = captures(routes_[found.route], request, values);
  else if (method_missed)
    found.allow = allow(request);
  return found;
}

std::span<const Capture> RouteTable::captures(const CompiledRoute& route, const Request& request,
                                              CaptureValues& values) const {
  const size_t count = route.capture_names.size();
  if (count == 0) return {};
  if (route.regex != nullptr)
    match_groups(*route.regex, route.groups, request.target.path, values.values);
  auto* const out = request.arena.array<Capture>(count);
  for (size_t i = 0; i < count; ++i) out[i] = {route.capture_names[i], values.values[i]};
  return {out, count};
}

// Once more through all routes, for those that only the method kept away (RFC 9110, section
// 15.5.6).
std::string_view RouteTable::allow(const Request& request) const {
  MethodSet methods;
  CaptureValues values;
  auto collect = [&](uint32_t index, const CaptureValues&) {
    const CompiledRoute& route = routes_[index];
    if (!route.allows(request) && hold_all(route.conditions, request))
      methods.add_all(route.methods);
    return false;
  };
  search(request.host, request.target.path, values, collect);
  return request.arena.copy(methods.empty() ? std::string{} : methods.text());
}

}  // namespace banyan
