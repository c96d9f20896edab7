#include "patterns/routing/conflicts.h"

#include <map>
#include <set>
#include <unordered_map>

#include "patterns/routing/implication.h"

namespace banyan {

namespace {

class Finder {
 public:
  Finder(const RouteTable& table, std::span<const RouteSettings> settings,
         std::span<const RoutePlace> places, Problems& problems)
      : table_(table),
        settings_(settings),
        places_(places),
        problems_(problems),
        slots_(settings.size()),
        shadowed_(settings.size()) {}

  void find() {
    for (uint32_t route = 0; route < table_.size(); ++route) find_alone(route);
    for (size_t n = 0; n < table_.slots(); ++n) {
      const RouteTable::Slot slot = table_.slot(n);
      for (uint32_t route : slot) ++slots_[route];
      if (slot.size() < 2) continue;
      find_equals(slot);
      if (slot.size() <= compared_pairwise_max) find_pairs(slot);
    }
    if (!regexes_.empty()) index_rests();
    for (uint32_t route : regexes_) find_covered(route);
    tell_shadowed();
  }

 private:
  using Pair = std::pair<uint32_t, uint32_t>;

  // "'GET /x' (banyan.yaml:3:5)"
  std::string shown(uint32_t route) const {
    return "'" + table_.route(route).name + "' (" + to_string(place_of(settings_[route])) + ")";
  }
  void never(uint32_t route, const std::string& why) {
    problems_.warning(place_of(settings_[route]), "match", "this route can never match: " + why);
  }

  void find_alone(uint32_t route) {
    const CompiledRoute& r = table_.route(route);
    if (r.regex != nullptr) {
      if (!may_begin_with(*r.regex, "/"))
        never(route, "a path begins with '/', and path_regex is for the whole path");
      else
        regexes_.push_back(route);
    }
    if (const std::string why = contradiction(r.conditions); !why.empty()) never(route, why);
    MethodSet connect;
    connect.add("CONNECT");
    if (!r.methods.empty() && connect.covers(r.methods))
      never(route, "CONNECT asks for a tunnel, which no route gives");
  }

  // Of routes in a regex slot only those with the same expression meet.
  bool same_path(uint32_t a, uint32_t b) const {
    const RegexPtr &x = table_.route(a).regex, &y = table_.route(b).regex;
    return x == nullptr || text_of(*x) == text_of(*y);
  }

  // Equal: same conditions, and a method in common. One look at each, whatever their number.
  void find_equals(RouteTable::Slot slot) {
    std::unordered_map<std::string, std::vector<uint32_t>> alike;
    for (uint32_t route : slot) {
      const CompiledRoute& r = table_.route(route);
      std::string key = (r.methods.empty() ? "*" : ".") + canonical(r.conditions);
      if (r.regex != nullptr) key += text_of(*r.regex);
      auto& before = alike[std::move(key)];
      for (uint32_t other : before)
        if (table_.route(other).methods.overlaps(r.methods)) {
          tell_equal(std::min(route, other), std::max(route, other));
          break;
        }
      before.push_back(route);
    }
  }
  void tell_equal(uint32_t first, uint32_t second) {
    if (!told_.insert({first, second}).second) return;
    problems_.error(place_of(settings_[second]), "match",
                    "equal to route " + shown(first) +
                        ": a request that fits one fits both; change or remove one of them");
  }

  void find_pairs(RouteTable::Slot slot) {
    for (size_t b = 1; b < slot.size(); ++b) {
      bool covered = false;
      for (size_t a = 0; a < b && !covered; ++a) {
        if (!same_path(slot[a], slot[b])) continue;
        covered = covers(slot[a], slot[b]);
        if (covered)
          shadow(slot[b], slot[a]);
        else
          find_tie(slot[a], slot[b]);
      }
    }
  }
  // Whether `a`, which is asked first, takes everything that is for `b`.
  bool covers(uint32_t a, uint32_t b) const {
    const CompiledRoute &x = table_.route(a), &y = table_.route(b);
    return x.methods.covers(y.methods) && imply_all(y.conditions, x.conditions);
  }
  void find_tie(uint32_t a, uint32_t b) {
    const CompiledRoute &x = table_.route(a), &y = table_.route(b);
    if (x.rank() != y.rank() || !x.methods.overlaps(y.methods)) return;
    if (look_exclusive(x.conditions, y.conditions) || told_.contains({a, b})) return;
    told_.insert({a, b});
    problems_.warning(place_of(settings_[b]), "match",
                      "as specific as route " + shown(a) +
                          "; a request that fits both goes to that one, which comes first");
  }

  // A regex whose every match begins with a text that a "/text/{rest...}" of the same host takes.
  void find_covered(uint32_t index) {
    const CompiledRoute& route = table_.route(index);
    const std::vector<HostPattern> any = {HostPattern{}};
    const auto& hosts = places_[index].hosts.empty() ? any : places_[index].hosts;
    uint32_t cover = RouteTable::none;
    for (const HostPattern& host : hosts) {
      cover = cover_of(route, host);
      if (cover == RouteTable::none) return;
    }
    never(index, "route " + shown(cover) + " takes every such path, and is more specific");
  }
  uint32_t cover_of(const CompiledRoute& route, const HostPattern& host) const {
    const auto it = rests_.find(to_string(host));
    if (it == rests_.end()) return RouteTable::none;
    for (const auto& [prefix, other] : it->second)
      if (table_.route(other).methods.covers(route.methods) &&
          imply_all(route.conditions, table_.route(other).conditions) &&
          always_begins_with(*route.regex, prefix))
        return other;
    return RouteTable::none;
  }
  void index_rests() {
    for (uint32_t i = 0; i < places_.size(); ++i) {
      const std::string prefix = rest_prefix(places_[i]);
      if (prefix.empty()) continue;
      if (places_[i].hosts.empty()) add_rest({}, prefix, i);
      for (const HostPattern& host : places_[i].hosts) add_rest(to_string(host), prefix, i);
    }
  }
  void add_rest(const std::string& host, const std::string& prefix, uint32_t route) {
    auto& all = rests_[host];
    if (all.size() < compared_pairwise_max) all.emplace_back(prefix, route);
  }
  // "/a/b/" of "/a/b/{rest...}"; empty: it is no such pattern.
  static std::string rest_prefix(const RoutePlace& place) {
    if (place.path != RoutePlace::Path::pattern) return {};
    std::string out = "/";
    for (const Segment& s : place.pattern.segments) {
      if (s.kind == Segment::Kind::rest) return out;
      if (s.kind != Segment::Kind::literal) return {};
      out += s.prefix + "/";
    }
    return {};
  }

  void shadow(uint32_t route, uint32_t by) {
    ++shadowed_[route].count;
    shadowed_[route].by = by;
  }
  // In every slot of its: each host it has.
  void tell_shadowed() {
    for (uint32_t i = 0; i < shadowed_.size(); ++i) {
      const auto [count, by] = shadowed_[i];
      if (count == 0 || count != slots_[i]) continue;
      if (told_.contains({std::min(i, by), std::max(i, by)})) continue;
      never(i, "route " + shown(by) + " takes every such request, and is asked first");
    }
  }

  struct Shadow {
    uint32_t count = 0;
    uint32_t by = 0;
  };

  const RouteTable& table_;
  const std::span<const RouteSettings> settings_;
  const std::span<const RoutePlace> places_;
  Problems& problems_;
  std::vector<uint32_t> slots_;  // in how many slots a route is
  std::vector<Shadow> shadowed_;
  std::vector<uint32_t> regexes_;  // routes with a path_regex that may match
  std::set<Pair> told_;
  std::map<std::string, std::vector<std::pair<std::string, uint32_t>>> rests_;  // by host
};

}  // namespace

void tell_conflicts(const RouteTable& table, std::span<const RouteSettings> settings,
                    std::span<const RoutePlace> places, Problems& problems) {
  Finder(table, settings, places, problems).find();
}

}  // namespace banyan
