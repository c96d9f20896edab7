// RouteTable: which route a request belongs to. The most specific match wins, whatever the order of
// the file: host (exact, longer wildcard, shorter wildcard, none), then path segment by segment
// (literal, affix, parameter, rest), then path_regex, then no path (or "/{rest...}", which says no
// more), then methods before none, then conditions by their number and by how much they say (exact,
// prefix, regex, present); what is equal in all of that is decided by the order of the file. A
// route whose methods or conditions do not hold leaves the request to the next one, also of a less
// specific path or host.
// Owner: the snapshot of the configuration, shared by all workers. Thread: built on one, then any
// (read only). Cost: follows the request's host and path, never the number of routes; routes that
// share host and path are asked one after the other. Bound: visits_max() nodes of paths a host.
#pragma once
#include <memory>
#include <span>

#include "patterns/routing/compiled_route.h"
#include "patterns/routing/path_trie.h"
#include "patterns/routing/regex_group.h"

namespace banyan {

class RouteTable {
 public:
  static constexpr uint32_t none = UINT32_MAX;
  // A table that could make a single path try more nodes than this is told as a warning.
  static constexpr uint64_t visits_warned = 4096;

  struct Found {
    uint32_t route = none;              // index in the list that the table was built of
    std::span<const Capture> captures;  // in the request's arena; names are the table's
    // Without a route: the methods that would have been allowed, as Allow wants them (405); empty:
    // there is no such resource (404). In the arena.
    std::string_view allow;
    explicit operator bool() const { return route != none; }
  };

  // Null when something is wrong; all of it is told, with places. What can never match, and other
  // slips, are warnings.
  static std::unique_ptr<const RouteTable> build(std::span<const RouteSettings> routes,
                                                 Problems& problems);

  Found find(const Request& request) const;

  size_t size() const { return routes_.size(); }
  const CompiledRoute& route(uint32_t index) const { return routes_[index]; }
  uint64_t visits_max() const { return trie_.visits_max(); }

  // Routes that share host and path, most specific first: what conflicts are looked for in.
  using Slot = std::span<const uint32_t>;
  size_t slots() const { return slot_begins_.size() - 1; }
  Slot slot(size_t n) const {
    return Slot(ordered_).subspan(slot_begins_[n], slot_begins_[n + 1] - slot_begins_[n]);
  }

 private:
  friend class RouteTableBuilder;
  struct Site {
    uint32_t tree = 0;
    uint32_t any = none;      // slot of routes without a path
    uint32_t regexes = none;  // slot of routes with a path_regex
    uint32_t group = none;    // their expressions
  };

  RouteTable() = default;
  // Calls visit(route, values) for each route whose host and path match, most specific first, until
  // it says true. `values` of a regex route are not filled in.
  template <class Visit>
  bool search(std::string_view host, std::string_view path, CaptureValues& values,
              Visit& visit) const;
  template <class Visit>
  bool search_regexes(const Site& site, std::string_view path, const CaptureValues& values,
                      Visit& visit) const;
  // Where in ordered_ the routes of a site stand that have one of these expressions; ascending.
  std::vector<uint32_t> places_of(const Site& site, const std::vector<int>& regexes) const;
  std::span<const Capture> captures(const CompiledRoute& route, const Request& request,
                                    CaptureValues& values) const;
  std::string_view allow(const Request& request) const;

  HostIndex hosts_;
  PathTrie trie_;
  std::vector<Site> sites_;  // by the number of HostIndex
  std::vector<RegexGroup> groups_;
  std::vector<CompiledRoute> routes_;
  std::vector<uint32_t> ordered_;      // routes, slot after slot
  std::vector<uint32_t> regex_ids_;    // the same for their numbers within the group
  std::vector<uint32_t> by_regex_;     // places in ordered_, each slot by the number of the regex
  std::vector<uint32_t> slot_begins_;  // one more than there are slots
};

}  // namespace banyan
