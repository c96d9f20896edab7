#include "app/reloader.h"

#include <spdlog/spdlog.h>

#include "app/thread_call.h"
#include "task/combine.h"

namespace banyan {

namespace {

// What a running process cannot change, and a new file wants otherwise.
void tell_unchangeable(const Settings& now, const Settings& next) {
  if (now.engine != next.engine)
    spdlog::warn("reload: `engine` stays as it is until the process is started again");
  if (now.workers != next.workers)
    spdlog::warn("reload: `workers` stays as it is until the process is started again");
}

}  // namespace

Reloader::Reloader(Loop& loop, std::string path, Sources sources, Workers& workers,
                   Observers& observers, Participant& process)
    : loop_(loop),
      path_(std::move(path)),
      sources_(std::move(sources)),
      workers_(workers),
      observers_(observers),
      process_(process) {}

Task<Reloader::Outcome> Reloader::reload() {
  if (turn_.waiting() >= waiting_max) co_return Outcome{false, "too many reloads are waiting\n"};
  auto turn = co_await turn_.acquire();
  if (!turn || closed_) co_return Outcome{false, "the process is stopping\n"};
  co_return co_await apply_in_turn(load_model(path_, sources_));
}

Task<Reloader::Outcome> Reloader::apply(Loaded loaded) {
  auto turn = co_await turn_.acquire();
  if (!turn) co_return Outcome{false, "the process is stopping\n"};
  co_return co_await apply_in_turn(std::move(loaded));
}

Task<> Reloader::close() {
  closed_ = true;
  (void)co_await turn_.acquire();
}

Task<Reloader::Outcome> Reloader::apply_in_turn(Loaded loaded) {
  asked_ = loaded.asked;
  Outcome out{.text = loaded.problems.text()};
  if (loaded.model != nullptr) {
    // Until every worker has its own sinks.
    const auto logs = observers_.open_logs(loaded.model->settings);
    const std::string wrong = logs ? co_await prepare_all(loaded.model) : logs.error();
    out.applied = wrong.empty();
    if (!out.applied) out.text += wrong + "\n";
  }
  co_await finish_all(out.applied, loaded);
  if (model_ != nullptr) observers_.count_reload(out.applied, loop_.wall());
  if (!out.applied) co_return out;
  if (model_ != nullptr) tell_unchangeable(model_->settings, loaded.model->settings);
  model_ = loaded.model;
  ++generation_;
  co_await tell_listeners();
  process_.commit(loaded);
  co_return out;
}

Task<> Reloader::finish_all(bool applied, const Loaded& loaded) {
  for (auto& worker : workers_) {
    Worker& w = *worker;
    co_await on_thread(w.loop(), loop_, [&] {
      applied ? w.commit() : w.discard();
      return true;
    });
  }
  if (!applied && loaded.model != nullptr) process_.discard();
}

// Workers that have the same listener are in the same place.
Task<> Reloader::tell_listeners() {
  std::map<std::string, std::string> now;
  for (auto& worker : workers_) {
    Worker& w = *worker;
    now.merge(co_await on_thread(w.loop(), loop_, [&] { return w.listening(); }));
  }
  for (const auto& [name, address] : now)
    if (const auto old = listening_.find(name); old == listening_.end() || old->second != address)
      spdlog::info("listening on {} ({})", address, name);
  for (const auto& [name, address] : listening_)
    if (!now.contains(name)) spdlog::info("no longer listening on {} ({})", address, name);
  listening_ = std::move(now);
}

// One after the other: the first makes a port 0 real, the others follow it.
Task<std::string> Reloader::prepare_all(const ModelPtr& model) {
  if (auto prepared = process_.prepare(model->settings); !prepared) co_return prepared.error();
  std::vector<BoundAddress> bound;
  for (auto& worker : workers_) {
    Worker& w = *worker;
    auto prepared =
        co_await task_on_thread(w.tasks(), loop_, [&] { return w.prepare(model, bound); });
    if (!prepared) co_return "the process is stopping";
    if (!*prepared) co_return prepared->error();
  }
  // Names that nobody answers for cost their time once, not once a worker.
  (void)co_await gather(workers_.size(), [this](size_t i) { return settle(*workers_[i]); });
  co_return std::string();
}

Task<Result<>> Reloader::settle(Worker& worker) {
  (void)co_await task_on_thread(worker.tasks(), loop_, [&] { return worker.settle(); });
  co_return Result<>{};
}

}  // namespace banyan
