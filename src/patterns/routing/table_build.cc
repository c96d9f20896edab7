// How a RouteTable is built: each route is compiled and put into a slot for each of its hosts
// (routes of the same host and path share one), then the slots are sorted and laid out flat, then
// conflicts are looked for.
#include <algorithm>
#include <numeric>

#include "patterns/routing/conflicts.h"
#include "patterns/routing/table.h"

namespace banyan {

class RouteTableBuilder {
 public:
  RouteTableBuilder(std::span<const RouteSettings> settings, Problems& problems)
      : settings_(settings), problems_(problems) {}

  std::unique_ptr<const RouteTable> build() {
    const size_t before = problems_.errors();
    add_site();  // of routes without a host
    table_->routes_.resize(settings_.size());
    places_.resize(settings_.size());
    for (uint32_t i = 0; i < settings_.size(); ++i)
      if (compile_route(settings_[i], table_->routes_[i], places_[i], problems_)) add_route(i);
    lay_out();
    compile_groups();
    tell_conflicts(*table_, settings_, places_, problems_);
    tell_cost();
    return problems_.errors() == before ? std::move(table_) : nullptr;
  }

 private:
  static constexpr uint32_t none = RouteTable::none;

  // A route in a slot; sorting brings slots and their routes into order.
  struct Entry {
    uint32_t slot;
    Rank rank;
    uint32_t route;
    uint32_t regex;
    auto key() const { return std::tie(slot, rank, route); }
  };

  void add_site() { table_->sites_.push_back({.tree = table_->trie_.add_tree()}); }

  void add_route(uint32_t index) {
    const RoutePlace& place = places_[index];
    if (place.hosts.empty()) return add_route(index, HostIndex::no_host);
    for (const HostPattern& host : place.hosts) {
      const uint32_t site = table_->hosts_.add(host);
      if (site == table_->sites_.size()) add_site();
      add_route(index, site);
    }
  }

  void add_route(uint32_t index, uint32_t site_number) {
    const CompiledRoute& route = table_->routes_[index];
    RouteTable::Site& site = table_->sites_[site_number];
    Entry entry{none, route.rank(), index, none};
    switch (places_[index].path) {
      case RoutePlace::Path::pattern:
        entry.slot = table_->trie_.add(site.tree, places_[index].pattern, slots_);
        slots_ = std::max(slots_, entry.slot + 1);
        break;
      case RoutePlace::Path::regex:
        entry.slot = slot_of(site.regexes);
        entry.regex = group_of(site).add(route.regex);
        break;
      case RoutePlace::Path::any:
        entry.slot = slot_of(site.any);
        break;
    }
    entries_.push_back(std::move(entry));
  }
  uint32_t slot_of(uint32_t& slot) {
    if (slot == none) slot = slots_++;
    return slot;
  }
  RegexGroup& group_of(RouteTable::Site& site) {
    if (site.group == none) {
      site.group = static_cast<uint32_t>(table_->groups_.size());
      table_->groups_.emplace_back();
    }
    return table_->groups_[site.group];
  }

  void lay_out() {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.key() < b.key(); });
    table_->ordered_.reserve(entries_.size());
    table_->slot_begins_.reserve(slots_ + 1);
    for (const Entry& entry : entries_) {
      if (entry.slot == table_->slot_begins_.size())
        table_->slot_begins_.push_back(static_cast<uint32_t>(table_->ordered_.size()));
      table_->ordered_.push_back(entry.route);
      table_->regex_ids_.push_back(entry.regex);
    }
    table_->slot_begins_.push_back(static_cast<uint32_t>(table_->ordered_.size()));
  }

  void compile_groups() {
    index_regexes();
    for (RouteTable::Site& site : table_->sites_)
      if (site.group != none && !table_->groups_[site.group].compile())
        problems_.error(place_of(settings_[table_->slot(site.regexes).front()]), "match.path_regex",
                        "the path_regex of this host are too large together; use `path`, or "
                        "expressions that are simpler");
  }

  void index_regexes() {
    std::vector<uint32_t>& places = table_->by_regex_;
    places.resize(table_->ordered_.size());
    std::iota(places.begin(), places.end(), 0u);
    const auto key = [&](uint32_t place) { return std::pair(table_->regex_ids_[place], place); };
    for (const RouteTable::Site& site : table_->sites_)
      if (site.group != none)
        std::sort(places.begin() + table_->slot_begins_[site.regexes],
                  places.begin() + table_->slot_begins_[site.regexes + 1],
                  [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  }

  void tell_cost() {
    const uint64_t most = table_->visits_max();
    if (most > RouteTable::visits_warned)
      problems_.warning(place_of(settings_.front()), "routes",
                        "a single path may be compared at " + std::to_string(most) +
                            " places, because many patterns have a parameter where others have "
                            "a text; use fewer such forks");
  }

  const std::span<const RouteSettings> settings_;
  Problems& problems_;
  std::unique_ptr<RouteTable> table_{new RouteTable};
  std::vector<RoutePlace> places_;
  std::vector<Entry> entries_;
  uint32_t slots_ = 0;
};

std::unique_ptr<const RouteTable> RouteTable::build(std::span<const RouteSettings> routes,
                                                    Problems& problems) {
  return RouteTableBuilder(routes, problems).build();
}

}  // namespace banyan
