#include "app/metrics.h"

#include <algorithm>

namespace banyan {

namespace {

constexpr std::string_view other_name = "(other)";
// What is out of range counts as 5xx (RFC 9110, section 15).
size_t class_of(uint16_t status) { return std::min<size_t>(status / 100, status_classes - 1); }

// The cell of that name; makes it when it is new, and shares one when there are too many.
template <class Cell, class ByName>
Cell& cell_of(std::string_view name, AppendList<Cell>& all, ByName& by_name, size_t max) {
  if (auto found = by_name.find(name); found != by_name.end()) return *found->second;
  if (by_name.size() + 1 >= max && name != other_name)
    return cell_of(other_name, all, by_name, max);
  Cell& made = all.append(name);
  by_name.emplace(made.name, &made);
  return made;
}

}  // namespace

RouteCell& MetricsShard::route(std::string_view name) {
  return cell_of(name, routes_, route_by_name_, routes_max);
}

ServiceCell& MetricsShard::service(std::string_view name) {
  return cell_of(name, services_, service_by_name_, services_max);
}

// A route has one service, or the few of a split. They are compared by their text: a pointer into a
// version that is gone may mean another name by now.
RouteServiceCell& MetricsShard::service_of(RouteCell& route, std::string_view name) {
  for (auto* at = route.services.first(); at != nullptr; at = at->next)
    if (at->service.name == name) return *at;
  ServiceCell& known = service(name);
  for (auto* at = route.services.first(); at != nullptr; at = at->next)
    if (&at->service == &known) return *at;
  return route.services.append(known);
}

void MetricsShard::count(RouteCell& route, const Record& record) {
  RouteServiceCell& used = service_of(route, record.service);
  used.statuses[class_of(record.status)].add(1);
  route.took.record(record.ended - record.started);
  if (record.bytes_in != 0) route.bytes_in.add(record.bytes_in);
  if (record.bytes_out != 0) route.bytes_out.add(record.bytes_out);
  if (record.attempts != 0) {
    used.service.attempts.add(record.attempts);
    if (record.reused) used.service.reused.add(1);
    if (record.answered != Time{}) used.service.answered.record(record.answered - record.connected);
  }
  if (record.error) [[unlikely]]
    errors_[static_cast<size_t>(record.error->side)][static_cast<size_t>(record.error->code)].add(
        1);
}

// Not on the way of a request: a scrape on another thread takes the longest away.
void MetricsShard::set_lag(Duration longest_turn) {
  turns_.record(longest_turn);
  int64_t seen = longest_turn_ns_.load(std::memory_order_relaxed);
  while (longest_turn.count() > seen &&
         !longest_turn_ns_.compare_exchange_weak(seen, longest_turn.count())) {
  }
}

// What is set cannot be counted together: a listener too many is not shown.
void MetricsShard::set_connections(std::string_view listener, const ServerCounts& counts) {
  if (listener_by_name_.size() >= listeners_max && !listener_by_name_.contains(listener)) return;
  ListenerCell& cell = cell_of(listener, listeners_, listener_by_name_, listeners_max + 1);
  cell.accepted.set(counts.accepted);
  cell.refused.set(counts.refused);
  cell.active.set(counts.active);
}

Metrics::Metrics(unsigned workers) {
  for (unsigned i = 0; i < workers; ++i) shards_.push_back(std::make_unique<MetricsShard>());
}

void Metrics::count_reload(bool ok, WallTime at) {
  (ok ? reloads_ok_ : reloads_failed_).fetch_add(1);
  reloaded_at_ns_ = at.time_since_epoch().count();
  reload_was_ok_ = ok;
}

}  // namespace banyan
