// Metrics: what the process counts, one shard a worker, so that counting an exchange takes a few
// plain additions: no lock, no locked instruction. Owner: Observers. Thread: a shard is written by
// its worker, the rest by any; all is read by whoever scrapes, while it is written. Series go by
// the names of routes and services, so they survive reloads; what was never used costs nothing but
// an empty pointer in the version's RouteCounters. Bounds: routes_max and services_max a shard, the
// names beyond them (reloads that rename for ever) are counted together as "(other)"; listeners
// beyond listeners_max are not shown. A route in
// use takes about 2 KiB a worker, most of it its histogram.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/server.h"
#include "base/counter.h"
#include "base/histogram.h"
#include "base/prometheus.h"
#include "http/record.h"

namespace banyan {

// Status classes: none (no answer was sent), 1xx .. 5xx.
inline constexpr size_t status_classes = 6;
using StatusCounters = std::array<Counter, status_classes>;

struct ServiceCell : Appended<ServiceCell> {
  explicit ServiceCell(std::string_view n) : name(n) {}
  const std::string name;
  Histogram answered;  // from sending to the head of the answer
  Counter attempts, reused;
};

// A service as one route uses it.
struct RouteServiceCell : Appended<RouteServiceCell> {
  explicit RouteServiceCell(ServiceCell& s) : service(s) {}
  ServiceCell& service;
  StatusCounters statuses;
};

struct RouteCell : Appended<RouteCell> {
  explicit RouteCell(std::string_view n) : name(n) {}
  const std::string name;
  Histogram took;
  Counter bytes_in, bytes_out;
  AppendList<RouteServiceCell> services;
};

struct ListenerCell : Appended<ListenerCell> {
  explicit ListenerCell(std::string_view n) : name(n) {}
  const std::string name;
  Counter accepted, refused, active;
};

class MetricsShard {
 public:
  static constexpr size_t routes_max = 100'000, services_max = 10'000;
  static constexpr size_t listeners_max = 1000;

  // The worker alone.
  RouteCell& route(std::string_view name);
  void count(RouteCell& route, const Record& record);
  // One thread, the same for both and always: what they touch is apart from what count() does.
  void set_lag(Duration longest_turn);
  // Running totals of the listener, over all its servers on this worker.
  void set_connections(std::string_view listener, const ServerCounts& counts);

 private:
  friend class Metrics;
  static constexpr size_t codes = static_cast<size_t>(Code::bug) + 1;
  static constexpr size_t sides = static_cast<size_t>(Side::self) + 1;

  ServiceCell& service(std::string_view name);
  RouteServiceCell& service_of(RouteCell& route, std::string_view name);

  AppendList<RouteCell> routes_;
  AppendList<ServiceCell> services_;
  AppendList<ListenerCell> listeners_;
  std::array<std::array<Counter, codes>, sides> errors_;
  Histogram turns_;
  std::atomic<int64_t> longest_turn_ns_{0};  // since the last scrape
  // By names that the cells own: the worker's two, and that of set_connections().
  std::unordered_map<std::string_view, RouteCell*> route_by_name_;
  std::unordered_map<std::string_view, ServiceCell*> service_by_name_;
  std::unordered_map<std::string_view, ListenerCell*> listener_by_name_;
};

// The routes of one version on one worker, by Record::route_index. It may be made on any thread;
// then it is the worker's.
class RouteCounters {
 public:
  RouteCounters(MetricsShard& shard, size_t routes) : shard_(&shard), cells_(routes + 1) {}
  void count(const Record& record) {
    if (record.route_index >= cells_.size()) [[unlikely]]
      return shard_->count(shard_->route(record.route), record);
    RouteCell*& cell = cells_[record.route_index];
    if (cell == nullptr) [[unlikely]]
      cell = &shard_->route(record.route);
    shard_->count(*cell, record);
  }

 private:
  MetricsShard* shard_;
  std::vector<RouteCell*> cells_;  // null: not used yet
};

class Metrics {
 public:
  explicit Metrics(unsigned workers);

  // It lives as long as this does.
  MetricsShard& shard(unsigned worker) { return *shards_[worker]; }
  // Any thread. The first configuration is generation 1, each reload that went well adds one.
  void count_reload(bool ok, WallTime at);
  // Any thread. The longest turns begin anew with each call.
  void write(Exposition& out);

 private:
  void write_routes(Exposition& out) const;
  void write_services(Exposition& out) const;
  void write_errors(Exposition& out) const;
  void write_connections(Exposition& out) const;
  void write_loops(Exposition& out);
  void write_reloads(Exposition& out) const;

  std::vector<std::unique_ptr<MetricsShard>> shards_;
  std::atomic<uint64_t> reloads_ok_{0}, reloads_failed_{0};
  std::atomic<int64_t> reloaded_at_ns_{0};  // since 1970; 0: never
  std::atomic<bool> reload_was_ok_{true};
};

}  // namespace banyan
