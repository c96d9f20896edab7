#include "app/worker.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "app/bulkheads.h"
#include "app/compose.h"
#include "io/cares.h"
#include "task/combine.h"

namespace banyan {

namespace {

// How long a version waits for the first addresses of its names; those that come later are used
// when they are there.
constexpr Duration names_max = std::chrono::seconds(2);
// A client that is between two requests gets this long to send one more, and is then told to close.
constexpr Duration idle_grace = std::chrono::seconds(1);

// What a listener is known by over reloads. A port 0 is another port for each name.
std::string place_of(const std::string& name, const Address& wanted) {
  const bool fresh_port = wanted.family != Address::Family::unix_path && wanted.port == 0;
  return fresh_port ? to_string(wanted) + " " + name : to_string(wanted);
}

}  // namespace

// One version of the configuration as this worker has it.
struct Worker::Version {
  struct Bound {
    std::string name;
    Address wanted;
    std::string place;
    uint32_t connections;
    std::shared_ptr<Handler> edge;
    ListenerPtr fresh;  // null: the listener that is open stays
  };
  Version(Context& context, Engine& engine, Resolver& resolver, ModelPtr from,
          const Version* before, Nursery& connections)
      : model(std::move(from)),
        clusters(context, engine, resolver, model->settings,
                 before != nullptr ? &before->clusters : nullptr, connections) {}

  ModelPtr model;
  Clusters clusters;
  std::vector<Bound> listeners;
};

Worker::Worker(unsigned index, Shared& shared, uint64_t seed)
    : index_(index),
      shared_(shared),
      made_engine_(make_native_engine(shared.engine)),
      loop_(engine_, seed) {}

Worker::~Worker() {
  if (thread_.joinable()) thread_.join();
}

ServerCounts Worker::Open::since_named() const {
  const ServerCounts& all = server->counts();
  return {all.accepted - before.accepted, all.refused - before.refused, all.active};
}

void Worker::start(std::function<void()> drained) {
  drained_ = std::move(drained);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), shared_.plan.thread_name(index_).c_str());
}

void Worker::run() {
  auto resolver = CaresResolver::make(engine_.pollables(), loop_, {});
  if (resolver) resolver_ = std::move(*resolver);
  run_root([this] {
    return main();
  }).start(context_, [](void* self) { static_cast<Worker*>(self)->drained_(); }, this);
  loop_.run();
  resolver_.reset();
}

void Worker::finish() {
  loop_.send([this] { loop_.stop(); });
}

Task<> Worker::main() {
  (void)co_await stop_.wait();
  co_await wind_down();
  tasks_.cancel();
  co_await tasks_.join();
  if (now_ != nullptr) co_await now_->clusters.retire(nullptr);
  // A reload that the end overtook.
  if (next_ != nullptr) co_await next_->clusters.retire(nullptr);
  open_.clear();
  next_.reset();
  now_.reset();
}

Task<std::expected<void, std::string>> Worker::prepare(ModelPtr model,
                                                       std::vector<BoundAddress>& bound) {
  if (resolver_ == nullptr)
    co_return std::unexpected(
        std::string("names cannot be resolved: no memory, or no resolv.conf"));
  auto version = std::make_unique<Version>(context_, engine_, *resolver_, std::move(model),
                                           now_.get(), tasks_);
  auto opened = open_listeners(*version, bound);
  if (!opened) {
    co_await version->clusters.retire(now_ != nullptr ? &now_->clusters : nullptr);
    co_return opened;
  }
  next_ = std::move(version);
  co_return opened;
}

Task<Result<>> Worker::settle() {
  co_await next_->clusters.ready(names_max);
  co_return Result<>{};
}

std::expected<void, std::string> Worker::open_listeners(Version& version,
                                                        std::vector<BoundAddress>& bound) {
  const Settings& settings = version.model->settings;
  Composer composer(
      version.model, loop_, shared_.calls,
      {[&](std::string_view name) { return version.clusters.find(name); },
       [&](std::string_view name) { return version.clusters.destinations(name); }, &tasks_});
  bound.resize(settings.listeners.size());
  for (size_t i = 0; i < settings.listeners.size(); ++i) {
    const auto& [name, place, listener] = settings.listeners[i];
    if (!shared_.plan.serves(index_, name)) continue;
    const OffloadSettings offload = merge(listener.offload, settings.offload);
    auto observer = shared_.observers.observer(index_, settings, name, offload, loop_);
    if (!observer) return std::unexpected(fmt::format("listener {}: {}", name, observer.error()));
    const Address wanted = parse_address(listener.address).value_or(Address{});
    version.listeners.push_back({.name = name,
                                 .wanted = wanted,
                                 .place = place_of(name, wanted),
                                 .connections = listener.connections,
                                 .edge = composer.edge(listener, offload, std::move(*observer)),
                                 .fresh = nullptr});
    if (auto opened = open_listener(version, i, bound[i]); !opened) return opened;
  }
  return {};
}

// With SO_REUSEPORT a new listener can be open beside the one it replaces.
std::expected<void, std::string> Worker::open_listener(Version& version, size_t index,
                                                       BoundAddress& bound) {
  Version::Bound& listener = version.listeners.back();
  if (open_.contains(listener.place)) return {};
  const bool first = bound.address.family == Address::Family::none;
  const ListenOptions options{
      .backlog = static_cast<int>(version.model->settings.listeners[index].value.backlog),
      .exclusive = first && !port_is_ours(version, listener.wanted),
      .share = bound.descriptor};
  auto fresh = engine_.listen(first ? listener.wanted : bound.address, options);
  if (!fresh)
    return std::unexpected(fmt::format("listener {}: {}: {}", listener.name,
                                       to_string(listener.wanted), fresh.error().what));
  bound.address = (*fresh)->local();
  const bool path = bound.address.family == Address::Family::unix_path;
  if (path && first) bound.descriptor = (*fresh)->descriptor();
  listener.fresh = std::move(*fresh);
  return {};
}

// Another process on the port is refused; our own listener that had it before, or has it on another
// address, is not in the way.
bool Worker::port_is_ours(const Version& version, const Address& address) const {
  const auto same = [&](const Address& a) { return a.port == address.port; };
  return std::any_of(open_.begin(), open_.end(),
                     [&](const auto& open) { return same(open.second.server->local()); }) ||
         std::any_of(version.listeners.begin(), version.listeners.end(),
                     [&](const auto& l) { return l.fresh != nullptr && same(l.fresh->local()); });
}

void Worker::commit() {
  if (next_ == nullptr || stop_.is_set()) return;
  set_budgets(next_->model->settings, shared_.calls.retries);
  set_bulkheads(*next_->model, shared_.calls.compartments, loop_);
  for (Version::Bound& listener : next_->listeners) {
    Open& open = open_[listener.place];
    name(open, listener.name);
    SharedLimit& limit = shared_.limits.of(listener.place, listener.connections);
    if (listener.fresh == nullptr) {
      open.server->set_handler(listener.edge);
      continue;
    }
    open.server =
        std::make_unique<Server>(context_, std::move(listener.fresh), listener.edge, limit);
    open.server->start();
  }
  retire_others();
  auto old = std::exchange(now_, std::move(next_));
  if (old != nullptr)
    tasks_.start([this, o = std::move(old)]() mutable { return retire_version(std::move(o)); });
}

// The listeners that the next version does not have.
void Worker::retire_others() {
  const auto& wanted = next_->listeners;
  for (auto open = open_.begin(); open != open_.end();) {
    const bool stays = std::any_of(wanted.begin(), wanted.end(),
                                   [&](const auto& l) { return l.place == open->first; });
    if (!stays) retire(open->second);
    open = stays ? std::next(open) : open_.erase(open);
  }
}

void Worker::discard() {
  if (next_ == nullptr || stop_.is_set()) return;
  tasks_.start([this, o = std::move(next_)]() mutable { return retire_version(std::move(o)); });
}

// Exchanges that began with it hold its stacks; what ends here is the work in the background.
Task<> Worker::retire_version(std::unique_ptr<Version> old) {
  co_await old->clusters.retire(now_ != nullptr ? &now_->clusters : nullptr);
}

// A listener that gets another name leaves what it has counted to the old one.
void Worker::name(Open& open, const std::string& name) {
  if (open.server != nullptr && open.name != name) {
    ServerCounts ended = open.since_named();
    ended.active = 0;
    remember(open.name, ended);
    open.before += ended;
  }
  open.name = name;
}

void Worker::remember(const std::string& name, const ServerCounts& counts) {
  if (past_.size() < MetricsShard::listeners_max || past_.contains(name)) past_[name] += counts;
}

void Worker::retire(Open& open) {
  retirement_.start(
      [this, old = std::move(open)]() mutable { return retire_open(std::move(old)); });
}

Task<> Worker::retire_open(Open old) {
  retiring_.push_back(&old);
  old.server->drain();
  (void)co_await sleep_for(idle_grace);
  old.server->close_idle();
  co_await old.server->join();
  std::erase(retiring_, &old);
  remember(old.name, old.since_named());
}

template <class F>
void Worker::each_server(F f) {
  for (auto& [place, open] : open_) f(*open.server);
  for (Open* open : retiring_) f(*open->server);
}

void Worker::drain(Duration grace) {
  grace_ = grace;
  stop_.set();
}

void Worker::abort() {
  grace_ = Duration{};
  each_server([](Server& s) { s.abort(); });
  stop_.set();
}

Task<> Worker::wind_down() {
  each_server([](Server& s) { s.drain(); });
  Nursery pressing(co_await current_context());
  pressing.start([this] { return hurry(grace_); });
  for (auto& [place, open] : open_) co_await open.server->join();
  co_await retirement_.join();
  pressing.cancel();
  co_await pressing.join();
}

// Asks those that are idle to go, once a second, and calls off what is left at the end.
Task<> Worker::hurry(Duration grace) {
  const Time end = after(loop_.now(), grace);
  while (loop_.now() < end) {
    if (!co_await sleep_until(std::min(end, after(loop_.now(), idle_grace)))) co_return;
    each_server([](Server& s) { s.close_idle(); });
  }
  each_server([](Server& s) { s.abort(); });
}

std::map<std::string, std::string> Worker::listening() const {
  std::map<std::string, std::string> out;
  for (auto& [place, open] : open_) out.emplace(open.name, to_string(open.server->local()));
  return out;
}

std::map<std::string, ClusterStatus> Worker::services() const {
  if (now_ == nullptr) return {};
  return now_->clusters.status(loop_.now());
}

Worker::Sample Worker::sample() {
  Sample out{.listeners = past_, .longest_turn = loop_.take_longest_turn()};
  for (const auto& [place, open] : open_) out.listeners[open.name] += open.since_named();
  for (const Open* open : retiring_) out.listeners[open->name] += open->since_named();
  return out;
}

}  // namespace banyan
