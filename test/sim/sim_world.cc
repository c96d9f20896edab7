#include "sim/sim_world.h"

#include <algorithm>
#include <utility>

#include "sim/sim_engine.h"
#include "sim/sim_listener.h"
#include "sim/sim_stream.h"

namespace banyan {

SimWorld::SimWorld(uint64_t seed) : random_(seed) {}

SimWorld::~SimWorld() {
  CHECK(streams_ == 0 && listeners_.empty());
  // What is in flight may own connections, which take themselves off the list.
  held_.clear();
  schedule_.clear();
  dials_.clear();
}

void SimWorld::at(Duration passed, Schedule::Act act) {
  schedule_.at(std::max(begin + passed, now_), std::move(act));
}

SimHost& SimWorld::host(std::string_view ip) {
  auto found = hosts_.find(ip);
  if (found == hosts_.end()) {
    const auto address = parse_ip(ip, 0);
    CHECK(address.has_value());
    found = hosts_.emplace(std::string(ip), std::make_unique<SimHost>(*this, *address)).first;
  }
  return *found->second;
}

SimLink& SimWorld::link(std::string_view where) {
  if (where.empty()) return default_link_;
  if (auto found = links_.find(where); found != links_.end()) return found->second;
  const auto server = parse_address(where);
  const SimLink& base = server ? conditions(*server) : default_link_;
  return links_.emplace(std::string(where), base).first->second;
}

const SimLink& SimWorld::conditions(const Address& server) const {
  if (auto exact = links_.find(to_string(server)); exact != links_.end()) return exact->second;
  if (auto host = links_.find(host_text(server)); host != links_.end()) return host->second;
  return default_link_;
}

// A host that cannot be reached cannot reach others, so the client's own conditions count here too.
SimLink::Reach SimWorld::reach(const Route& route) const {
  auto strongest = conditions(route.server).reach;
  for (const Address* end : {&route.server, &route.client}) {
    const auto host = links_.find(host_text(*end));
    if (host != links_.end()) strongest = std::max(strongest, host->second.reach);
  }
  return strongest;
}

void SimWorld::set_reach(std::string_view where, SimLink::Reach next) {
  link(where).reach = next;
  auto held = std::exchange(held_, {});
  for (auto& h : held) {
    carry(h.route, *h.lane, h.bytes, h.extra, h.lane_owner, std::move(h.arrive));
  }
}

void SimWorld::carry(const Route& route, Lane& lane, size_t bytes, Duration extra,
                     const std::shared_ptr<void>& lane_owner, Schedule::Act arrive) {
  const auto now_reach = reach(route);
  if (now_reach == SimLink::Reach::held)
    return held_.push_back({route, &lane, lane_owner, bytes, extra, std::move(arrive)});
  // Behind a lost segment nothing can be delivered, whatever becomes of the link.
  if (now_reach == SimLink::Reach::black_hole) lane.broken = true;
  if (!lane.broken) depart(route, lane, bytes, extra, std::move(arrive));
}

void SimWorld::depart(const Route& route, Lane& lane, size_t bytes, Duration extra,
                      Schedule::Act arrive) {
  const SimLink& link = conditions(route.server);
  lane.line_free = std::max(lane.line_free, now_);
  if (link.bytes_per_second != 0) {
    const uint64_t per = link.bytes_per_second;
    lane.line_free += Duration(static_cast<int64_t>((bytes * 1'000'000'000 + per - 1) / per));
  }
  lane.last_arrival = std::max(lane.last_arrival, lane.line_free + link.latency + extra);
  schedule_.at(lane.last_arrival, std::move(arrive));
}

void SimWorld::reset(std::string_view where) {
  std::vector<std::shared_ptr<SimConnection>> hit;
  for (auto& [id, connection] : connections_) {
    const Route& r = connection->route;
    const bool named = to_string(r.server) == where || host_text(r.server) == where ||
                       to_string(r.client) == where || host_text(r.client) == where;
    if (named) hit.push_back(connection->shared_from_this());
  }
  // Each end learns of it as an event of its own, as it would from a kernel.
  for (auto& connection : hit) {
    connection->dead = true;
    for (int end : {0, 1}) schedule_.at(now_, [connection, end] { connection->arrive_reset(end); });
  }
}

void SimWorld::count_only(std::vector<std::string> hosts) {
  counted_hosts_ = {hosts.begin(), hosts.end()};
}

void SimWorld::fail_operation(uint64_t k, Fault fault) {
  fail_at_ = k;
  fault_ = fault;
}

void SimWorld::at_operation(uint64_t k, Schedule::Act act) {
  at_operation_.emplace(k, std::move(act));
}

std::optional<Fault> SimWorld::count(const Address& host) {
  if (!counted_hosts_.empty() && !counted_hosts_.contains(host_text(host))) return std::nullopt;
  ++operations_;
  for (auto [act, end] = at_operation_.equal_range(operations_); act != end;) {
    schedule_.at(now_, std::move(act->second));
    act = at_operation_.erase(act);
  }
  return operations_ == fail_at_ ? std::optional(fault_) : std::nullopt;
}

// splitmix64 (Steele, Lea and Flood, 2014): one word of state is enough for cutting reads.
uint64_t SimWorld::random_below(uint64_t bound) {
  uint64_t z = random_ += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return (z ^ z >> 31) % bound;
}

size_t SimWorld::cut(const SimLink& link, size_t most, size_t there) {
  const size_t n = std::min(most, there);
  return link.random_cuts && n > 1 ? 1 + random_below(n) : n;
}

}  // namespace banyan
