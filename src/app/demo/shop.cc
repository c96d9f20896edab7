#include "app/demo/shop.h"

#include <fmt/format.h>
#include <signal.h>

#include <deque>
#include <optional>
#include <thread>

#include "app/demo/catalog.h"
#include "app/demo/control.h"
#include "app/demo/instance.h"
#include "app/demo/monolith.h"
#include "app/demo/reviews.h"
#include "app/demo/sellers.h"
#include "app/demo/stock.h"
#include "app/server.h"
#include "io/epoll.h"
#include "service/respond.h"
#include "task/sync.h"

namespace banyan {

namespace {

constexpr uint64_t content_bytes_max = 64 * 1024;

// A service as a server sees it: errors become answers here, as they do in any service.
class ShopHandler final : public Handler {
 public:
  explicit ShopHandler(ServicePtr service) : service_(std::move(service)) {
    limits_.body.limit_bytes = content_bytes_max;
  }
  const H1Limits& limits() const override { return limits_; }
  Task<Reply> call(Request& request) override { return service_->call(request); }
  Response fault(Arena& arena, const Request*, const Error& error) override {
    return respond(arena, error);
  }
  void finished(const Request*, const Address&, const Record&) override {}

 private:
  H1Limits limits_;
  const ServicePtr service_;
};

std::string cannot_listen(std::string_view name, uint16_t port, const Error& why) {
  return fmt::format(
      "port {0} is not free for the demo's {1}: {2}; stop the program that has it "
      "(`ss -ltnp sport = :{0}` shows which), then run the demo again",
      port, name, why.what);
}

}  // namespace

// One copy of a service, and its port: closed while it is down.
struct Shop::Program {
  Program(const Place& at, ServicePtr service)
      : place(at),
        handler(std::make_shared<ShopHandler>(
            std::make_shared<demo::Instance>(std::move(service), at.name, fault))) {}

  const Place place;
  demo::Fault fault;
  const std::shared_ptr<Handler> handler;
  ListenerPtr listener;  // until there is a server
  std::optional<Server> server;
};

// The thread with all that lives on it. listen() runs before there is a thread; from go() on, only
// the loop's own messages touch engine, loop and servers.
class Shop::Thread final : private demo::Programs {
 public:
  ~Thread() {
    if (!thread_.joinable()) return;
    loop_.send([this] { run_root([this] { return close(); }).start(*context_, &stopped, this); });
    thread_.join();
  }

  std::expected<void, std::string> listen(std::string_view name, uint16_t port,
                                          ServicePtr service) {
    auto listener = open(name, port);
    if (!listener) return std::unexpected(listener.error());
    places_.push_back({std::string(name), (*listener)->local()});
    programs_.emplace_back(places_.back(), std::move(service)).listener = std::move(*listener);
    return {};
  }
  std::expected<void, std::string> listen_for_control(uint16_t port) {
    auto listener = open("fault switch", port);
    if (!listener) return std::unexpected(listener.error());
    control_at_ = (*listener)->local();
    control_listener_ = std::move(*listener);
    return {};
  }
  void go() {
    thread_ = std::thread([this] { run(); });
  }
  const std::vector<Place>& places() const { return places_; }
  const Address& control() const { return control_at_; }

 private:
  std::expected<ListenerPtr, std::string> open(std::string_view name, uint16_t port) {
    // Not shared: a port that another program has must fail, not take every second client.
    const ListenOptions alone{.reuse_port = false};
    auto listener = engine_.listen(*parse_ip("127.0.0.1", port), alone);
    if (!listener) return std::unexpected(cannot_listen(name, port, listener.error()));
    return std::move(*listener);
  }
  void serve(Program& program) {
    program.server.emplace(*context_, std::move(program.listener), program.handler, connections_);
    program.server->start();
  }
  void run() {
    // Signals are for the thread that knows how the process ends.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    Cancel root;
    Context context{loop_, root};
    context_ = &context;
    for (Program& p : programs_) serve(p);
    control_.emplace(context, std::move(control_listener_),
                     std::make_shared<ShopHandler>(control_service()), connections_);
    control_->start();
    loop_.run();
    control_.reset();
    for (Program& p : programs_) p.server.reset();
  }

  ServicePtr control_service() {
    demo::Programs& programs = *this;
    return std::make_shared<demo::Control>(programs);
  }
  std::vector<State> states() const override {
    std::vector<State> out;
    for (const Program& p : programs_) out.push_back({p.place.name, p.fault});
    return out;
  }
  Task<std::expected<void, std::string>> set(std::string_view name, demo::Fault fault) override {
    const auto turn = co_await changing_.acquire();
    if (!turn) co_return std::unexpected("the fault switch is busy");
    for (Program& p : programs_) {
      if (p.place.name != name) continue;
      if (fault.kind == demo::Fault::Kind::down) {
        co_await stop(p);
      } else if (auto started = start(p); !started) {
        co_return started;
      }
      p.fault = fault;
    }
    co_return std::expected<void, std::string>{};
  }
  std::expected<void, std::string> start(Program& program) {
    if (program.server) return {};
    auto listener = open(program.place.name, program.place.address.port);
    if (!listener) return std::unexpected(listener.error());
    program.listener = std::move(*listener);
    serve(program);
    return {};
  }
  static Task<> stop(Program& program) {
    if (!program.server) co_return;
    program.server->abort();
    co_await program.server->join();
    program.server.reset();
  }
  // Called off, not drained: the gateway in front has drained before. The switch first: after that
  // nobody starts or stops a program but us.
  Task<> close() {
    control_->abort();
    co_await control_->join();
    for (Program& p : programs_)
      if (p.server) p.server->abort();
    for (Program& p : programs_) co_await stop(p);
  }
  static void stopped(void* self) { static_cast<Thread*>(self)->loop_.stop(); }

  static constexpr size_t changes_waiting_max = 64;
  EpollEngine engine_;
  Loop loop_{engine_, 1};
  SharedLimit connections_{connections_max};
  std::vector<Place> places_;
  std::deque<Program> programs_;
  Address control_at_;
  ListenerPtr control_listener_;  // until there is a server
  std::optional<Server> control_;
  Semaphore changing_{1, changes_waiting_max};
  Context* context_ = nullptr;  // of run(), while it runs
  std::thread thread_;
};

Shop::Shop(std::unique_ptr<Thread> thread) : thread_(std::move(thread)) {}
Shop::~Shop() = default;
const std::vector<Shop::Place>& Shop::addresses() const { return thread_->places(); }
const Address& Shop::control() const { return thread_->control(); }

std::expected<std::unique_ptr<Shop>, std::string> Shop::start(const Ports& ports) {
  auto thread = std::make_unique<Thread>();
  const struct {
    std::string_view name;
    uint16_t port;
    ServicePtr service;
  } services[] = {
      {"catalog-1", ports.catalog, std::make_shared<demo::Catalog>(1)},
      {"catalog-2", ports.catalog_second, std::make_shared<demo::Catalog>(1)},
      {"reviews-1", ports.reviews, std::make_shared<demo::Reviews>()},
      {"sellers-1", ports.sellers, std::make_shared<demo::Sellers>()},
      {"stock-1", ports.stock, std::make_shared<demo::Stock>()},
      {"catalog-v3", ports.catalog_v3, std::make_shared<demo::Catalog>(3)},
      {"monolith", ports.monolith, std::make_shared<demo::Monolith>()},
  };
  for (const auto& s : services) TRY_RETURN(thread->listen(s.name, s.port, s.service));
  TRY_RETURN(thread->listen_for_control(ports.control));
  thread->go();
  return std::unique_ptr<Shop>(new Shop(std::move(thread)));
}

}  // namespace banyan
