// EndpointStatus: one endpoint as a worker sees it now, for the admin page and the metrics. Owner:
// a plain value. Thread: status_of() on the cluster's loop; the value anywhere.
#pragma once
#include <string>
#include <vector>

#include "upstream/cluster.h"

namespace banyan {

struct EndpointStatus {
  std::string name;
  uint32_t weight = 1;
  double weight_now = 1;   // below `weight` while it warms up
  bool healthy = true;     // by active checks
  Duration ejected_for{};  // what is left; 0: it is not ejected
  uint32_t ejections = 0;  // lately: behaving takes them back
  std::optional<Circuit::Status> breaker;
  bool skipped = false;  // after a failed connect
  bool used = true;      // may get requests now (of a tenant whose shard it is in)
  uint32_t in_flight = 0;
  size_t connections = 0;
};

struct ClusterStatus {
  std::vector<EndpointStatus> endpoints;
  // So few are fit that all are used. With shards each has its own panic; this is that of them all.
  bool panic = false;
};

ClusterStatus status_of(const Cluster& cluster, Time now);

}  // namespace banyan
