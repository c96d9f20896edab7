// DeadlineMemory: until when the caller of a trace waits: what came in with a request is held
// against the calls that the application makes for it, which carry nothing but the same trace.
// Owner: the process; it outlives the workers. Thread: any; a lock for each set of eight entries.
// Of two requests of one trace the later deadline holds: no call may be cut off for a caller who
// still waits. What has passed is remembered a while longer, so that late calls of an application
// that does not look at the time end at once.
// Bounds: `entries`, half a MiB when it is first used; when a set is full, the entry that ends
// first is forgotten, and the calls of its trace have no deadline.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "http/traceparent.h"
#include "task/time.h"

namespace banyan {

class DeadlineMemory {
 public:
  static constexpr size_t entries = 16'384;
  static constexpr Duration linger = std::chrono::seconds(5);  // after it has passed

  // A request of this trace came. `never`: its caller waits without end.
  void remember(const TraceId& trace, Time until, Time now);
  // It may have passed. `never`: nothing is known.
  Time find(const TraceId& trace, Time now) const;

 private:
  static constexpr size_t ways = 8;
  struct Entry {
    TraceId trace;
    Time until = Time::min();
    bool alive(Time now) const { return until != Time::min() && after(until, linger) > now; }
  };
  struct Set {
    std::mutex mutex;
    std::array<Entry, ways> all;
    Entry* find(const TraceId& trace, Time now);
    Entry& place(Time now);
  };

  Set& set_of(const TraceId& trace) const;

  std::once_flag made_;
  std::unique_ptr<Set[]> owned_;
  std::atomic<Set*> sets_{nullptr};  // null: nothing was ever remembered
};

}  // namespace banyan
