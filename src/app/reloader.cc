#include "app/reloader.h"

#include <spdlog/spdlog.h>

#include "app/thread_call.h"

namespace banyan {

namespace {

// What a running process cannot change, and a new file wants otherwise.
void tell_unchangeable(const Settings& now, const Settings& next) {
  if (now.workers != next.workers)
    spdlog::warn("reload: `workers` stays as it is until the process is started again");
}

}  // namespace

Reloader::Reloader(Loop& loop, std::string path, Sources sources, Workers& workers,
                   Observers& observers, std::function<void(const Loaded&)> applied)
    : loop_(loop),
      path_(std::move(path)),
      sources_(std::move(sources)),
      workers_(workers),
      observers_(observers),
      applied_(std::move(applied)) {}

Task<Reloader::Outcome> Reloader::reload() {
  auto turn = co_await turn_.acquire();
  if (!turn) co_return Outcome{false, "too many reloads are waiting\n"};
  if (closed_) co_return Outcome{false, "the process is stopping\n"};
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
  watched_ = loaded.watched;
  Outcome out{.text = loaded.problems.text()};
  if (loaded.model != nullptr) {
    // Until every worker has its own sinks.
    const auto logs = observers_.open_logs(loaded.model->settings);
    const std::string wrong = logs ? co_await prepare_all(loaded.model) : logs.error();
    out.applied = wrong.empty();
    if (!out.applied) out.text += wrong + "\n";
  }
  for (auto& worker : workers_) {
    Worker& w = *worker;
    co_await on_thread(w.loop(), loop_, [&] {
      out.applied ? w.commit() : w.discard();
      return true;
    });
  }
  if (model_ != nullptr) observers_.count_reload(out.applied, loop_.wall());
  if (!out.applied) co_return out;
  if (model_ != nullptr) tell_unchangeable(model_->settings, loaded.model->settings);
  model_ = loaded.model;
  ++generation_;
  applied_(loaded);
  co_return out;
}

// One after the other: the first makes a port 0 real, the others follow it.
Task<std::string> Reloader::prepare_all(const ModelPtr& model) {
  std::vector<BoundAddress> bound;
  for (auto& worker : workers_) {
    Worker& w = *worker;
    auto prepared =
        co_await task_on_thread(w.tasks(), loop_, [&] { return w.prepare(model, bound); });
    if (!prepared) co_return "the process is stopping";
    if (!*prepared) co_return prepared->error();
  }
  co_return std::string();
}

}  // namespace banyan
