#include "patterns/bulkhead/compartments.h"

namespace banyan {

CompartmentPtr Compartments::of(const std::string& name, const CompartmentLimits& limits) {
  const std::lock_guard lock(mutex_);
  if (const auto found = compartments_.find(name); found != compartments_.end())
    if (CompartmentPtr there = found->second.lock()) return there;
  std::erase_if(compartments_, [](const auto& entry) { return entry.second.expired(); });
  CompartmentPtr made = std::make_shared<Compartment>(limits);
  compartments_[name] = made;
  return made;
}

void Compartments::set_limits(const std::string& name, const CompartmentLimits& limits,
                              Loop& loop) {
  CompartmentPtr there;
  {
    const std::lock_guard lock(mutex_);
    const auto found = compartments_.find(name);
    if (found != compartments_.end()) there = found->second.lock();
  }
  if (there == nullptr) return;
  there->configure(limits);
  there->wake(loop);
}

std::vector<std::pair<std::string, CompartmentPtr>> Compartments::all() const {
  std::vector<std::pair<std::string, CompartmentPtr>> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : compartments_)
    if (CompartmentPtr there = entry.lock()) out.emplace_back(name, std::move(there));
  return out;
}

}  // namespace banyan
