#include "patterns/ambassador/retry_budget.h"

#include <algorithm>

namespace banyan {

namespace {

constexpr uint64_t number_bits = 20, retries_bits = 20;
constexpr uint64_t number_mask = (uint64_t{1} << number_bits) - 1;
constexpr uint64_t retries_max = (uint64_t{1} << retries_bits) - 1;
constexpr uint64_t one_retry = uint64_t{1} << number_bits;
constexpr uint64_t one_request = one_retry << retries_bits;

uint64_t retries_of(uint64_t word) { return word >> number_bits & retries_max; }
uint64_t requests_of(uint64_t word) { return word >> (number_bits + retries_bits); }
bool is_of(uint64_t word, uint64_t second) { return ((word ^ second) & number_mask) == 0; }

uint64_t second_of(Time now) {
  return static_cast<uint64_t>(
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
}
uint64_t first_of_window(uint64_t second) {
  return second >= RetryBudget::window_s ? second - RetryBudget::window_s + 1 : 0;
}

}  // namespace

void RetryBudget::set_limits(Percent share, uint32_t floor) {
  share_basis_points_.store(share.basis_points, std::memory_order_relaxed);
  floor_.store(floor, std::memory_order_relaxed);
}

// The slot of this second, emptied of what it held for one that is long past.
RetryBudget::Slot& RetryBudget::current(uint64_t second) {
  Slot& slot = seconds_[second % slots];
  uint64_t word = slot.load(std::memory_order_relaxed);
  while (!is_of(word, second) &&
         !slot.compare_exchange_weak(word, second & number_mask, std::memory_order_relaxed)) {
  }
  return slot;
}

void RetryBudget::count_request(Time now) {
  current(second_of(now)).fetch_add(one_request, std::memory_order_relaxed);
}

bool RetryBudget::allows(const Counts& counts) const {
  const uint64_t share =
      counts.requests * share_basis_points_.load(std::memory_order_relaxed) / 10'000;
  return counts.retries < std::max<uint64_t>(share, floor_.load(std::memory_order_relaxed));
}

bool RetryBudget::try_take(Time now) {
  const uint64_t second = second_of(now);
  for (;;) {
    Slot& slot = current(second);
    uint64_t word = slot.load(std::memory_order_relaxed);
    Counts all{};
    if (second > 0) all = counts_since(first_of_window(second), second - 1);
    all.requests += requests_of(word);
    all.retries += retries_of(word);
    if (!allows(all) || retries_of(word) == retries_max) return false;
    // Fails when another worker counted something meanwhile: then it is decided afresh.
    if (slot.compare_exchange_strong(word, word + one_retry, std::memory_order_relaxed))
      return true;
  }
}

RetryBudget::Counts RetryBudget::counts_since(uint64_t first, uint64_t last) const {
  Counts all;
  for (uint64_t second = first; second <= last; ++second) {
    const uint64_t word = seconds_[second % slots].load(std::memory_order_relaxed);
    if (!is_of(word, second)) continue;
    all.requests += requests_of(word);
    all.retries += retries_of(word);
  }
  return all;
}

RetryBudget::Counts RetryBudget::counts(Time now) const {
  const uint64_t second = second_of(now);
  return counts_since(first_of_window(second), second);
}

}  // namespace banyan
