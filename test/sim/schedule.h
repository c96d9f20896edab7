// Schedule: what will happen in the simulated world, ordered by virtual time. Ties go by sequence
// number, so that a run is the same each time. Owner: SimWorld. Thread: one. Bound: what is in
// flight: a few acts for each segment, handshake and acknowledgement.
#pragma once
#include <functional>
#include <map>
#include <utility>

#include "task/time.h"

namespace banyan {

class Schedule {
 public:
  using Act = std::move_only_function<void()>;

  void at(Time when, Act act) { acts_.emplace(std::pair(when, sequence_++), std::move(act)); }
  // `never` when nothing will happen any more.
  Time next() const { return acts_.empty() ? never : acts_.begin()->first.first; }
  size_t size() const { return acts_.size(); }
  // Runs what is due. What that adds waits for the next call, as events of a kernel wait for the
  // next epoll_wait: nobody can hold the loop.
  void run_due(Time now) {
    const uint64_t end = sequence_;
    while (!acts_.empty()) {
      const auto first = acts_.begin();
      if (first->first.first > now || first->first.second >= end) break;
      Act act = std::move(first->second);
      acts_.erase(first);
      act();
    }
  }
  void clear() { acts_.clear(); }

 private:
  std::map<std::pair<Time, uint64_t>, Act> acts_;
  uint64_t sequence_ = 0;
};

}  // namespace banyan
