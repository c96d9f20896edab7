#include "app/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <thread>

#include "app/thread_call.h"
#include "app/version.h"

namespace banyan {

namespace {

uint64_t random_seed() {
  uint64_t seed = 0;
  (void)!::getrandom(&seed, sizeof seed, 0);
  return seed;
}

unsigned worker_count(const RunOptions& options, const Settings& settings) {
  if (options.workers) return *options.workers;
  if (settings.workers) return *settings.workers;
  return std::max(1u, std::thread::hardware_concurrency());
}

void set_log_level(LogLevel level) {
  constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                  spdlog::level::warn, spdlog::level::err};
  spdlog::set_level(levels[static_cast<size_t>(level)]);
}

// Each line of a list of problems as a line of the log.
void log_lines(spdlog::level::level_enum level, std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    spdlog::log(level, "{}", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

Process::Process(RunOptions options, Loaded loaded)
    : options_(std::move(options)),
      first_(std::move(loaded)),
      loop_(engine_, random_seed()),
      signals_(engine_, {SIGHUP, SIGUSR1, SIGTERM, SIGINT}),
      observers_(worker_count(options_, first_.model->settings), std::string(version),
                 [](const std::string& what) { spdlog::error("{}", what); }),
      admin_handler_(std::make_shared<Admin>(static_cast<Administered&>(*this))) {
  const unsigned count = worker_count(options_, first_.model->settings);
  for (unsigned i = 0; i < count; ++i)
    workers_.push_back(std::make_unique<Worker>(i, shared_, random_seed()));
  reloader_ = std::make_unique<Reloader>(loop_, options_.config, options_.sources, workers_,
                                         observers_, [this](const Loaded& l) { applied(l); });
}

Process::~Process() = default;

int Process::run() {
  run_root([this] {
    return main();
  }).start(context_, [](void* self) { static_cast<Process*>(self)->loop_.stop(); }, this);
  loop_.run();
  return status_;
}

Task<> Process::main() {
  Nursery tasks(co_await current_context());
  tasks_ = &tasks;
  draining_workers_ = workers_.size();
  for (auto& worker : workers_)
    worker->start([this] {
      loop_.send([this] {
        if (--draining_workers_ == 0) drained_.set();
      });
    });
  co_await serve(tasks);
  (void)co_await drained_.wait();
  if (admin_ != nullptr) {
    admin_->abort();
    admin_->drain();
    co_await admin_->join();
    admin_.reset();
  }
  tasks.cancel();
  co_await tasks.join();
  for (auto& worker : workers_) worker->finish();
  workers_.clear();
  spdlog::info("stopped");
}

// Starts; from here on signals decide.
Task<> Process::serve(Nursery& tasks) {
  auto outcome = co_await reloader_->apply(std::move(first_));
  log_lines(outcome.applied ? spdlog::level::warn : spdlog::level::err, outcome.text);
  if (!outcome.applied) {
    status_ = 1;
    co_await abort();
    co_return;
  }
  ready_ = true;
  options_.ready();
  for (const auto& listener : reloader_->model()->settings.listeners)
    spdlog::info("listening on {} ({})", listener.value.address, listener.name);
  tasks.start([this, &tasks] { return obey_signals(tasks); });
  if (options_.watch) {
    watch_ = std::make_unique<Watch>(engine_);
    watch_->set_files(reloader_->watched());
    tasks.start([this] { return watch_files(); });
  }
}

Task<> Process::obey_signals(Nursery& tasks) {
  for (;;) {
    const auto number = co_await signals_.next();
    if (!number) co_return;
    if (*number == SIGHUP) {
      tasks.start([this] { return reload(); });
    } else if (*number == SIGUSR1) {
      observers_.reopen_logs();
    } else if (std::exchange(draining_, true)) {
      spdlog::warn("second signal: ending at once");
      co_await abort();
    } else {
      tasks.start([this] { return drain(); });
    }
  }
}

Task<> Process::watch_files() {
  while (co_await watch_->changed()) {
    co_await reload();
    watch_->set_files(reloader_->watched());
  }
}

Task<> Process::reload() {
  if (draining_) co_return;
  auto outcome = co_await reloader_->reload();
  if (!outcome.applied) spdlog::error("reload: nothing was changed:");
  log_lines(outcome.applied ? spdlog::level::warn : spdlog::level::err, outcome.text);
}

void Process::applied(const Loaded& loaded) {
  const Settings& settings = loaded.model->settings;
  set_log_level(settings.log.level);
  observers_.reopen_logs();
  open_admin(settings);
  spdlog::info("generation {}: {} routes, {} services", reloader_->generation(),
               settings.routes.size(), settings.services.size());
}

void Process::open_admin(const Settings& settings) {
  const std::string wanted = settings.admin ? settings.admin->address : "";
  if (wanted == admin_address_) return;
  if (admin_ != nullptr)
    tasks_->start(
        [this, old = std::move(admin_)]() mutable { return retire_admin(std::move(old)); });
  admin_address_ = wanted;
  if (wanted.empty()) return;
  auto listener = engine_.listen(parse_address(wanted).value_or(Address{}), {.reuse_port = false});
  if (!listener) {
    spdlog::error("admin: {}: {}; there are no admin pages", wanted, listener.error().what);
    admin_address_.clear();
    return;
  }
  admin_ = std::make_unique<Server>(context_, std::move(*listener), admin_handler_, admin_limit_);
  admin_->start();
  spdlog::info("admin pages on http://{}/", to_string(admin_->local()));
}

Task<> Process::retire_admin(std::unique_ptr<Server> old) {
  old->drain();
  old->close_idle();
  co_await old->join();
}

Task<> Process::drain() {
  const Duration grace = reloader_->model()->settings.shutdown.grace;
  spdlog::info("draining for at most {}; a second signal ends at once", to_text(grace));
  // A reload that is under way comes to its end first.
  co_await reloader_->close();
  for (auto& worker : workers_) {
    Worker& w = *worker;
    co_await on_thread(w.loop(), loop_, [&] {
      w.drain(grace);
      return true;
    });
  }
}

Task<> Process::abort() {
  for (auto& worker : workers_) {
    Worker& w = *worker;
    co_await on_thread(w.loop(), loop_, [&] {
      w.abort();
      return true;
    });
  }
}

Task<std::string> Process::metrics() {
  for (auto& worker : workers_) {
    Worker& w = *worker;
    const auto sample = co_await on_thread(w.loop(), loop_, [&] { return w.sample(); });
    for (const auto& [listener, counts] : sample.listeners)
      observers_.set_connections(w.index(), listener, counts);
    observers_.set_lag(w.index(), sample.longest_turn);
  }
  co_return observers_.prometheus();
}

}  // namespace banyan
