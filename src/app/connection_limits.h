// ConnectionLimits: how many clients each listener may have, exact over all workers. A listener
// keeps its count over reloads as long as it keeps its place.
// Owner: the process; it outlives the workers. Thread: any.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/shared_limit.h"

namespace banyan {

class ConnectionLimits {
 public:
  // The listener's, with this limit from now on.
  SharedLimit& of(const std::string& place, uint64_t limit) {
    std::lock_guard lock(mutex_);
    auto& found = limits_[place];
    if (found == nullptr)
      found = std::make_unique<SharedLimit>(limit);
    else
      found->set_limit(limit);
    return *found;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<SharedLimit>> limits_;
};

}  // namespace banyan
