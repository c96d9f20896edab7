#include "sim/sim_engine.h"

#include <algorithm>

namespace banyan {

bool SimEngine::wait(Time until) {
  if (woken_.exchange(false, std::memory_order_acquire)) return true;
  const Time to = std::min(until, world_.schedule_.next());
  if (to == never) return false;
  world_.now_ = std::max(world_.now_, to);
  return true;
}

}  // namespace banyan
