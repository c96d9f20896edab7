#include "upstream/endpoint_rules.h"

namespace banyan {

EndpointRules rules_of(const UseSettings& settings) {
  EndpointRules out;
  if (auto key = RequestKey::parse(settings.balance.hash))
    out.hash = {.key = std::move(*key), .load = settings.balance.load.value()};
  if (settings.shard)
    if (auto by = RequestKey::parse(settings.shard->by))
      out.shard = {.by = std::move(*by), .size = settings.shard->size};
  out.health = settings.health;
  out.eject = settings.eject;
  if (settings.breaker && settings.breaker->scope != BreakerScope::service)
    out.breaker = settings.breaker;
  out.slow_start = settings.slow_start;
  out.panic = settings.panic.basis_points / 10'000.0;
  return out;
}

}  // namespace banyan
