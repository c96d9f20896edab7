// How the shards become one text: cells of the same name are added up, families come one after the
// other, names in their order.
#include <algorithm>
#include <map>

#include "app/metrics.h"

namespace banyan {

namespace {

using Kind = Exposition::Kind;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::string_view class_names[status_classes] = {"none", "1xx", "2xx",
                                                          "3xx",  "4xx", "5xx"};
constexpr nanoseconds request_edges[] = {1ms,   2'500us, 5ms, 10ms,    25ms, 50ms, 100ms,
                                         250ms, 500ms,   1s,  2'500ms, 5s,   10s};
constexpr nanoseconds turn_edges[] = {100us, 250us, 500us, 1ms,   2'500us, 5ms, 10ms,
                                      25ms,  50ms,  100ms, 250ms, 500ms,   1s};

// The cells of one name, of all shards.
template <class Cell>
using ByName = std::map<std::string_view, std::vector<const Cell*>>;

template <class Cell>
void gather_cells(ByName<Cell>& into, const AppendList<Cell>& from) {
  from.for_each([&](const Cell& cell) { into[cell.name].push_back(&cell); });
}

template <class Cell>
uint64_t total(const std::vector<const Cell*>& cells, Counter Cell::* which) {
  uint64_t all = 0;
  for (const Cell* cell : cells) all += (cell->*which).value();
  return all;
}

template <class Cell>
void write_totals(Exposition& out, std::string_view label, const ByName<Cell>& all,
                  Counter Cell::* which) {
  for (const auto& [name, cells] : all)
    if (const uint64_t n = total(cells, which); n != 0) out.sample({{label, name}}, n);
}

template <class Cell>
void write_histograms(Exposition& out, std::string_view label, const ByName<Cell>& all,
                      Histogram Cell::* which) {
  for (const auto& [name, cells] : all) {
    Distribution d;
    for (const Cell* cell : cells) (cell->*which).add_to(d);
    if (d.count() != 0) out.histogram({{label, name}}, d, request_edges);
  }
}

using StatusTotals = std::array<uint64_t, status_classes>;

std::map<std::string_view, StatusTotals> statuses_by_service(
    const std::vector<const RouteCell*>& cells) {
  std::map<std::string_view, StatusTotals> all;
  for (const RouteCell* cell : cells)
    cell->services.for_each([&](const RouteServiceCell& used) {
      StatusTotals& sum = all[used.service.name];
      for (size_t i = 0; i < status_classes; ++i) sum[i] += used.statuses[i].value();
    });
  return all;
}

void write_requests(Exposition& out, const ByName<RouteCell>& routes) {
  out.family(Kind::counter, "banyan_requests_total",
             "Requests, by the class of the answer's status; none: no answer was sent.");
  for (const auto& [route, cells] : routes)
    for (const auto& [service, sums] : statuses_by_service(cells))
      for (size_t i = 0; i < status_classes; ++i)
        if (sums[i] != 0)
          out.sample({{"route", route}, {"service", service}, {"status", class_names[i]}}, sums[i]);
}

}  // namespace

void Metrics::write_routes(Exposition& out) const {
  ByName<RouteCell> routes;
  for (const auto& shard : shards_) gather_cells(routes, shard->routes_);
  write_requests(out, routes);
  out.family(Kind::histogram, "banyan_request_duration_seconds",
             "From the first byte of a request to the last of its answer.");
  write_histograms(out, "route", routes, &RouteCell::took);
  out.family(Kind::counter, "banyan_request_bytes_total", "Content of requests.");
  write_totals(out, "route", routes, &RouteCell::bytes_in);
  out.family(Kind::counter, "banyan_response_bytes_total", "Content of answers.");
  write_totals(out, "route", routes, &RouteCell::bytes_out);
}

void Metrics::write_services(Exposition& out) const {
  ByName<ServiceCell> services;
  for (const auto& shard : shards_) gather_cells(services, shard->services_);
  out.family(Kind::histogram, "banyan_upstream_duration_seconds",
             "From a connection at hand to the head of the service's answer.");
  write_histograms(out, "service", services, &ServiceCell::answered);
  out.family(Kind::counter, "banyan_upstream_attempts_total",
             "Times a request was sent to the service.");
  write_totals(out, "service", services, &ServiceCell::attempts);
  out.family(Kind::counter, "banyan_upstream_reused_total",
             "Requests whose connection to the service had been used before.");
  write_totals(out, "service", services, &ServiceCell::reused);
}

void Metrics::write_errors(Exposition& out) const {
  out.family(Kind::counter, "banyan_errors_total",
             "Failed exchanges, by whose fault it was and what went wrong.");
  for (size_t side = 0; side < MetricsShard::sides; ++side)
    for (size_t code = 0; code < MetricsShard::codes; ++code) {
      uint64_t sum = 0;
      for (const auto& shard : shards_) sum += shard->errors_[side][code].value();
      if (sum == 0) continue;
      out.sample({{"side", name(static_cast<Side>(side))}, {"code", name(static_cast<Code>(code))}},
                 sum);
    }
}

void Metrics::write_connections(Exposition& out) const {
  ByName<ListenerCell> listeners;
  for (const auto& shard : shards_) gather_cells(listeners, shard->listeners_);
  out.family(Kind::counter, "banyan_connections_accepted_total", "Connections taken from clients.");
  write_totals(out, "listener", listeners, &ListenerCell::accepted);
  out.family(Kind::counter, "banyan_connections_refused_total",
             "Connections closed at once: the listener had as many as it may have.");
  write_totals(out, "listener", listeners, &ListenerCell::refused);
  // Zero is a value here: it is what the last client leaves behind.
  out.family(Kind::gauge, "banyan_connections_active", "Connections of clients that are open.");
  for (const auto& [name, cells] : listeners)
    out.sample({{"listener", name}}, total(cells, &ListenerCell::active));
}

void Metrics::write_loops(Exposition& out) {
  out.family(Kind::gauge, "banyan_loop_turn_max_seconds",
             "The longest turn of a worker's loop since the last scrape: how late events were "
             "seen at worst.");
  for (size_t i = 0; i < shards_.size(); ++i)
    out.sample({{"worker", std::to_string(i)}},
               nanoseconds(shards_[i]->longest_turn_ns_.exchange(0)));
  out.family(Kind::histogram, "banyan_loop_turn_seconds",
             "The longest turn of a worker's loop in each interval between two readings.");
  for (size_t i = 0; i < shards_.size(); ++i) {
    Distribution d;
    shards_[i]->turns_.add_to(d);
    if (d.count() != 0) out.histogram({{"worker", std::to_string(i)}}, d, turn_edges);
  }
}

void Metrics::write_reloads(Exposition& out) const {
  const uint64_t ok = reloads_ok_, failed = reloads_failed_;
  out.family(Kind::counter, "banyan_reloads_total", "Reloads of the configuration.");
  out.sample({{"result", "ok"}}, ok);
  out.sample({{"result", "failed"}}, failed);
  out.family(Kind::gauge, "banyan_generation",
             "Which configuration runs: 1 since the start, one more with each reload that went "
             "well.");
  out.sample({}, ok + 1);
  if (ok + failed == 0) return;
  out.family(Kind::gauge, "banyan_last_reload_success", "Whether the last reload went well.");
  out.sample({}, uint64_t{reload_was_ok_});
  out.family(Kind::gauge, "banyan_last_reload_timestamp_seconds",
             "When the last reload was, since 1970.");
  out.sample({}, nanoseconds(reloaded_at_ns_));
}

void Metrics::write(Exposition& out) {
  write_routes(out);
  write_services(out);
  write_errors(out);
  write_connections(out);
  write_loops(out);
  write_reloads(out);
}

}  // namespace banyan
