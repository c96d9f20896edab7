#include "patterns/routing/explain.h"

#include <algorithm>

namespace banyan {

namespace {

using Reasons = std::vector<std::string>;

std::string hosts_text(const std::vector<HostPattern>& hosts) {
  std::string out;
  for (const HostPattern& host : hosts) out += (out.empty() ? "" : ", ") + to_string(host);
  return out;
}

// The most specific of a route's hosts that fits; null: it has no host.
const HostPattern* fitting_host(const RoutePlace& place, std::string_view host) {
  const HostPattern* best = nullptr;
  for (const HostPattern& pattern : place.hosts)
    if (pattern.matches(host) &&
        (best == nullptr ||
         (best->wildcard && (!pattern.wildcard || pattern.name.size() > best->name.size()))))
      best = &pattern;
  return best;
}

std::string path_text(const RouteSettings& settings) {
  if (!settings.match.path.empty()) return settings.match.path;
  return settings.match.path_regex.empty() ? "any path" : "~" + settings.match.path_regex;
}

class Case {
 public:
  Case(const RouteTable& table, std::span<const RouteSettings> settings, const Request& request)
      : table_(table), settings_(settings), request_(request) {}

  RoutePlace place_of_route(uint32_t index) const {
    CompiledRoute scratch;
    RoutePlace place;
    Problems told_before;
    compile_route(settings_[index], scratch, place, told_before);
    return place;
  }

  // What does not fit; empty: all of it does.
  Reasons misfits(uint32_t index, const RoutePlace& place) const {
    Reasons out;
    const CompiledRoute& route = table_.route(index);
    if (!place.hosts.empty() && fitting_host(place, request_.host) == nullptr)
      out.push_back("host is " + hosts_text(place.hosts) + ", the request has " +
                    (request_.host.empty() ? "none" : printable(request_.host)));
    if (!path_fits(route, place))
      out.push_back("path is " + path_text(settings_[index]) + ", the request has " +
                    printable(request_.target.path));
    if (!route.allows(request_))
      out.push_back("methods are " + route.methods.text() + ", the request has " +
                    printable(request_.method_text));
    for (const Condition& c : route.conditions)
      if (!holds(c, request_)) out.push_back(describe_failure(c, request_));
    return out;
  }

  // Why a route that fits loses against the winner.
  std::string less_specific(uint32_t index, const RoutePlace& place, uint32_t winner,
                            const RoutePlace& best) const {
    if (std::string why = host_reason(place, best); !why.empty()) return "less specific: " + why;
    if (std::string why = path_reason(place, best); !why.empty()) return "less specific: " + why;
    if (std::string why = rank_reason(table_.route(index).rank(), table_.route(winner).rank());
        !why.empty())
      return "less specific: " + why;
    return "as specific, and later in the list";
  }

  // How far from fitting; less is nearer. A path that begins alike is nearer than another.
  std::tuple<int, int, size_t> distance(uint32_t index, const RoutePlace& place,
                                        const Reasons& misfit) const {
    const std::string& path = settings_[index].match.path;
    const std::string_view asked = request_.target.path;
    const auto differs = std::mismatch(path.begin(), path.end(), asked.begin(), asked.end()).first;
    const bool elsewhere = !place.hosts.empty() && fitting_host(place, request_.host) == nullptr;
    const bool other_path = !path_fits(table_.route(index), place);
    const int far = static_cast<int>(misfit.size()) + 3 * (elsewhere + other_path);
    return {far, -static_cast<int>(differs - path.begin()), index};
  }

 private:
  bool path_fits(const CompiledRoute& route, const RoutePlace& place) const {
    const std::string_view path = request_.target.path;
    if (!path.starts_with('/')) return false;
    switch (place.path) {
      case RoutePlace::Path::pattern:
        return place.pattern.matches(path);
      case RoutePlace::Path::regex:
        return route.regex != nullptr && matches_whole(*route.regex, path);
      case RoutePlace::Path::any:
        break;
    }
    return true;
  }

  std::string host_reason(const RoutePlace& place, const RoutePlace& best) const {
    const HostPattern* const a = fitting_host(place, request_.host);
    const HostPattern* const b = fitting_host(best, request_.host);
    if (b == nullptr || (a != nullptr && *a == *b)) return {};
    return "host " + to_string(*b) + " wins over " + (a != nullptr ? to_string(*a) : "no host");
  }

  static std::string path_reason(const RoutePlace& place, const RoutePlace& best) {
    static constexpr std::string_view kinds[] = {"a pattern", "a path_regex", "any path"};
    if (place.path != best.path)
      return std::string(kinds[static_cast<size_t>(best.path)]) + " wins over " +
             std::string(kinds[static_cast<size_t>(place.path)]);
    if (place.path != RoutePlace::Path::pattern) return {};
    return segment_reason(place.pattern.segments, best.pattern.segments);
  }
  static std::string segment_reason(const std::vector<Segment>& other,
                                    const std::vector<Segment>& best) {
    static constexpr std::string_view kinds[] = {
        "a literal path", "a parameter with text around it", "a parameter", "a rest"};
    const auto word = [&](const Segment& s) {
      return std::string(kinds[static_cast<size_t>(s.kind)]);
    };
    const auto [a, b] = std::mismatch(other.begin(), other.end(), best.begin(), best.end());
    if (a == other.end() && b == best.end()) return {};
    if (b == best.end()) return "a path that ends wins over " + word(*a);
    if (a == other.end()) return word(*b) + " wins over a path that ends";
    if (a->kind == b->kind) return "more text around a parameter wins";
    return word(*b) + " wins over " + word(*a);
  }

  static std::string rank_reason(const Rank& other, const Rank& best) {
    if (std::get<0>(other) != std::get<0>(best))
      return "a route with methods wins over one without";
    if (std::get<1>(other) != std::get<1>(best)) return "more conditions win over fewer";
    if (other != best) return "exact conditions win over prefixes, these over others";
    return {};
  }

  const RouteTable& table_;
  const std::span<const RouteSettings> settings_;
  const Request& request_;
};

std::string why_of(const RouteTable& table, const Explanation& e) {
  if (e.found)
    return "the most specific route that fits is '" + table.route(e.found.route).name + "'";
  if (e.found.allow.empty()) return "no route fits: 404";
  return "only the method does not fit (allowed: " + std::string(e.found.allow) + "): 405";
}

}  // namespace

Explanation explain(const RouteTable& table, std::span<const RouteSettings> settings,
                    const Request& request, size_t others_max) {
  Explanation out{.found = table.find(request)};
  out.why = why_of(table, out);
  const Case asked(table, settings, request);
  const uint32_t winner = out.found.route;
  const RoutePlace best = out.found ? asked.place_of_route(winner) : RoutePlace{};
  struct Near {
    std::tuple<int, int, size_t> distance;
    Explanation::Other other;
    bool operator<(const Near& b) const { return distance < b.distance; }
  };
  std::vector<Near> nearest;  // sorted, bounded
  for (uint32_t i = 0; i < settings.size(); ++i) {
    if (i == winner) continue;
    const RoutePlace place = asked.place_of_route(i);
    Near near{{}, {i, asked.misfits(i, place)}};
    near.distance = asked.distance(i, place, near.other.reasons);
    if (nearest.size() == others_max && (others_max == 0 || !(near < nearest.back()))) continue;
    if (near.other.reasons.empty())
      near.other.reasons.push_back(out.found ? asked.less_specific(i, place, winner, best)
                                             : "the request is for the server itself");
    nearest.insert(std::upper_bound(nearest.begin(), nearest.end(), near), std::move(near));
    if (nearest.size() > others_max) nearest.pop_back();
  }
  for (Near& near : nearest) out.others.push_back(std::move(near.other));
  return out;
}

}  // namespace banyan
