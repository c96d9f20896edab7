// WorkerPlan: which workers a process has, and which listeners each serves. A listener with
// `threads` has workers of its own, so that what its clients cost is taken from nobody else's: CPU,
// memory of pools and connections to the services are theirs alone (Bulkhead). All other listeners
// share the general workers. Owner: the process, which makes it once at its start: threads come and
// go with the process only. Thread: any. A listener is known by its name over reloads.
#pragma once
#include <string>
#include <vector>

#include "app/settings.h"

namespace banyan {

class WorkerPlan {
 public:
  // `general` workers, and those of the listeners that have their own.
  WorkerPlan(unsigned general, const Settings& settings);

  unsigned size() const { return static_cast<unsigned>(owner_of_.size()); }
  unsigned general() const { return general_; }
  bool serves(unsigned worker, const std::string& listener) const;
  // Of the thread, at most the 15 bytes that the kernel keeps: "worker-0", "web-1".
  std::string thread_name(unsigned worker) const;
  // Each difference of `settings` to the plan as a line for people; a plan is not changed.
  std::vector<std::string> differences(const Settings& settings) const;

 private:
  unsigned threads_of(const std::string& listener) const;

  const unsigned general_;
  std::vector<std::string> owner_of_;  // by worker: the listener; empty: general
};

}  // namespace banyan
