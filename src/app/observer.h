// Observers: what is remembered of exchanges: counts for /metrics and lines for the access log.
// Owner: the process; it outlives the workers. Thread: see each call. An ExchangeObserver is one
// worker's, for one listener and one version of the configuration; it keeps nothing of the settings
// it was made from. Bounds: app/metrics.h and app/log_writer.h.
#pragma once
#include <expected>
#include <optional>
#include <vector>

#include "app/access_log.h"
#include "app/log_writer.h"
#include "app/metrics.h"
#include "app/settings.h"

namespace banyan {

class ExchangeObserver {
 public:
  // On the worker's loop. `request` is null when its head could not be read. Never waits.
  void finished(const Request* request, const Address& client, const Record& record);

 private:
  friend class Observers;
  struct Log {
    LogSink sink;
    AccessLine line;
  };
  ExchangeObserver(MetricsShard& shard, size_t routes, Loop& loop)
      : routes_(shard, routes), loop_(&loop) {}

  RouteCounters routes_;
  std::optional<Log> log_;
  Loop* loop_;
};

class Observers {
 public:
  // `version` is the program's, for banyan_build_info. `complain` gets what goes wrong with the log
  // files while they are written, from any thread.
  Observers(unsigned workers, std::string version,
            std::function<void(const std::string&)> complain);

  // Opens the logs of a version, before it is built, on a thread that a slow disk may hold up. They
  // stay open while the result lives. The error is a text for the user: where, the path and why.
  std::expected<std::vector<LogSink>, std::string> open_logs(const Settings& settings);
  // On the worker's loop, while the result of open_logs() lives. `merged` is the offload that holds
  // for the listener.
  std::expected<ExchangeObserver, std::string> observer(unsigned worker, const Settings& settings,
                                                        const std::string& listener,
                                                        const OffloadSettings& merged, Loop& loop);
  // Any thread. Of reloads only: the first configuration is none.
  void count_reload(bool ok, WallTime at) { metrics_.count_reload(ok, at); }
  // Both on one thread, the same always, before a scrape: Loop::take_longest_turn(), and running
  // totals over all servers that the listener had on that worker.
  void set_lag(unsigned worker, Duration longest_turn) {
    metrics_.shard(worker).set_lag(longest_turn);
  }
  void set_connections(unsigned worker, const std::string& listener, const ServerCounts& counts) {
    metrics_.shard(worker).set_connections(listener, counts);
  }
  // Not on a worker's loop.
  void reopen_logs() { logs_.reopen(); }
  void flush_logs() { logs_.flush(); }
  // Any thread but the workers': with 10,000 routes in use it is a text of 10 MB. The Content-Type
  // is Exposition::content_type. `more` writes what others have counted.
  std::string prometheus();

 private:
  const std::string version_;
  Metrics metrics_;
  LogWriter logs_;
};

}  // namespace banyan
