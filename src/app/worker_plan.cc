#include "app/worker_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace banyan {

WorkerPlan::WorkerPlan(unsigned general, const Settings& settings)
    : general_(general), owner_of_(general) {
  for (const auto& [name, place, listener] : settings.listeners)
    owner_of_.insert(owner_of_.end(), listener.threads.value_or(0), name);
}

bool WorkerPlan::serves(unsigned worker, const std::string& listener) const {
  const std::string& owner = owner_of_[worker];
  return owner.empty() ? threads_of(listener) == 0 : owner == listener;
}

unsigned WorkerPlan::threads_of(const std::string& listener) const {
  return static_cast<unsigned>(std::count(owner_of_.begin() + general_, owner_of_.end(), listener));
}

std::string WorkerPlan::thread_name(unsigned worker) const {
  constexpr size_t kept = 15;
  const std::string& owner = owner_of_[worker];
  if (owner.empty()) return fmt::format("worker-{}", worker);
  const auto first = std::find(owner_of_.begin(), owner_of_.end(), owner) - owner_of_.begin();
  const std::string number = fmt::format("-{}", worker - static_cast<unsigned>(first));
  return owner.substr(0, kept - number.size()) + number;
}

std::vector<std::string> WorkerPlan::differences(const Settings& settings) const {
  std::vector<std::string> out;
  for (const auto& [name, place, listener] : settings.listeners) {
    const unsigned has = threads_of(name), wants = listener.threads.value_or(0);
    if (has == wants) continue;
    out.push_back(fmt::format(
        "listener {}: `threads` is {}in the file; until the process is started again it {}", name,
        wants == 0 ? "not " : std::to_string(wants) + " ",
        has == 0 ? "shares the general workers" : fmt::format("has {} of its own", has)));
  }
  return out;
}

}  // namespace banyan
