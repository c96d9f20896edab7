// Compartments: those of the process by name ("service catalog", or a group's), so that every
// worker and every version of the configuration has the same one and limits are exact over all of
// them. Owner: the process; a compartment lives as long as somebody holds it, and is then
// forgotten. Thread: any. A version that is only prepared changes nothing of one that is in use.
#pragma once
#include <map>
#include <mutex>

#include "patterns/bulkhead/compartment.h"

namespace banyan {

class Compartments {
 public:
  // The one of that name; the limits are for one that is new.
  CompartmentPtr of(const std::string& name, const CompartmentLimits& limits);
  // From now on, when a version is taken into use. Each worker may tell it, on its loop.
  void set_limits(const std::string& name, const CompartmentLimits& limits, Loop& loop);
  // In the order of their names.
  std::vector<std::pair<std::string, CompartmentPtr>> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Compartment>, std::less<>> compartments_;
};

}  // namespace banyan
