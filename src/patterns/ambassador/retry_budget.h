// RetryBudget: how many requests of a service may be sent once more (again, or a second copy): a
// share of its requests in the last ten seconds, but never less than the floor. It keeps a service
// that fails from getting a multiple of its load just then.
// Owner: RetryStates, for the process; it outlives the workers. Thread: any.
// Exact within a second of the window; two workers on either side of a second's edge may together
// take one too many. Cost: one atomic addition a request. Bound: 128 bytes; a million retries a
// second. Source: Finagle's RetryBudget, here with a window that all workers share.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>

#include "config/units.h"
#include "task/time.h"

namespace banyan {

class RetryBudget {
 public:
  static constexpr uint32_t window_s = 10;  // with the second that runs

  RetryBudget(Percent share, uint32_t floor) { set_limits(share, floor); }
  RetryBudget(const RetryBudget&) = delete;
  RetryBudget& operator=(const RetryBudget&) = delete;

  // From now on; what was counted stays.
  void set_limits(Percent share, uint32_t floor);
  // A request came: once for each, whatever becomes of it.
  void count_request(Time now);
  // One more retry or copy; false: the budget is spent.
  bool try_take(Time now);

  struct Counts {
    uint64_t requests = 0;
    uint64_t retries = 0;
  };
  Counts counts(Time now) const;

 private:
  // A second: requests (24 bits, at the top: an overflow harms nobody else), retries (20), and the
  // second's number (20), so that one operation changes all of them or nothing.
  using Slot = std::atomic<uint64_t>;
  static constexpr size_t slots = 16;  // more than the window: what is reused is long out of it

  Slot& current(uint64_t second);
  Counts counts_since(uint64_t first, uint64_t last) const;
  bool allows(const Counts& counts) const;

  std::atomic<uint32_t> share_basis_points_{0};
  std::atomic<uint32_t> floor_{0};
  alignas(64) std::array<Slot, slots> seconds_{};
};

}  // namespace banyan
