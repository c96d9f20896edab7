// dial: a connection of one's own to an endpoint of a service, for bytes of any protocol. Owner:
// the caller has the connection; as long as it lives it counts as one more in flight. Thread: the
// loop's of the cluster, which outlives the call. Up to three endpoints are tried, as nothing has
// been said to any of them yet, each for `connect_max`. Endpoints are judged by whether they could
// be connected, as what is said after it is not understood here.
#pragma once
#include "upstream/cluster.h"

namespace banyan {

struct Dialled {
  EndpointPtr endpoint;
  std::unique_ptr<Endpoint::Guest> in_flight;
  StreamPtr stream;
};

// Tells the record who was tried last, and when it was connected: by a name that lives as long as
// the Dialled; without one, as long as `arena`.
Task<Result<Dialled>> dial(Cluster& cluster, Arena& arena, Record& record);

}  // namespace banyan
