// What the simulator decides about a client's end must hold on real sockets too: how FIN and RST
// are told is the kernel's business.
#include <gtest/gtest.h>

#include "http/h1_harness.h"
#include "io/epoll.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class H1Epoll : public testing::Test {
 protected:
  H1Epoll()
      : server([this](Request& request) -> Task<Reply> {
          const auto slept = co_await sleep_for(takes);
          called_off = !slept;
          TRY(slept);
          co_return make_response(request, 200);
        }) {}

  // The turn in which all ends must not wait for an event that never comes.
  struct End {
    EpollEngine& engine;
    bool done = false;
    static void reached(void* self) {
      static_cast<End*>(self)->done = true;
      static_cast<End*>(self)->engine.wake();
    }
  };

  // A client's conversation with a server that takes its time, on a loop of its own.
  template <class Script>
  void run(Script script) {
    EpollEngine engine;
    Loop loop(engine, 1);
    Cancel cancel;
    Context context{loop, cancel, never};
    End end{engine};
    auto all = [&]() -> Task<> {
      auto listener = engine.listen(*parse_address("127.0.0.1:0"), ListenOptions{});
      CHECK(listener.has_value());
      Peer client = co_await dial(engine, to_string((*listener)->local()));
      auto accepted = co_await (*listener)->accept();
      CHECK(accepted.has_value());
      Nursery serving(co_await current_context());
      serving.start([&] { return server.converse(std::move(*accepted)); });
      co_await script(client);
      co_await serving.join();
    };
    run_root([&] { return all(); }).start(context, &End::reached, &end);
    while (!end.done) loop.turn();
  }

  Duration takes = 20ms;
  bool called_off = false;
  TestServer server;
};

TEST_F(H1Epoll, AHalfCloseRightBehindTheRequestIsServed) {
  run([](Peer& client) -> Task<> {
    co_await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.shutdown_write();
    const std::string got = co_await client.read_all();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 200 ")) << got;
  });
}

TEST_F(H1Epoll, AnIdleConnectionThatIsDrainedAnswersWhatIsThere) {
  server.drains = true;
  run([this](Peer& client) -> Task<> {
    co_await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.last->close_if_idle();
    const std::string got = co_await client.read_all();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 200 ")) << got;
    EXPECT_NE(got.find("connection: close"), std::string::npos) << got;
  });
}

TEST_F(H1Epoll, AClientThatLeavesCallsTheWorkOff) {
  takes = 20s;
  for (bool reset : {false, true}) {
    run([reset](Peer& client) -> Task<> {
      co_await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      EXPECT_TRUE(co_await sleep_for(150ms));
      if (reset)
        client.reset();
      else
        client.close();
    });
    EXPECT_TRUE(called_off);
    ASSERT_EQ(server.records.size(), 1u);
    EXPECT_STREQ(server.records[0].error->what, "the client left");
    server.records.clear();
  }
}

}  // namespace
}  // namespace banyan
