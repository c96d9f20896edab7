// TcpProxy: one client's connection to an endpoint of a service, as bytes: for every protocol that
// is not HTTP. Owner: the worker's version of the configuration; connections under way keep it.
// Thread: its loop's. A client whose service cannot be connected, or is cut off, is reset, so that
// it does not look like an orderly end; an orderly end of one direction is passed on alone
// (half-close). Bounds: a buffer a direction, silence both ways for `idle_max`; clients are counted
// by the server.
#pragma once
#include "http/handler.h"
#include "upstream/cluster.h"

namespace banyan {

class TcpProxy final : public ConnectionService {
 public:
  TcpProxy(ClusterPtr cluster, Duration idle_max)
      : cluster_(std::move(cluster)), idle_max_(idle_max) {}
  Task<> serve(Stream& client, Arena& arena, Record& record) override;

 private:
  const ClusterPtr cluster_;
  const Duration idle_max_;
};

// A client's connection to an endpoint of the cluster, to its end.
Task<> carry(Stream& client, Cluster& cluster, Duration idle_max, Arena& arena, Record& record);

}  // namespace banyan
