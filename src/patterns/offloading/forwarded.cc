#include "patterns/offloading/forwarded.h"

#include <algorithm>

#include "http/forwarded.h"
#include "http/hop.h"
#include "service/respond.h"

namespace banyan {

namespace {

Task<Reply> give(Reply reply) { co_return reply; }

// It reflects nothing: a TRACE would show a script what only the browser and we should see.
Reply final_answer(Request& request) {
  if (request.method == Method::options) return make_response(request, 204);
  return respond(request.arena, 501, "TRACE is not answered here", Side::client);
}

}  // namespace

Task<Reply> HopFilter::call(Request& request) {
  remove_hop_by_hop(request.headers);
  const auto further = spend_forward(request.method, request.headers);
  if (!further) return give(std::unexpected(further.error()));
  if (!*further) return give(final_answer(request));
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
