#include "upstream/endpoint_status.h"

#include <algorithm>

namespace banyan {

namespace {

EndpointStatus status_of(const Endpoint& e, Time now) {
  const EndpointHealth& health = e.health();
  EndpointStatus out;
  out.name = e.name();
  out.weight = e.weight();
  out.weight_now = e.weight_at(now);
  out.healthy = health.healthy();
  out.ejected_for = std::max(health.ejected_until() - now, Duration{});
  out.ejections = health.ejections();
  if (health.circuit() != nullptr) out.breaker = health.circuit()->status(now);
  out.skipped = e.skipped();
  out.in_flight = e.in_flight();
  out.connections = e.pool().count();
  return out;
}

}  // namespace

ClusterStatus status_of(const Cluster& cluster, Time now) {
  ClusterStatus out;
  const auto& all = cluster.endpoints();
  const auto usable = static_cast<size_t>(
      std::ranges::count_if(all, [&](const auto& e) { return e->health().usable(now); }));
  out.panic = cluster.limits().use.panics(usable, all.size());
  for (const EndpointPtr& e : all) {
    EndpointStatus& one = out.endpoints.emplace_back(status_of(*e, now));
    one.used = (out.panic || e->health().usable(now)) && e->health().passable(now);
  }
  return out;
}

}  // namespace banyan
