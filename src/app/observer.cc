#include "app/observer.h"

#include "app/model.h"
#include "app/process_stats.h"

namespace banyan {

void ExchangeObserver::finished(const Request* request, const Address& client,
                                const Record& record) {
  routes_.count(record);
  if (log_) log_->sink.write(log_->line.format(request, client, record, loop_->wall()));
}

Observers::Observers(unsigned workers, std::string version,
                     std::function<void(const std::string&)> complain)
    : version_(std::move(version)), metrics_(workers), logs_(workers, std::move(complain)) {}

std::expected<std::vector<LogSink>, std::string> Observers::open_logs(const Settings& settings) {
  std::vector<LogSink> out;
  for (const auto& listener : settings.listeners) {
    const OffloadSettings merged = merge(listener.value.offload, settings.offload);
    if (!merged.access_log) continue;
    auto sink = logs_.open(0, merged.access_log->path);
    if (!sink)
      return std::unexpected("listener " + listener.name + ": access_log: " + sink.error());
    out.push_back(std::move(*sink));
  }
  return out;
}

std::expected<ExchangeObserver, std::string> Observers::observer(unsigned worker,
                                                                 const Settings& settings,
                                                                 const std::string& listener,
                                                                 const OffloadSettings& merged,
                                                                 Loop& loop) {
  ExchangeObserver made(metrics_.shard(worker), settings.routes.size(), loop);
  if (merged.access_log) {
    auto sink = logs_.open(worker, merged.access_log->path);
    if (!sink) return std::unexpected("access_log: " + sink.error());
    made.log_.emplace(std::move(*sink), AccessLine(listener, merged.access_log->query));
  }
  return made;
}

std::string Observers::prometheus(const std::function<void(Exposition&)>& more) {
  using Kind = Exposition::Kind;
  Exposition out;
  metrics_.write(out);
  more(out);
  const LogCounts log = logs_.counts();
  out.family(Kind::counter, "banyan_access_log_dropped_total",
             "Lines that were lost: the queue was full, or a write failed.");
  out.sample({}, log.dropped);
  out.family(Kind::counter, "banyan_access_log_write_errors_total", "Writes that failed.");
  out.sample({}, log.write_errors);
  out.family(Kind::gauge, "banyan_build_info", "Always 1; the version is a label.");
  out.sample({{"version", version_}}, uint64_t{1});
  write_process_stats(out);
  return out.take();
}

}  // namespace banyan
