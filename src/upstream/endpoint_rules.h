// EndpointRules: UseSettings in the form that clusters work with, texts read. Owner: the cluster;
// its endpoints refer to it. Thread: any (read only).
#pragma once
#include "http/request_key.h"
#include "upstream/endpoint_settings.h"

namespace banyan {

struct EndpointRules {
  struct Hash {
    RequestKey key;
    double load = 1.25;  // 0: no bound
  };
  struct Shard {
    RequestKey by;
    size_t size = 2;
  };
  std::optional<Hash> hash;
  std::optional<Shard> shard;
  std::optional<HealthSettings> health;
  std::optional<EjectSettings> eject;
  std::optional<BreakerSettings> breaker;  // of each endpoint
  Nanoseconds slow_start{};
  double panic = 0.5;

  // Some endpoints may be unfit for use at times.
  bool judging() const { return health || eject || breaker; }
  // So few of `all` are usable that all are used.
  bool panics(size_t usable, size_t all) const {
    return static_cast<double>(usable) < panic * static_cast<double>(all);
  }
};

// The reader has refused keys that cannot be read.
EndpointRules rules_of(const UseSettings& settings);

}  // namespace banyan
