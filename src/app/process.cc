#include "app/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <thread>

#include "app/bulkheads.h"
#include "app/thread_call.h"
#include "app/version.h"
#include "task/combine.h"

namespace banyan {

namespace {

// An admin page of an address that was given up gets this long to finish, twice: to close by
// itself, and to be closed.
constexpr Duration admin_grace = std::chrono::seconds(1);

std::string admin_address(const Settings& settings) {
  return settings.admin ? settings.admin->address : std::string();
}

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

EngineChoice engine_choice(const RunOptions& options, const Settings& settings) {
  const EngineChoice choice = options.engine.value_or(settings.engine);
  if (has_engine(choice)) return choice;
  spdlog::warn(
      "io_uring is not to be had here: the kernel is older than 6.1, or the container or a sysctl "
      "forbids it. Serving with epoll");
  return EngineChoice::automatic;
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
      plan_(worker_count(options_, first_.model->settings), first_.model->settings),
      observers_(plan_.size(), std::string(version),
                 [](const std::string& what) { spdlog::error("{}", what); }),
      shared_{limits_, calls_, observers_, plan_, engine_choice(options_, first_.model->settings)},
      admin_handler_(std::make_shared<Admin>(static_cast<Administered&>(*this))) {
  for (unsigned i = 0; i < plan_.size(); ++i)
    workers_.push_back(std::make_unique<Worker>(i, shared_, random_seed()));
  Reloader::Participant& self = *this;
  reloader_ = std::make_unique<Reloader>(loop_, options_.config, options_.sources, workers_,
                                         observers_, self);
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
  const unsigned own = plan_.size() - plan_.general();
  spdlog::info("ready: {} workers{}, {}", plan_.general(),
               own == 0 ? "" : fmt::format(", {} of single listeners", own),
               workers_.front()->engine_name());
  options_.ready();
  tasks.start([this, &tasks] { return obey_signals(tasks); });
  tasks.start([this] { return obey_hangups(); });
  if (options_.watch) {
    watch_ = std::make_unique<Watch>(engine_);
    tasks.start([this] { return watch_files(); });
  }
}

Task<> Process::obey_signals(Nursery& tasks) {
  for (;;) {
    const auto number = co_await signals_.next();
    if (!number) co_return;
    if (*number == SIGHUP) {
      hangup_.set();
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

// However many come during one reload, they make one more.
Task<> Process::obey_hangups() {
  while (co_await hangup_.wait()) {
    hangup_.reset();
    co_await reload();
  }
}

// Only what is read differently is loaded again: folders hold other files too, our own logs among
// them. It is looked at before the first wait, since the folders were not watched during the load.
Task<> Process::watch_files() {
  for (;;) {
    watch_->set_files(reloader_->asked());
    while (!reloader_->stale()) {
      if (!co_await watch_->changed()) co_return;
      watch_->set_files(reloader_->asked());
    }
    co_await reload();
    if (draining_) co_return;
  }
}

Task<> Process::reload() {
  if (draining_) co_return;
  auto outcome = co_await reloader_->reload();
  if (!outcome.applied) spdlog::error("reload: nothing was changed:");
  log_lines(outcome.applied ? spdlog::level::warn : spdlog::level::err, outcome.text);
}

// The admin's listener is opened before anything changes, so that an address that cannot be had
// changes nothing.
std::expected<void, std::string> Process::prepare(const Settings& settings) {
  const std::string wanted = admin_address(settings);
  if (draining_ || wanted.empty() || wanted == admin_address_) return {};
  const Address address = parse_address(wanted).value_or(Address{});
  const bool port_is_ours = admin_ != nullptr && admin_->local().port == address.port;
  auto listener = engine_.listen(address, {.exclusive = !port_is_ours});
  if (!listener)
    return std::unexpected(fmt::format("admin: {}: {}", wanted, listener.error().what));
  admin_next_ = std::move(*listener);
  return {};
}

void Process::commit(const Loaded& loaded) {
  const Settings& settings = loaded.model->settings;
  set_log_level(settings.log.level);
  for (const std::string& line : plan_.differences(settings)) spdlog::warn("reload: {}", line);
  observers_.reopen_logs();
  move_admin(admin_address(settings));
  spdlog::info("generation {}: {} routes, {} services", reloader_->generation(),
               settings.routes.size(), settings.services.size());
}

// During the drain the pages stay where they are until the end.
void Process::move_admin(const std::string& address) {
  if (draining_ || address == admin_address_) return;
  if (admin_ != nullptr)
    tasks_->start(
        [this, old = std::move(admin_)]() mutable { return retire_admin(std::move(old)); });
  admin_address_ = address;
  if (admin_next_ == nullptr) return;
  admin_ = std::make_unique<Server>(context_, std::move(admin_next_), admin_handler_, admin_limit_);
  admin_->start();
  spdlog::info("admin pages on {}", to_string(admin_->local()));
}

Task<> Process::retire_admin(std::unique_ptr<Server> old) {
  old->drain();
  (void)co_await sleep_for(admin_grace);
  old->close_idle();
  (void)co_await sleep_for(admin_grace);
  old->abort();
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
  Exposition more;
  write_services(more, co_await services());
  write_retries(more, calls_.retries);
  write_tokens(more, calls_.tokens);
  write_quotas(more, calls_.quotas, loop_.now());
  write_bulkheads(more, calls_.compartments);
  co_return observers_.prometheus() + more.take();
}

std::string Process::bulkheads() { return bulkheads_json(calls_.compartments); }

// A worker that has another version for a moment, or none any more, knows nothing of some.
Task<std::vector<ServiceStatus>> Process::services() {
  std::vector<ServiceStatus> out;
  const ModelPtr model = reloader_->model();
  if (model == nullptr) co_return out;
  for (const auto& [name, place, service] : model->settings.services) {
    if (service.endpoints.empty()) continue;
    ServiceStatus& one = out.emplace_back();
    one.name = name;
    const auto& breaker = service.use.breaker;
    if (breaker && breaker->scope != BreakerScope::endpoint)
      one.breaker = calls_.circuits.of(name, *breaker)->status(loop_.now());
  }
  for (auto& worker : workers_) {
    Worker& w = *worker;
    auto seen = co_await on_thread(w.loop(), loop_, [&] { return w.services(); });
    for (ServiceStatus& one : out) one.workers.push_back(std::move(seen[one.name]));
  }
  co_return out;
}

}  // namespace banyan
