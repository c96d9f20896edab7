// QuotaFilter: lets a call go to a service that counts them only when it would be taken: else it
// waits for the next window, or is refused here with 429 and Retry-After. Owner: the service's
// stack, below all that sends a request again. Thread: its loop's. Bounds: `wait`, `queue`, and the
// call's deadline.
#pragma once
#include "patterns/ambassador/quota_state.h"
#include "service/service.h"

namespace banyan {

class QuotaFilter final : public Filter {
 public:
  QuotaFilter(ServicePtr wrapped, const QuotaSettings& settings, QuotaStatePtr state)
      : Filter(std::move(wrapped)), settings_(settings), state_(std::move(state)) {}
  Task<Reply> call(Request& request) override;

 private:
  // When it may go; or until when it would have to wait.
  Task<Result<std::optional<Time>>> wait_for_turn();
  Reply refuse(Request& request, Time until, Time now) const;

  const QuotaSettings settings_;
  const QuotaStatePtr state_;
};

}  // namespace banyan
