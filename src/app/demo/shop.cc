#include "app/demo/shop.h"

#include <fmt/format.h>
#include <signal.h>

#include <deque>
#include <thread>

#include "app/demo/catalog.h"
#include "app/demo/instance.h"
#include "app/demo/monolith.h"
#include "app/demo/reviews.h"
#include "app/demo/sellers.h"
#include "app/demo/stock.h"
#include "app/server.h"
#include "io/epoll.h"
#include "service/respond.h"

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

// The thread with all that lives on it. listen() runs before there is a thread; from go() on, only
// the loop's own messages touch engine, loop and servers.
class Shop::Thread {
 public:
  ~Thread() {
    if (!thread_.joinable()) return;
    loop_.send([this] { run_root([this] { return close(); }).start(*context_, &stopped, this); });
    thread_.join();
  }

  std::expected<void, std::string> listen(std::string_view name, uint16_t port,
                                          ServicePtr service) {
    // Not shared: a port that another program has must fail, not take every second client.
    const ListenOptions alone{.reuse_port = false};
    auto listener = engine_.listen(*parse_ip("127.0.0.1", port), alone);
    if (!listener) return std::unexpected(cannot_listen(name, port, listener.error()));
    places_.push_back({std::string(name), (*listener)->local()});
    auto instance = std::make_shared<demo::Instance>(std::move(service), name);
    open_.push_back({std::move(*listener), std::make_shared<ShopHandler>(std::move(instance))});
    return {};
  }
  void go() {
    thread_ = std::thread([this] { run(); });
  }
  const std::vector<Place>& places() const { return places_; }

 private:
  struct Open {
    ListenerPtr listener;
    std::shared_ptr<Handler> handler;
  };

  void run() {
    // Signals are for the thread that knows how the process ends.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    Cancel root;
    Context context{loop_, root};
    context_ = &context;
    for (Open& o : open_)
      servers_.emplace_back(context, std::move(o.listener), std::move(o.handler), connections_)
          .start();
    loop_.run();
    servers_.clear();
  }
  // Called off, not drained: the gateway in front has drained before.
  Task<> close() {
    for (Server& server : servers_) server.abort();
    for (Server& server : servers_) co_await server.join();
  }
  static void stopped(void* self) { static_cast<Thread*>(self)->loop_.stop(); }

  EpollEngine engine_;
  Loop loop_{engine_, 1};
  SharedLimit connections_{connections_max};
  std::vector<Place> places_;
  std::vector<Open> open_;
  std::deque<Server> servers_;
  Context* context_ = nullptr;  // of run(), while it runs
  std::thread thread_;
};

Shop::Shop(std::unique_ptr<Thread> thread) : thread_(std::move(thread)) {}
Shop::~Shop() = default;
const std::vector<Shop::Place>& Shop::addresses() const { return thread_->places(); }

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
  thread->go();
  return std::unique_ptr<Shop>(new Shop(std::move(thread)));
}

}  // namespace banyan
