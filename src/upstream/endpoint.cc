#include "upstream/endpoint.h"

#include <algorithm>
#include <cmath>

namespace banyan {

namespace {

constexpr double decay_ns = 10e9;
constexpr Duration skip_min = std::chrono::seconds(1);
constexpr Duration skip_max = std::chrono::seconds(30);

}  // namespace

void Endpoint::enter() {
  if (in_flight_++ == 0) self_ = shared_from_this();
}

H1Lease Endpoint::lend(H1Client& client) {
  enter();
  return H1Lease(client, *this);
}

void Endpoint::give_back(H1Client& client, bool reusable) noexcept {
  pool_.put(client, reusable);
  leave();
}

void Endpoint::leave() noexcept {
  if (--in_flight_ == 0) {
    // This may be the last reference: nothing of the endpoint is touched after it.
    const auto last = std::move(self_);
  }
}

void Endpoint::connect_failed() {
  if (skipped()) return;
  const uint32_t doublings = std::min(failures_++, 5u);
  skip_until_ = loop_.now() + std::min(skip_min * (1u << doublings), skip_max);
}

void Endpoint::answered_in(Duration latency) {
  const auto sample = static_cast<double>(latency.count());
  const auto elapsed = static_cast<double>((loop_.now() - latency_at_).count());
  latency_at_ = loop_.now();
  if (sample >= latency_ns_) {
    latency_ns_ = sample;
    return;
  }
  const double keep = std::exp(-elapsed / decay_ns);
  latency_ns_ = latency_ns_ * keep + sample * (1 - keep);
}

double Endpoint::cost() const {
  const double queue = static_cast<double>(load()) + 1;
  const double weight = weight_at(loop_.now());
  // Not measured yet: one exchange may try it; a second would rather go where the speed is known.
  if (latency_ns_ == 0) return load() == 0 ? 0 : 1e9 * queue / weight;
  const auto elapsed = static_cast<double>((loop_.now() - latency_at_).count());
  return latency_ns_ * std::exp(-elapsed / decay_ns) * queue / weight;
}

}  // namespace banyan
