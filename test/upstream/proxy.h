// Proxy: a client, a gateway that is one Forward (and what `wrap` puts above it), and scripted
// endpoints, in virtual time. What must hold after each run is checked here: no exchange in flight,
// every connection idle or gone. Owner: the test. Thread: one.
#pragma once
#include <gtest/gtest.h>

#include <functional>

#include "sim/service_handler.h"
#include "upstream/forward.h"

namespace banyan {

using namespace std::chrono_literals;

class Proxy {
 public:
  static constexpr std::string_view address = "10.1.0.1:80";
  explicit Proxy(uint64_t seed = 1) : sim(seed, "10.1.0.1") {}

  // `script` is Task<> of (Proxy&); the gateway serves while it runs.
  template <class Script>
  void run(Script script) {
    sim.run([&]() -> Task<> { return scene(script); });
  }
  // A client's connection to the gateway.
  Task<Peer> client() { return dial(sim.host("10.9.0.1"), address); }
  // The whole of one exchange on a connection of its own.
  Task<std::string> ask(std::string text) {
    Peer peer = co_await client();
    if (!co_await peer.send(text)) co_return "";
    co_return co_await peer.read_all();
  }
  static std::string get(std::string_view path = "/") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
  }
  // What the gateway answers to a client that stays, for an answer of an endpoint.
  static std::string answer(std::string_view content, std::string_view more = {}) {
    return "HTTP/1.1 200 OK\r\ndate: " + std::string(FixedSource::date) +
           "\r\ncontent-length: " + std::to_string(content.size()) + "\r\n" + std::string(more) +
           "\r\n" + std::string(content);
  }
  void members(const std::vector<std::string>& addresses) {
    std::vector<Cluster::Member> all;
    for (const auto& a : addresses) all.push_back({a, *parse_address(a), 1});
    cluster->set_members(all);
  }
  Endpoint& endpoint(size_t i = 0) { return *cluster->endpoints()[i]; }
  const std::vector<ServiceHandler::Finished>& finished() const { return handler->finished(); }
  Duration elapsed() const { return sim.elapsed(); }
  // The gateway ends in the middle of whatever it does.
  void abort() { serving_->cancel(); }

  Sim sim;
  ClusterLimits limits;
  H1Limits edge;
  Balance balance = Balance::round_robin;
  // What stands above Forward.
  std::function<ServicePtr(ServicePtr)> wrap = [](ServicePtr forward) { return forward; };
  std::vector<std::string> at_start = {"10.0.0.1:80"};
  std::vector<ServiceHandler::Finished> last;  // what was finished, after the run
  // During a run:
  ClusterPtr cluster;
  std::shared_ptr<ServiceHandler> handler;

 private:
  template <class Script>
  Task<> scene(Script& script) {
    Context& context = co_await current_context();
    cluster = std::make_shared<Cluster>("shop", sim.engine(), sim.loop(), balance, limits);
    members(at_start);
    handler = std::make_shared<ServiceHandler>(wrap(std::make_shared<Forward>(cluster)), edge);
    FixedSource source(handler);
    Nursery serving(context);
    serving_ = &serving;
    auto listener = sim.engine().listen(*parse_address(address), {});
    CHECK(listener.has_value());
    serving.start(
        [&, l = std::move(*listener)]() mutable { return serve_http(std::move(l), source); });
    co_await script(*this);
    serving.cancel();
    co_await serving.join();
    for (const auto& e : cluster->endpoints()) {
      EXPECT_EQ(e->in_flight(), 0u);
      EXPECT_EQ(e->load(), 0u);
      EXPECT_EQ(e->pool().count(), e->pool().idle());
    }
    last = handler->finished();
    cluster.reset();
    handler.reset();
  }

  Nursery* serving_ = nullptr;
};

}  // namespace banyan
