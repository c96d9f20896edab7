// RetryState: what all workers share of one service's retries and hedges: the budget, and how often
// what was decided. RetryStates keeps one for each service, by name, over reloads.
// Owner: the process; it outlives the workers. Thread: any.
#pragma once
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "patterns/ambassador/retry_budget.h"

namespace banyan {

// Why a request that failed was not sent again.
enum class Refusal : uint8_t {
  unsafe,    // it may have been processed, and twice is not the same as once
  content,   // its content is no longer held
  attempts,  // all of them are used
  deadline,  // no time is left, or less than Retry-After asks for
  budget,    // the share of retries is spent
  caller,    // who called asked for no retry
  count,
};
std::string_view word_of(Refusal why);      // "unsafe": the label of a metric
std::string_view sentence_of(Refusal why);  // for people, and for Banyan-Reason

struct RetryState {
  using Count = std::atomic<uint64_t>;

  RetryState(Percent share, uint32_t floor) : budget(share, floor) {}
  void count(Refusal why) { bump(refused[static_cast<size_t>(why)]); }
  static void bump(Count& count) { count.fetch_add(1, std::memory_order_relaxed); }

  RetryBudget budget;
  Count retries{0};  // times that something was sent again
  // Of these, what came of them: an answer that is none to send it again for, or the next failure.
  Count retried_ok{0}, retried_failed{0};
  Count hedges{0};      // copies that were sent
  Count hedges_won{0};  // of these, whose answer was taken
  Count hedges_lost{0};
  // Copies that were due and not sent.
  Count hedges_held_by_budget{0}, hedges_held_by_load{0};
  std::array<Count, static_cast<size_t>(Refusal::count)> refused{};
};

class RetryStates {
 public:
  static constexpr size_t services_max = 10'000;  // names beyond (reloads that rename for ever)
  static constexpr std::string_view others = "(other)";  // have one together

  // The service's. The limits are for one that is new: a version that is prepared changes nothing.
  RetryState& of(const std::string& service, Percent share, uint32_t floor);
  // From now on.
  void set_limits(const std::string& service, Percent share, uint32_t floor) {
    of(service, share, floor).budget.set_limits(share, floor);
  }
  // For the metrics. `tell(name, state)`; nothing may be added meanwhile.
  template <class Tell>
  void for_each(Tell tell) {
    std::lock_guard lock(mutex_);
    for (const auto& [name, state] : states_) tell(name, *state);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<RetryState>> states_;
};

}  // namespace banyan
