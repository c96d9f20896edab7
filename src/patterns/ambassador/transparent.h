// TransparentProxy: connections that a packet filter has redirected to us go where they were going,
// so that an application needs no setting at all. Owner: the worker's version of the configuration;
// connections under way keep it. Thread: its loop's. As TcpProxy for the rest. Who comes without
// having been redirected is reset: it would lead to ourselves. Bounds: those of Destinations.
#pragma once
#include "http/handler.h"
#include "patterns/ambassador/destinations.h"

namespace banyan {

class TransparentProxy final : public ConnectionService {
 public:
  TransparentProxy(std::shared_ptr<Destinations> destinations, Duration idle_max)
      : destinations_(std::move(destinations)), idle_max_(idle_max) {}
  Task<> serve(Stream& client, Arena& arena, Record& record) override;

 private:
  Task<Result<ClusterPtr>> cluster_of(const Stream& client);

  const std::shared_ptr<Destinations> destinations_;
  const Duration idle_max_;
};

}  // namespace banyan
