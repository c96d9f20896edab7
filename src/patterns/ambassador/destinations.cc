#include "patterns/ambassador/destinations.h"

#include <algorithm>

#include "task/combine.h"

namespace banyan {

namespace {

constexpr Duration look_every = std::chrono::seconds(10);

Duration duration(Nanoseconds time) { return std::chrono::duration_cast<Duration>(time); }

ClusterLimits limits_of(const TimeoutSettings& timeout) {
  ClusterLimits out;
  out.connect_max = duration(timeout.connect);
  out.answer_max = duration(std::min(timeout.attempt.value_or(timeout.request), timeout.request));
  out.h1.body.gap_max = duration(timeout.idle);
  return out;
}

// Nothing of it is under way, but for idle connections.
bool is_idle(const Cluster& cluster) {
  return std::ranges::all_of(cluster.endpoints(),
                             [](const EndpointPtr& e) { return e->load() == 0; });
}

}  // namespace

struct Destinations::Destination {
  Destination(Context& context, Resolver& resolver, ClusterPtr made, Location where,
              Discovery::Admits admits)
      : cluster(std::move(made)),
        discovery(context, resolver, *cluster, {{.where = std::move(where)}}, std::move(admits)) {
    discovery.start();
  }
  const ClusterPtr cluster;
  Discovery discovery;
  Time used{};
};

Destinations::Destinations(Context& context, Network& network, Resolver& resolver, std::string name,
                           const ForwardProxySettings& settings)
    : context_(context),
      network_(network),
      resolver_(resolver),
      name_(std::move(name)),
      settings_(settings),
      limits_(limits_of(settings.timeout)),
      nursery_(context) {}

Destinations::DestinationPtr Destinations::make(std::string_view host, uint16_t port) {
  auto where = locate("http://" + std::string(host) + ":" + std::to_string(port));
  if (!where) return nullptr;
  auto cluster = std::make_shared<Cluster>(name_, network_, context_.loop, Balance{}, limits_);
  const auto admits = [this, h = std::string(host), port](const Address& address) {
    return settings_.allows(address.ip, h, port);
  };
  return std::make_shared<Destination>(context_, resolver_, std::move(cluster), std::move(*where),
                                       admits);
}

Result<Destinations::DestinationPtr> Destinations::known_or_new(std::string_view host,
                                                                uint16_t port) {
  std::string key = std::string(host) + ":" + std::to_string(port);
  const auto found = all_.find(key);
  if (found != all_.end()) return found->second;
  if (stopped_)
    return fail(Code::overloaded, Side::self,
                "the configuration was replaced while the request came in; send it again", true);
  if (all_.size() >= settings_.destinations && !make_room())
    return fail(Code::overloaded, Side::self,
                "as many hosts are in use as forward_proxy.destinations allows", true);
  auto made = make(host, port);
  if (made == nullptr)
    return fail({Code::protocol, Side::client, false, 400, "the host is no name and no address"});
  if (!std::exchange(looking_, true)) nursery_.start([this] { return forget_unused(); });
  return all_.emplace(std::move(key), std::move(made)).first->second;
}

Task<Result<ClusterPtr>> Destinations::find(std::string_view host, uint16_t port) {
  // It may be forgotten while this waits.
  const DestinationPtr destination = TRY(known_or_new(host, port));
  destination->used = context_.loop.now();
  if (destination->cluster->endpoints().empty())
    co_await destination->discovery.ready(limits_.connect_max);
  if (!destination->cluster->endpoints().empty()) co_return destination->cluster;
  if (destination->discovery.kept_out())
    co_return fail({Code::protocol, Side::client, false, 403,
                    "the host leads to an address that forward_proxy does not allow"});
  co_return fail({Code::unavailable, Side::upstream, true, 502,
                  "the host has no address that could be found"});
}

// The one that is idle and was not wanted for the longest time.
bool Destinations::make_room() {
  auto oldest = all_.end();
  for (auto one = all_.begin(); one != all_.end(); ++one) {
    const bool waited_for = one->second.use_count() > 1;
    if (waited_for || !is_idle(*one->second->cluster)) continue;
    if (oldest == all_.end() || one->second->used < oldest->second->used) oldest = one;
  }
  if (oldest == all_.end()) return false;
  forget(oldest);
  return true;
}

void Destinations::forget(std::map<std::string, DestinationPtr, std::less<>>::iterator one) {
  // Before stop() only, so the nursery takes it.
  nursery_.start([gone = std::move(one->second)] { return gone->discovery.stop(); });
  all_.erase(one);
}

Task<> Destinations::forget_unused() {
  do {
    if (!co_await sleep_for(look_every)) co_return;
    for (auto one = all_.begin(); one != all_.end();) {
      const auto next = std::next(one);
      const bool unused = after(one->second->used, forgotten_after) <= context_.loop.now();
      if (unused && one->second.use_count() == 1 && is_idle(*one->second->cluster)) forget(one);
      one = next;
    }
  } while (!all_.empty());
  looking_ = false;
}

Task<> Destinations::stop() {
  stopped_ = true;
  nursery_.cancel();
  co_await nursery_.join();
  for (auto& [name, destination] : all_) co_await destination->discovery.stop();
}

}  // namespace banyan
