// ForwardProxy: answers what clients ask of a proxy: absolute URLs, and tunnels (CONNECT). Owner:
// the listener's stack, as its innermost service. Thread: its loop's. Hosts that are services go
// the service's way; what is not allowed is refused with 403 before a name is asked for. It tells
// nothing of the client to the outside but a Via. Bounds: those of Destinations. Source: RFC 9110,
// sections 7.6.3 and 9.3.6; RFC 9112, section 3.2.2.
#pragma once
#include "patterns/ambassador/destinations.h"
#include "service/service.h"

namespace banyan {

class ForwardProxy final : public Service {
 public:
  // A host that is a service.
  struct Known {
    ServicePtr service;
    ClusterPtr cluster;  // for CONNECT; null: it has no endpoints
  };
  using KnownHosts = std::map<std::string, Known, std::less<>>;  // in lower case

  ForwardProxy(std::shared_ptr<Destinations> destinations, KnownHosts known)
      : destinations_(std::move(destinations)), known_(std::move(known)) {}
  Task<Reply> call(Request& request) override;

 private:
  Task<Result<ClusterPtr>> cluster_of(const Request& request, uint16_t port);
  Task<Reply> connect(Request& request, uint16_t port);

  const std::shared_ptr<Destinations> destinations_;
  const KnownHosts known_;
};

}  // namespace banyan
