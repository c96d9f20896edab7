#include "patterns/ambassador/deadline_memory.h"

#include <algorithm>

namespace banyan {

DeadlineMemory::Entry* DeadlineMemory::Set::find(const TraceId& trace, Time now) {
  for (Entry& entry : all)
    if (entry.trace == trace && entry.alive(now)) return &entry;
  return nullptr;
}

// A free one has the least time of all.
DeadlineMemory::Entry& DeadlineMemory::Set::place(Time now) {
  return *std::ranges::min_element(
      all, {}, [now](const Entry& entry) { return entry.alive(now) ? entry.until : Time::min(); });
}

// Ids are random, or should be: the multiplication is for those that count.
DeadlineMemory::Set& DeadlineMemory::set_of(const TraceId& trace) const {
  constexpr uint64_t sets = entries / ways;
  const uint64_t mixed = (trace.high ^ trace.low) * 0x9e37'79b9'7f4a'7c15;
  return sets_.load(std::memory_order_acquire)[(mixed >> 32) % sets];
}

void DeadlineMemory::remember(const TraceId& trace, Time until, Time now) {
  std::call_once(made_, [this] {
    owned_ = std::make_unique<Set[]>(entries / ways);
    sets_.store(owned_.get(), std::memory_order_release);
  });
  Set& set = set_of(trace);
  std::lock_guard lock(set.mutex);
  Entry* entry = set.find(trace, now);
  if (until == never) {
    if (entry != nullptr) *entry = {};
  } else if (entry != nullptr) {
    entry->until = std::max(entry->until, until);
  } else {
    set.place(now) = {.trace = trace, .until = until};
  }
}

Time DeadlineMemory::find(const TraceId& trace, Time now) const {
  if (sets_.load(std::memory_order_acquire) == nullptr) return never;
  Set& set = set_of(trace);
  std::lock_guard lock(set.mutex);
  const Entry* entry = set.find(trace, now);
  return entry != nullptr ? entry->until : never;
}

}  // namespace banyan
