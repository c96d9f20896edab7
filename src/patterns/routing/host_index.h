// HostPattern and HostIndex: which routes a request's host may have. Every pattern that occurs has
// a number (its site); a search gets the sites from the most specific one: the exact name, then
// wildcards from the longest suffix, then the routes without a host. Owner: the route table.
// Thread: built on one, then read only. Cost: one hash look-up, and one more for each label while
// there are wildcards; labels beyond those of the longest wildcard are not looked at, so that a
// host of a thousand dots costs no more.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "patterns/routing/pieces.h"

namespace banyan {

struct HostPattern {
  std::string name;  // lower-case; of a wildcard: the suffix with its dot, ".shop.example"
  bool wildcard = false;

  bool matches(std::string_view host) const;
  friend bool operator==(const HostPattern&, const HostPattern&) = default;
};

// "shop.example", "*.shop.example" (every name below it, at any depth, not itself), "10.0.0.1",
// "[::1]". The text is lower-cased; a final dot goes.
OrMessage<HostPattern> parse_host_pattern(std::string_view text);
std::string to_string(const HostPattern& pattern);

class HostIndex {
 public:
  static constexpr uint32_t no_host = 0;  // the site of routes without a host; always there

  // The pattern's site, a new one the first time.
  uint32_t add(const HostPattern& pattern);
  uint32_t size() const { return sites_; }

  // Calls visit(site) from the most specific one on, until it says true.
  template <class Visit>
  bool search(std::string_view host, Visit&& visit) const {
    if (!exact_.empty())
      if (const auto it = exact_.find(host); it != exact_.end() && visit(it->second)) return true;
    if (labels_max_ != 0 && search_wildcards(host, visit)) return true;
    return visit(no_host);
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  using Sites = std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>>;

  // Where a suffix with as many labels as the longest wildcard begins.
  size_t first_dot(std::string_view host) const;

  template <class Visit>
  bool search_wildcards(std::string_view host, Visit& visit) const {
    for (size_t dot = first_dot(host); dot != std::string_view::npos;
         dot = host.find('.', dot + 1)) {
      if (dot == 0) continue;  // nothing below the name
      const auto it = wildcards_.find(host.substr(dot));
      if (it != wildcards_.end() && visit(it->second)) return true;
    }
    return false;
  }

  Sites exact_, wildcards_;
  size_t labels_max_ = 0;  // of a wildcard's suffix
  uint32_t sites_ = 1;
};

}  // namespace banyan
