#include "upstream/placement.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace banyan {

namespace {

uint64_t score(uint64_t key, uint64_t name) { return spread(key ^ name); }

// Another function of the key than that of sticky(): the two may go by the same header.
uint64_t shard_score(uint64_t tenant, uint64_t name) { return score(spread(tenant + 1), name); }

// Weighted rendezvous: with u between 0 and 1, -ln(u) / weight is smallest for each endpoint as
// often as its weight says (exponential clocks).
double distance(uint64_t key, const Endpoint& endpoint, double weight) {
  return -std::log(unit_of(score(key, endpoint.name_hash()))) / weight;
}

// How many exchanges one unit of weight may have in flight.
double load_per_weight(std::span<Endpoint* const> from, double load, Time now) {
  double in_flight = 1, weight = 0;
  for (const Endpoint* e : from) {
    in_flight += static_cast<double>(e->load());
    weight += e->weight_at(now);
  }
  return load * in_flight / weight;
}

}  // namespace

Endpoint* sticky(std::span<Endpoint* const> from, uint64_t key, double load, Time now) {
  const double most = load == 0 ? 0 : load_per_weight(from, load, now);
  Endpoint* nearest = nullptr;
  double nearest_distance = 0;
  for (Endpoint* e : from) {
    const double weight = e->weight_at(now);
    // Those below their bound are never none: the bounds add up to more than what is in flight.
    if (load != 0 && static_cast<double>(e->load()) >= std::ceil(most * weight)) continue;
    const double d = distance(key, *e, weight);
    if (nearest != nullptr && d >= nearest_distance) continue;
    nearest = e;
    nearest_distance = d;
  }
  return nearest;
}

size_t shard(std::span<Endpoint*> all, uint64_t tenant, size_t size) {
  if (size >= all.size()) return all.size();
  std::ranges::nth_element(all, all.begin() + static_cast<ptrdiff_t>(size), std::greater(),
                           [&](const Endpoint* e) { return shard_score(tenant, e->name_hash()); });
  return size;
}

std::vector<std::string_view> shard_names(std::span<const std::string> all, std::string_view tenant,
                                          size_t size) {
  std::vector<std::string_view> names(all.begin(), all.end());
  std::ranges::sort(names, std::greater(), [&](std::string_view name) {
    return shard_score(key_hash(tenant), hash_text(name));
  });
  names.resize(std::min(size, names.size()));
  return names;
}

BlastRadius blast_radius(size_t endpoints, size_t size) {
  if (size >= endpoints) return {.touched = 1, .lost = 1};
  // Of all the ways to choose: those that avoid the first tenant's endpoints, and the one that is
  // the same. C(n - k, k) / C(n, k), and 1 / C(n, k).
  double apart = 1, same = 1;
  for (size_t i = 0; i < size; ++i) {
    const auto left = static_cast<double>(endpoints - i);
    apart *= endpoints < 2 * size ? 0 : static_cast<double>(endpoints - size - i) / left;
    same *= static_cast<double>(size - i) / left;
  }
  return {.touched = 1 - apart, .lost = same};
}

}  // namespace banyan
