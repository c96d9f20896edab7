#include "sim/service_handler.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

using namespace std::chrono_literals;

// Answers after a while, unless it is called off: then with an error of its own.
class Slow final : public Service {
 public:
  explicit Slow(Duration by) : by_(by) {}
  Task<Reply> call(Request& request) override {
    TRY(co_await sleep_for(by_));
    co_return make_response(request, 200, "text/plain", "done");
  }

 private:
  const Duration by_;
};

class ServiceHandlerTest : public testing::Test {
 protected:
  // `script` is Task<> of (Peer&), a client of the service; `Peer::close` ends it early.
  template <class Script>
  void run(ServicePtr service, Script script) {
    sim.run([&]() -> Task<> { return scene(service, script); });
  }
  template <class Script>
  Task<> scene(ServicePtr& service, Script& script) {
    Nursery serving(co_await current_context());
    handler = std::make_shared<ServiceHandler>(service);
    FixedSource source(handler);
    auto listener = sim.engine().listen(*parse_address("10.0.0.1:80"), {});
    CHECK(listener.has_value());
    serving.start(
        [&, l = std::move(*listener)]() mutable { return serve_http(std::move(l), source); });
    {
      Peer client = co_await dial(sim.engine(), "10.0.0.1:80");
      co_await script(client);
    }
    (void)co_await sleep_for(1ns);
    serving.cancel();
    co_await serving.join();
  }

  Sim sim;
  std::shared_ptr<ServiceHandler> handler;
};

TEST_F(ServiceHandlerTest, ServesAService) {
  run(std::make_shared<Slow>(2s), [&](Peer& client) -> Task<> {
    co_await client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    co_await client.expect("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: " +
                           std::string(FixedSource::date) + "\r\ncontent-length: 4\r\n\r\ndone");
    EXPECT_EQ(sim.elapsed(), 2s);
  });
  ASSERT_EQ(handler->finished().size(), 1u);
  EXPECT_EQ(handler->finished()[0].status, 200);
  EXPECT_FALSE(handler->finished()[0].error.has_value());
}

TEST_F(ServiceHandlerTest, AClientThatLeavesIsToBlameWhateverTheServiceSays) {
  run(std::make_shared<Slow>(2s), [](Peer& client) -> Task<> {
    co_await client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    (void)co_await sleep_for(1s);
  });
  ASSERT_EQ(handler->failed().size(), 1u);
  EXPECT_EQ(handler->failed()[0].side, Side::self);
  ASSERT_EQ(handler->finished().size(), 1u);
  EXPECT_EQ(handler->finished()[0].error,
            (Error{Code::cancelled, Side::client, false, 0, "the client left"}));
}

}  // namespace
}  // namespace banyan
