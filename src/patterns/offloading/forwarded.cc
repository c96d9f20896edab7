#include "patterns/offloading/forwarded.h"

#include <algorithm>

#include "http/forwarded.h"
#include "http/hop.h"

namespace banyan {

Task<Reply> HopFilter::call(Request& request) {
  remove_hop_by_hop(request.headers);
  return next->call(request);
}

bool trusts(const std::vector<Cidr>& networks, const Address& peer) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Cidr& network) { return network.contains(peer.ip); });
}

Task<Reply> ForwardedFilter::call(Request& request) {
  set_forwarded(request, trusts(trust_, request.client));
  return next->call(request);
}

}  // namespace banyan
