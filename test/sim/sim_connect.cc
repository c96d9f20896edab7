// Handshakes of the simulated network: connecting and listening.
#include <algorithm>
#include <utility>

#include "sim/sim_listener.h"
#include "sim/sim_stream.h"
#include "sim/sim_world.h"

namespace banyan {

namespace {

// How long Linux waits before it sends a SYN again that nobody answered (RFC 6298, section 2).
constexpr Duration handshake_again = std::chrono::seconds(1);

std::unexpected<Error> refusal() {
  return fail(Code::unavailable, Side::upstream, "the endpoint refused the connection", true);
}

bool any_host(const Address& a) { return host_text(a) == "0.0.0.0" || host_text(a) == "::"; }

}  // namespace

struct SimDial {
  uint64_t id;
  Connect* op;  // null once it has ended
  Route route;
  Lane there, back;
};

bool SimWorld::dial(Connect& op, const Address& from) {
  if (auto fault = count(from)) {
    static constexpr Code codes[] = {Code::unavailable, Code::timeout, Code::cancelled};
    op.result = fail(codes[static_cast<int>(*fault)], Side::upstream, "simulated fault", true);
    return true;
  }
  if (op.address.family == Address::Family::none) {
    op.result = refusal();
    return true;
  }
  auto dial = std::make_shared<SimDial>(next_id_++, &op, Route{from, op.address});
  dial->route.client.port = next_port_++;
  op.pending = dial.get();
  dials_.emplace(dial->id, dial);
  carry(dial->route, dial->there, 0, conditions(op.address).connect_latency, dial,
        [this, dial] { handshake(dial); });
  return false;
}

void SimWorld::cancel_dial(Connect& op, Code why) {
  auto& dial = *static_cast<SimDial*>(op.pending);
  dial.op = nullptr;
  dials_.erase(dial.id);
  op.result =
      fail(why, Side::upstream,
           why == Code::timeout ? "the endpoint did not accept in time" : "called off", true);
  op.complete_soon();
}

void SimWorld::finish(SimDial& dial, Result<StreamPtr> result) {
  Connect& op = *std::exchange(dial.op, nullptr);
  dials_.erase(dial.id);
  op.result = std::move(result);
  op.complete();
}

// The first segment has come to the server.
void SimWorld::handshake(const std::shared_ptr<SimDial>& dial) {
  if (dial->op == nullptr) return;  // the client has gone meanwhile
  const Redirect* const redirect = redirect_of(dial->route);
  SimListener* listener = listener_of(redirect != nullptr ? redirect->to : dial->route.server);
  if (listener == nullptr || reach(dial->route) == SimLink::Reach::refused)
    return carry(dial->route, dial->back, 0, {}, dial, [this, dial] {
      if (dial->op != nullptr) finish(*dial, refusal());
    });
  if (listener->full())
    return schedule_.at(now_ + handshake_again, [this, dial] { handshake(dial); });
  auto connection = std::make_shared<SimConnection>(*this, dial->route);
  connection->redirected = redirect != nullptr;
  auto server = std::make_unique<SimStream>(connection, 1);
  // In the lane of what the server sends, so that nothing overtakes the handshake.
  carry(dial->route, connection->pipes[0].lane, 0, {}, connection, [this, dial, connection] {
    if (dial->op != nullptr) return finish(*dial, std::make_unique<SimStream>(connection, 0));
    connection->send_reset(1);
  });
  listener->arrive(std::move(server));
}

Result<ListenerPtr> SimWorld::listen(const Address& at, const ListenOptions& options,
                                     const Address& host) {
  Address local = at;
  // A path is never shared, whatever the listeners allow: SO_REUSEPORT is for ports.
  const bool path = at.family == Address::Family::unix_path;
  if (!path && local.port == 0) local.port = next_port_++;
  for (const SimListener* other : listeners_)
    if (other->local() == local && (path || !options.reuse_port || !other->reuse_port()))
      return fail(Code::unavailable, Side::self, "the address is in use");
  // A listener's operations are those of the host it listens on.
  const bool own = path || any_host(at);
  return std::make_unique<SimListener>(*this, local, options, own ? host : local);
}

void SimWorld::redirect(std::string_view wanted, std::string_view to,
                        std::string_view unless_from) {
  redirects_.push_back({*parse_address(wanted), *parse_address(to), std::string(unless_from)});
}

const SimWorld::Redirect* SimWorld::redirect_of(const Route& route) const {
  const auto found = std::ranges::find_if(redirects_, [&](const Redirect& r) {
    return r.wanted == route.server && host_text(route.client) != r.unless_from;
  });
  return found != redirects_.end() ? &*found : nullptr;
}

// Exact addresses before those for every host; several on one address take turns.
SimListener* SimWorld::listener_of(const Address& at) {
  std::vector<SimListener*> exact, any;
  for (SimListener* l : listeners_) {
    if (l->local() == at) exact.push_back(l);
    if (at.family != Address::Family::unix_path && l->local().port == at.port &&
        any_host(l->local()))
      any.push_back(l);
  }
  const auto& found = exact.empty() ? any : exact;
  return found.empty() ? nullptr : found[next_listener_++ % found.size()];
}

}  // namespace banyan
