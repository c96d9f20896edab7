// Forward: sends a request to an endpoint of a cluster and gives back its answer: the innermost
// Service. Owner: the worker's snapshot. Thread: its loop's. Lifetime: it shares the cluster. It
// sends a request twice only when nothing of it can have been processed (the connection was never
// made), or when it is idempotent, has no content, and a used connection ended without a byte of an
// answer. A request that comes again (Request::tries) goes to another endpoint each time, as long
// as there is one. Bounds: three endpoints a call; `answer_max` for all of it, from the end of the
// request to the answer's head. Errors: Code::cancelled is Side::client, because it came from
// above; what the endpoint did is Side::upstream.
#pragma once
#include "upstream/cluster.h"

namespace banyan {

class Forward final : public Service {
 public:
  explicit Forward(ClusterPtr cluster) : cluster_(std::move(cluster)) {}
  Task<Reply> call(Request& request) override;

 private:
  struct Attempt {
    Endpoint& endpoint;
    bool fresh_only;  // a used connection has just failed: do not try another
  };
  Endpoint* choose(Request& request, std::span<const EndpointPtr> tried, const PickKey& key);
  Task<Reply> attempt(Request& request, Attempt how, bool& stale);
  // One of them is there.
  struct Carrier {
    H1Client* h1 = nullptr;
    H2Client* h2 = nullptr;
  };
  Task<Result<Carrier>> connection(Attempt how, Record& record);
  Task<Result<Carrier>> shared_connection(Attempt how, Record& record);
  Task<Result<Carrier>> new_connection(Endpoint& endpoint);
  Task<Reply> send(Endpoint& endpoint, Carrier carrier, Request& request, bool& stale);

  const ClusterPtr cluster_;
};

}  // namespace banyan
