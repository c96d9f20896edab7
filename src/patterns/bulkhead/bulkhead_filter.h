// BulkheadFilter: a call goes on when its compartment has a permit for it, and keeps the permit to
// the end of its answer's content, or of the tunnel that it becomes: until then it takes room in
// the service. Who gets none is answered 503 with Retry-After; the record has the reason. Owner:
// the worker's snapshot; the compartment is shared by all workers and versions, and kept alive by
// each permit. Thread: its loop's. An adaptive limit goes by the time from the end of the client's
// content to the head of the answer. A quick 5xx, of the service or of a breaker, is no quick
// answer: of failures only slow ones count.
#pragma once
#include "patterns/bulkhead/settings.h"
#include "service/service.h"
#include "task/loop.h"

namespace banyan {

struct BulkheadRules {
  std::optional<RequestKey> share_by;
  PriorityRule priority;
};
BulkheadRules rules_of(const BulkheadSettings& settings);

class BulkheadFilter final : public Filter {
 public:
  BulkheadFilter(ServicePtr wrapped, CompartmentPtr compartment, BulkheadRules rules)
      : Filter(std::move(wrapped)),
        compartment_(std::move(compartment)),
        rules_(std::move(rules)) {}
  Task<Reply> call(Request& request) override;

 private:
  Compartment::Ask ask_of(const Request& request) const;
  Reply refuse(Request& request, const Error& why) const;

  const CompartmentPtr compartment_;
  const BulkheadRules rules_;
};

}  // namespace banyan
