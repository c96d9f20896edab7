#include "upstream/cluster.h"

#include <algorithm>

namespace banyan {

void Cluster::set_members(const std::vector<Member>& members) {
  std::vector<EndpointPtr> now;
  now.reserve(members.size());
  for (const Member& m : members) {
    const auto is_it = [&](const EndpointPtr& e) { return e->address() == m.address; };
    const auto twice = std::ranges::find_if(now, is_it);
    if (twice != now.end()) {
      (*twice)->add_weight(m.weight);
      continue;
    }
    auto same = std::ranges::find_if(
        endpoints_, [&](const EndpointPtr& e) { return is_it(e) && e->name() == m.name; });
    if (same != endpoints_.end()) {
      (*same)->set_weight(m.weight);
      now.push_back(*same);
    } else {
      now.push_back(std::make_shared<Endpoint>(loop_, m.name, m.address, m.weight, limits_.pool));
    }
  }
  endpoints_ = std::move(now);
}

}  // namespace banyan
