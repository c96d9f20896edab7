// RetryFilter: sends a request again when it failed, and only when that is proved safe: nothing of
// it can have been processed (Error::retryable), or its method is idempotent (RFC 9110, section
// 9.2.2), or it carries an Idempotency-Key. Never a second POST that could have been processed.
// Owner: the service's stack. Thread: its loop's. Lifetime: `state` outlives it (the process has
// it). Between two tries it waits: exponential backoff with full jitter, after what Retry-After
// asks for. Each try has a limit of time, goes to another endpoint if there is one
// (Request::tries), and ends wholly before the next begins. Why a failed request is not sent again
// is counted, and noted in Record::decision. Bounds: attempts, the budget, RetryTimes::all_max, the
// deadline.
#pragma once
#include <expected>
#include <optional>

#include "patterns/ambassador/replay.h"
#include "patterns/ambassador/retry_state.h"
#include "patterns/ambassador/settings.h"
#include "service/service.h"

namespace banyan {

// From the end of the request to the head of its answer.
struct RetryTimes {
  Duration try_max = Duration::max();  // of each try
  Duration all_max = Duration::max();  // of all of them, with the pauses
};

class RetryFilter final : public Filter {
 public:
  RetryFilter(ServicePtr wrapped, const RetrySettings& settings, const RetryTimes& times,
              RetryState& state)
      : Filter(std::move(wrapped)),
        settings_(settings),
        on_(retry_mask(settings.on)),
        times_(times),
        state_(state) {}
  Task<Reply> call(Request& request) override;

 private:
  struct Attempts;
  using Pause = std::expected<Duration, Refusal>;

  Task<Reply> attempt(Attempts& attempts, Loop& loop);
  std::optional<RetryOn> failure_of(const Reply& reply, const Record& record) const;
  Pause pause_before_next(const Attempts& attempts, RetryOn why, const Reply& reply, Loop& loop);
  // When it goes out again, or why not.
  Pause decide(const Attempts& attempts, RetryOn why, const Reply& reply, const Context& context);
  Duration backoff(uint32_t attempt, Loop& loop) const;

  const RetrySettings settings_;
  const uint32_t on_;
  const RetryTimes times_;
  RetryState& state_;
};

}  // namespace banyan
