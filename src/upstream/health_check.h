// HealthChecks: asks every endpoint of a cluster from time to time whether it is well, and tells
// its EndpointHealth. Owner: the worker, beside the cluster: each worker checks for itself, so that
// it also notices what only it cannot reach. Thread: its loop's. Lifetimes: the cluster outlives
// it; stop() is awaited before it ends. Endpoints that join are checked from then on; results stay
// with those that stay. The first check comes within a tenth of the interval, the next ones an
// interval after the start of the one before, up to a tenth longer, so that workers and gateways do
// not ask all at once. Each check has a connection of its own: one that is refused, or that never
// gets an answer, is what is looked for. HTTP: GET `path`, a good status, and all of the content
// (at most 64 KiB is read), in `timeout`. A check that Banyan itself cannot make (no descriptor
// left) proves nothing.
#pragma once
#include "task/nursery.h"
#include "upstream/cluster.h"

namespace banyan {

class HealthChecks final : private Cluster::Observer {
 public:
  // The cluster's rules have `health`.
  HealthChecks(Context& context, Cluster& cluster)
      : cluster_(cluster), settings_(*cluster.limits().use.health), nursery_(context) {}

  void start();
  // What is known of the endpoints stays as it is.
  Task<> stop();

 private:
  void members_changed() override;
  bool is_member(const EndpointPtr& endpoint) const;
  Task<> watch(std::weak_ptr<Endpoint> watched);
  Task<> check(Endpoint& endpoint);
  Task<Result<>> ask(Endpoint& endpoint);
  Task<Result<>> ask_http(Endpoint& endpoint, StreamPtr stream);
  Task<Result<>> ask_http1(StreamPtr stream, Request& request);
  Task<Result<>> ask_http2(StreamPtr stream, Request& request);
  Task<Result<>> look_at(Reply reply);

  Cluster& cluster_;
  const HealthSettings& settings_;
  Nursery nursery_;
};

}  // namespace banyan
