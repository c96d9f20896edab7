#include "upstream/cluster.h"

#include <algorithm>

namespace banyan {

void Cluster::set_members(const std::vector<Member>& members) {
  std::vector<EndpointPtr> now;
  now.reserve(members.size());
  for (const Member& m : members) {
    auto same = std::find_if(endpoints_.begin(), endpoints_.end(), [&](const EndpointPtr& e) {
      return e->name() == m.name && e->address() == m.address;
    });
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
