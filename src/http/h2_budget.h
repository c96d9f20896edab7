// H2Budget: what a peer may do on an HTTP/2 connection that costs us work and it nothing: pings,
// settings, resets, priorities, empty frames, continuations, malformed requests. Each costs a
// point; points come back with time. Owner: the connection. Thread: its loop's. Bound: `burst` at
// once, `per_second` on and on; who wants more loses the connection (ENHANCE_YOUR_CALM). Known
// attacks that it ends: CVE-2019-9512, -9513, -9515, -9516, -9518 (floods), CVE-2023-44487 (rapid
// reset), CVE-2024-28182 (CONTINUATION).
#pragma once
#include <algorithm>
#include <cstdint>

#include "task/time.h"

namespace banyan {

class H2Budget {
 public:
  static constexpr double burst = 400;
  static constexpr double per_second = 40;

  // False: it is used up.
  bool spend(Time now, double points = 1) {
    if (last_ != Time{}) {
      const double seconds = std::chrono::duration<double>(now - last_).count();
      left_ = std::min(burst, left_ + seconds * per_second);
    }
    last_ = now;
    left_ -= points;
    return left_ >= 0;
  }
  // Points for what the peer lets us do that is of use.
  void earn(double points) { left_ = std::min(burst, left_ + points); }

 private:
  double left_ = burst;
  Time last_{};
};

}  // namespace banyan
