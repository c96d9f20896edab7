// BreakerFilter: calls the service no more after some failures in a row, until probes have gone
// well (upstream/circuit). Above Forward, so that it sees what came of all endpoints; below retry,
// so that each attempt counts. Owner: the worker's snapshot; the circuit is shared by all workers
// and versions. Thread: its loop's. An open breaker answers 503 itself, with Retry-After of what is
// left; the record has the reason, with Code::unavailable. Failures: statuses of the setting, no
// head, a body that breaks off. What the client did is none, and neither are limits of our own.
#pragma once
#include "service/service.h"
#include "task/loop.h"
#include "upstream/circuit.h"

namespace banyan {

class BreakerFilter final : public Filter {
 public:
  BreakerFilter(ServicePtr next, std::shared_ptr<Circuit> circuit, Loop& loop)
      : Filter(std::move(next)), circuit_(std::move(circuit)), loop_(loop) {}
  Task<Reply> call(Request& request) override;

 private:
  Response refuse(Request& request) const;

  const std::shared_ptr<Circuit> circuit_;
  Loop& loop_;
};

}  // namespace banyan
