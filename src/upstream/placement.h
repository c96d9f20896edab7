// Placement: where a key belongs among the endpoints, without a table: the highest score of key and
// endpoint wins (rendezvous hashing), so when endpoints come and go only their own keys move, and
// all workers agree. `sticky` bounds the load besides: an endpoint with more than its part is
// passed over, and the key goes to its next. `shard` gives each tenant its own few endpoints
// (shuffle sharding): any two tenants are unlikely to have the same. Owner: none, these are
// functions. Thread: any. Cost: one score for each endpoint and pick; nothing is stored.
// Sources: Thaler and Ravishankar 1998 (rendezvous); Mirrokni, Thorup and Zadimoghaddam 2017
// (bounded loads); MacCarthaigh, "Shuffle Sharding", AWS 2014.
#pragma once
#include <span>

#include "upstream/endpoint.h"

namespace banyan {

// Of a key's bytes. The empty key is one like the others.
inline uint64_t key_hash(std::string_view key) { return hash_text(key); }

// The endpoint of a key among those given, which must not be empty. `load`: none gets more than
// ceil(load * fair share) of what is in flight, this exchange included; at least 1, or 0: no bound.
Endpoint* sticky(std::span<Endpoint* const> from, uint64_t key, double load, Time now);

// Puts the endpoints of a tenant in front and gives their number: `size`, or all there are.
size_t shard(std::span<Endpoint*> all, uint64_t tenant, size_t size);

// The names of a tenant's endpoints, as `shard` chooses them; for explaining.
std::vector<std::string_view> shard_names(std::span<const std::string> all, std::string_view tenant,
                                          size_t size);

// What one tenant can harm by breaking all its endpoints: parts of the other tenants.
struct BlastRadius {
  double touched = 0;  // share at least one endpoint with it
  double lost = 0;     // have no others
};
BlastRadius blast_radius(size_t endpoints, size_t size);

}  // namespace banyan
