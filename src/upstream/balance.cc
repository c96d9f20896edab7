#include "upstream/balance.h"

#include <algorithm>

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

// Smooth weighted round robin: everyone earns its weight, the richest pays for all. Each endpoint
// gets its share, spread evenly (the method of nginx's upstream, described in its commit of May
// 2012).
Endpoint* next_in_turn(Candidates from) {
  int64_t all = 0;
  Endpoint* best = nullptr;
  for (Endpoint* e : from) {
    all += e->weight();
    e->turn += e->weight();
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
    const double load = static_cast<double>(e->load() + 1) / e->weight();
    if (best != nullptr && load >= best_load) continue;
    best = e;
    best_load = load;
  }
  return best;
}

}  // namespace

Endpoint* Balancer::pick(Loop& loop, std::span<const EndpointPtr> endpoints,
                         std::span<const EndpointPtr> except) {
  if (endpoints.size() == 1) return except.empty() ? endpoints[0].get() : nullptr;
  Endpoint* few[16];
  std::vector<Endpoint*> many;
  if (endpoints.size() > std::size(few)) many.resize(endpoints.size());
  Endpoint** const candidates = many.empty() ? few : many.data();
  auto collect = [&](bool with_skipped) {
    size_t n = 0;
    for (const auto& e : endpoints) {
      if (std::ranges::find(except, e) != except.end()) continue;
      if (with_skipped || !e->skipped()) candidates[n++] = e.get();
    }
    return n;
  };
  size_t n = collect(false);
  if (n == 0) n = collect(true);
  if (n == 0) return nullptr;
  const Candidates from{candidates, n};
  switch (how_) {
    case Balance::round_robin:
      return next_in_turn(from);
    case Balance::least_request:
      return least_busy(loop, from);
    case Balance::ewma:
      break;
  }
  return cheaper_of_two(loop, from);
}

}  // namespace banyan
