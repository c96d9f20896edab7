#include "upstream/balance.h"

#include <algorithm>

#include "upstream/placement.h"

namespace banyan {

namespace {

using Candidates = std::span<Endpoint* const>;

Endpoint* cheaper_of_two(Loop& loop, Candidates from) {
  if (from.size() == 1) return from[0];
  const size_t a = loop.random_below(from.size());
  size_t b = loop.random_below(from.size() - 1);
  if (b >= a) ++b;
  return from[a]->cost() <= from[b]->cost() ? from[a] : from[b];
}

// Thousandths of a unit of weight, so that one that warms up has a part.
int64_t share_of(const Endpoint& e, Time now) {
  return std::max<int64_t>(static_cast<int64_t>(e.weight_at(now) * 1000), 1);
}

// Smooth weighted round robin: everyone earns its weight, the richest pays for all. Each endpoint
// gets its share, spread evenly (the method of nginx's upstream, described in its commit of May
// 2012).
Endpoint* next_in_turn(Loop& loop, Candidates from) {
  int64_t all = 0;
  Endpoint* best = nullptr;
  for (Endpoint* e : from) {
    const int64_t share = share_of(*e, loop.now());
    all += share;
    e->turn += share;
    if (best == nullptr || e->turn > best->turn) best = e;
  }
  best->turn -= all;
  return best;
}

Endpoint* least_busy(Loop& loop, Candidates from) {
  // A random start, so that equals share the load.
  const size_t start = loop.random_below(from.size());
  Endpoint* best = nullptr;
  double best_load = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    Endpoint* e = from[(start + i) % from.size()];
    const double load = static_cast<double>(e->load() + 1) / e->weight_at(loop.now());
    if (best != nullptr && load >= best_load) continue;
    best = e;
    best_load = load;
  }
  return best;
}

// Those for which `in` holds, in front and in their order; how many they are. When there is none,
// all is as it was; else the rest is lost.
template <class In>
size_t keep(std::span<Endpoint*> all, In in) {
  size_t kept = 0;
  for (Endpoint* e : all)
    if (in(e)) all[kept++] = e;
  return kept;
}

}  // namespace

size_t Balancer::fit(std::span<Endpoint*> all, const PickKey& key, Time now) const {
  if (rules_.shard) all = all.first(shard(all, key.tenant, rules_.shard->size));
  if (!rules_.health && !rules_.eject) return all.size();
  const auto usable = static_cast<size_t>(
      std::ranges::count_if(all, [&](const Endpoint* e) { return e->health().usable(now); }));
  if (rules_.panics(usable, all.size()) || usable == all.size()) return all.size();
  return keep(all, [&](const Endpoint* e) { return e->health().usable(now); });
}

Endpoint* Balancer::pick(Loop& loop, std::span<const EndpointPtr> endpoints,
                         std::span<const EndpointPtr> except, const PickKey& key) {
  if (endpoints.size() == 1 && !rules_.judging())
    return except.empty() ? endpoints[0].get() : nullptr;
  Endpoint* few[16];
  std::vector<Endpoint*> many;
  if (endpoints.size() > std::size(few)) many.resize(endpoints.size());
  std::span<Endpoint*> from(many.empty() ? few : many.data(), endpoints.size());
  std::ranges::transform(endpoints, from.begin(), [](const auto& e) { return e.get(); });
  const Time now = loop.now();
  from = from.first(fit(from, key, now));
  const auto was_tried = [&](const Endpoint* e) {
    return std::ranges::find(except, e, &EndpointPtr::get) != except.end();
  };
  from = from.first(
      keep(from, [&](const Endpoint* e) { return !was_tried(e) && e->health().passable(now); }));
  const size_t not_skipped = keep(from, [](const Endpoint* e) { return !e->skipped(); });
  if (not_skipped != 0) from = from.first(not_skipped);
  return from.empty() ? nullptr : choose(loop, from, key);
}

Endpoint* Balancer::choose(Loop& loop, Candidates from, const PickKey& key) {
  if (rules_.hash && key.hash) return sticky(from, *key.hash, rules_.hash->load, loop.now());
  switch (how_) {
    case Balance::round_robin:
      return next_in_turn(loop, from);
    case Balance::least_request:
      return least_busy(loop, from);
    case Balance::ewma:
      break;
  }
  return cheaper_of_two(loop, from);
}

}  // namespace banyan
