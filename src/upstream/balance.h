// Balance: which endpoint gets the next exchange.
// Owner: the cluster. Thread: its loop's.
// `ewma` (default) takes the cheaper of two random endpoints (power of two choices, Mitzenmacher
// 1996); the others are round robin (smooth, weighted) and least requests; a hash keeps a key where
// it is (upstream/placement). Which endpoints are in question:
// (1) those of the tenant's shard, if there are shards;
// (2) of these, those fit for use by health and ejection; all, when these are fewer than `panic`;
// (3) never those whose breaker is open, or that this exchange has tried;
// (4) not those that are skipped after a failed connect, unless all are: then all are tried again.
#pragma once
#include <cstdint>
#include <span>

#include "upstream/endpoint.h"

namespace banyan {

// What of a request decides its place.
struct PickKey {
  std::optional<uint64_t> hash;  // of the balance's key; none: the request has none
  uint64_t tenant = 0;           // of the shard's
};

class Balancer {
 public:
  // The rules outlive it.
  Balancer(Balance how, const EndpointRules& rules) : how_(how), rules_(rules) {}
  // Null when there is no endpoint that may be used but those in `except` (tried by this exchange
  // already).
  Endpoint* pick(Loop& loop, std::span<const EndpointPtr> endpoints,
                 std::span<const EndpointPtr> except, const PickKey& key = {});
  // The endpoints in question by (1) and (2): at the front of `all`; their number.
  size_t fit(std::span<Endpoint*> all, const PickKey& key, Time now) const;

 private:
  Endpoint* choose(Loop& loop, std::span<Endpoint* const> from, const PickKey& key);

  Balance how_;
  const EndpointRules& rules_;
};

}  // namespace banyan
