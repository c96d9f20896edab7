// Clusters: the upstream services of one version of the configuration on one worker. A service
// whose settings are those of the version before keeps its cluster: connections, speeds, failures,
// health. Checks begin when the version is prepared, so that something is known when it is used.
// Owner: the worker's version. Thread: its loop's.
// Lifetime: resolver, network and loop outlive it. A cluster lives as long as a stack names it.
#pragma once
#include <map>

#include "app/settings.h"
#include "patterns/ambassador/destinations.h"
#include "upstream/discovery.h"
#include "upstream/endpoint_status.h"
#include "upstream/health_check.h"

namespace banyan {

// A cluster, what finds its endpoints, and what checks them. stop() is awaited before it ends.
class DiscoveredCluster {
 public:
  // `connections` serves those of HTTP/2.
  DiscoveredCluster(Context& context, Engine& engine, Resolver& resolver, const std::string& name,
                    const ServiceSettings& settings, Nursery& connections);

  const ServiceSettings& settings() const { return settings_; }
  const ClusterPtr& cluster() const { return cluster_; }
  // Ends when each of its names has been asked for once, or after `at_most`.
  Task<> ready(Duration at_most) { return discovery_.ready(at_most); }
  // Ends questions and checks. Endpoints, and what is known of them, stay.
  Task<> stop();

 private:
  const ServiceSettings settings_;
  const ClusterPtr cluster_;
  Discovery discovery_;
  std::optional<HealthChecks> checks_;
};
using DiscoveredClusterPtr = std::shared_ptr<DiscoveredCluster>;

class Clusters {
 public:
  // `before`: the version that is in use; null: none. `connections` outlives all exchanges, of
  // later versions, too.
  Clusters(Context& context, Engine& engine, Resolver& resolver, const Settings& settings,
           const Clusters* before, Nursery& connections);
  Clusters(const Clusters&) = delete;
  Clusters& operator=(const Clusters&) = delete;

  // Null when it is no upstream service.
  ClusterPtr find(std::string_view name) const;
  // Of a forward proxy; null when the entry is none.
  std::shared_ptr<Destinations> destinations(std::string_view entry) const;
  std::map<std::string, ClusterStatus> status(Time now) const;
  // Waits for the first endpoints of names that are new, at most so long.
  Task<> ready(Duration at_most);
  // Ends the background work of those that `next` does not keep.
  Task<> retire(const Clusters* next);

 private:
  std::map<std::string, DiscoveredClusterPtr, std::less<>> all_;
  std::map<std::string, std::shared_ptr<Destinations>, std::less<>> destinations_;
};

}  // namespace banyan
