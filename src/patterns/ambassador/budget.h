// BudgetFilter: counts the requests that retries and hedges are a share of, once each.
// Owner: the service's stack. Thread: its loop's. Lifetime: `budget` and loop outlive it. It stands
// above all that sends a request more than once: what it sees is what callers asked for.
#pragma once
#include "patterns/ambassador/retry_budget.h"
#include "service/service.h"

namespace banyan {

class BudgetFilter final : public Filter {
 public:
  BudgetFilter(ServicePtr wrapped, RetryBudget& budget, Loop& loop)
      : Filter(std::move(wrapped)), budget_(budget), loop_(loop) {}
  Task<Reply> call(Request& request) override {
    budget_.count_request(loop_.now());
    return next->call(request);
  }

 private:
  RetryBudget& budget_;
  Loop& loop_;
};

}  // namespace banyan
