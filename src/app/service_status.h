// ServiceStatus: an upstream service as it is now: its breaker, which all workers share, and its
// endpoints as each worker sees them; and how that is told by GET /services (JSON) and /metrics.
// Owner: whoever asked; a plain value. Thread: any. Bound: endpoints beyond endpoints_max have no
// series in /metrics; a name of the DNS may bring any number.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/prometheus.h"
#include "upstream/endpoint_status.h"

namespace banyan {

struct ServiceStatus {
  static constexpr size_t endpoints_max = 10'000;
  std::string name;
  std::optional<Circuit::Status> breaker;
  std::vector<ClusterStatus> workers;  // by their number
};

std::string services_json(std::span<const ServiceStatus> services);
// Endpoints are summed up over the workers: else there would be a series for each pair.
void write_services(Exposition& out, std::span<const ServiceStatus> services);

}  // namespace banyan
