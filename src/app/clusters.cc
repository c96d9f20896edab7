#include "app/clusters.h"

#include <algorithm>

namespace banyan {

namespace {

Duration duration(Nanoseconds time) { return std::chrono::duration_cast<Duration>(time); }

ClusterLimits limits_of(const ServiceSettings& settings) {
  const TimeoutSettings timeout = settings.timeout.value_or(TimeoutSettings{});
  const PoolSettings pool = settings.pool.value_or(PoolSettings{});
  ClusterLimits out;
  out.connect_max = duration(timeout.connect);
  out.answer_max = duration(std::min(timeout.attempt.value_or(timeout.request), timeout.request));
  out.h1.body.gap_max = duration(timeout.idle);
  out.pool = {.connections_max = pool.connections,
              .idle_max = pool.idle,
              .idle_age_max = duration(pool.idle_age),
              .life_max = duration(pool.life),
              .exchanges_max = pool.requests};
  out.use = rules_of(settings.use);
  return out;
}

std::vector<Discovery::Source> sources_of(const ServiceSettings& settings) {
  std::vector<Discovery::Source> out;
  // The reader has refused what locate() cannot read.
  for (const EndpointSettings& endpoint : settings.endpoints)
    if (auto where = locate(endpoint.url))
      out.push_back({.where = std::move(*where), .weight = endpoint.weight});
  return out;
}

// What a cluster is made of; where it stands in the file does not matter.
bool same(const ServiceSettings& a, const ServiceSettings& b) {
  const auto same_endpoint = [](const EndpointSettings& x, const EndpointSettings& y) {
    return x.url == y.url && x.weight == y.weight;
  };
  return std::ranges::equal(a.endpoints, b.endpoints, same_endpoint) && a.use == b.use &&
         a.timeout == b.timeout && a.pool == b.pool && a.tls == b.tls && a.http2 == b.http2;
}

}  // namespace

DiscoveredCluster::DiscoveredCluster(Context& context, Engine& engine, Resolver& resolver,
                                     const std::string& name, const ServiceSettings& settings,
                                     Nursery& connections)
    : settings_(settings),
      cluster_(std::make_shared<Cluster>(name, engine, context.loop, settings.use.balance.method,
                                         limits_of(settings))),
      discovery_(context, resolver, *cluster_, sources_of(settings)) {
  if (settings.tls_context != nullptr)
    cluster_->use_tls({settings.tls_context, settings.tls ? settings.tls->server_name : ""});
  if (wants_http2(settings.endpoints, settings.http2)) cluster_->use_http2(connections);
  if (settings.use.health) checks_.emplace(context, *cluster_).start();
  discovery_.start();
}

Task<> DiscoveredCluster::stop() {
  cluster_->retire();
  co_await discovery_.stop();
  if (checks_) co_await checks_->stop();
}

Clusters::Clusters(Context& context, Engine& engine, Resolver& resolver, const Settings& settings,
                   const Clusters* before, Nursery& connections) {
  for (const auto& [name, place, service] : settings.services) {
    if (service.endpoints.empty()) continue;
    DiscoveredClusterPtr& mine = all_[name];
    if (before != nullptr) {
      const auto old = before->all_.find(name);
      if (old != before->all_.end() && same(old->second->settings(), service)) mine = old->second;
    }
    if (mine == nullptr)
      mine = std::make_shared<DiscoveredCluster>(context, engine, resolver, name, service,
                                                 connections);
  }
  for (const auto& [name, place, listener] : settings.listeners) {
    if (!listener.only || !listener.only->proxy) continue;
    std::shared_ptr<Destinations>& mine = destinations_[name];
    if (before != nullptr) mine = before->destinations(name);
    if (mine == nullptr || !(mine->settings() == *listener.only->proxy))
      mine = std::make_shared<Destinations>(context, engine, resolver, "ambassador " + name,
                                            *listener.only->proxy);
  }
}

std::shared_ptr<Destinations> Clusters::destinations(std::string_view entry) const {
  const auto found = destinations_.find(entry);
  return found != destinations_.end() ? found->second : nullptr;
}

ClusterPtr Clusters::find(std::string_view name) const {
  const auto found = all_.find(name);
  return found != all_.end() ? found->second->cluster() : nullptr;
}

std::map<std::string, ClusterStatus> Clusters::status(Time now) const {
  std::map<std::string, ClusterStatus> out;
  for (const auto& [name, mine] : all_) out.emplace(name, status_of(*mine->cluster(), now));
  return out;
}

Task<> Clusters::ready(Duration at_most) {
  Loop& loop = (co_await current_context()).loop;
  const Time until = after(loop.now(), at_most);
  for (auto& [name, mine] : all_) {
    if (loop.now() >= until) co_return;
    co_await mine->ready(until - loop.now());
  }
}

Task<> Clusters::retire(const Clusters* next) {
  for (auto& [name, mine] : all_) {
    if (next != nullptr) {
      const auto kept = next->all_.find(name);
      if (kept != next->all_.end() && kept->second == mine) continue;
    }
    co_await mine->stop();
  }
  for (auto& [name, mine] : destinations_)
    if (next == nullptr || next->destinations(name) != mine) co_await mine->stop();
}

}  // namespace banyan
