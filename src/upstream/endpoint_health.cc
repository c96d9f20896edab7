#include "upstream/endpoint_health.h"

#include <algorithm>

namespace banyan {

namespace {

constexpr double ramp_min = 0.1;

}  // namespace

void EndpointHealth::check_passed(Time now) {
  if (healthy_) {
    checks_ = 0;
  } else if (++checks_ >= rules_.health->healthy_after) {
    healthy_ = true;
    checks_ = 0;
    recovered(now);
  }
}

void EndpointHealth::check_failed() {
  if (!healthy_) {
    checks_ = 0;
  } else if (++checks_ >= rules_.health->unhealthy_after) {
    healthy_ = false;
    checks_ = 0;
  }
}

void EndpointHealth::eject(Time now) {
  const EjectSettings& rules = *rules_.eject;
  const auto behaved = ejections_ == 0 ? 0 : (now - ejected_until_) / rules.for_;
  ejections_ -= static_cast<uint32_t>(std::min<int64_t>(std::max<int64_t>(behaved, 0), ejections_));
  ++ejections_;
  const bool longest = rules.for_ >= rules.for_most / ejections_;
  ejected_until_ = after(now, longest ? rules.for_most : rules.for_ * ejections_);
  conduct = {};
}

void EndpointHealth::end_ejection(Time now) { ejected_until_ = std::min(ejected_until_, now); }

double EndpointHealth::ramp(Time now) const {
  if (rules_.slow_start <= Nanoseconds(0)) return 1;
  const Duration warm = now - std::max(recovered_at_, ejected_until_);
  if (warm >= rules_.slow_start) return 1;
  const double part =
      static_cast<double>(warm.count()) / static_cast<double>(rules_.slow_start.count());
  return std::max(part, ramp_min);
}

}  // namespace banyan
