// Retries between a client and endpoints: bytes and times as they are on the wire.
#include "patterns/ambassador/retry.h"
#include "upstream/proxy.h"

namespace banyan {
namespace {

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
constexpr std::string_view busy = "HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy";

class RetryProxyTest : public testing::Test {
 protected:
  RetryProxyTest() {
    settings.backoff = 0ms;
    proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
    proxy.wrap = [this](ServicePtr next) {
      return std::make_shared<RetryFilter>(std::move(next), settings, times, state);
    };
  }
  // An endpoint that plays one step a request, on however many connections, and the last one for
  // ever. `seen` gets the heads.
  struct Server {
    std::vector<std::string> steps;
    std::vector<std::string> seen = {};
  };
  void serve(std::string_view at, Server& server) {
    sim.serve(at, [&server](Peer& peer) -> Task<> {
      for (;;) {
        const std::string head = co_await peer.read_head();
        if (head.empty()) co_return;
        const size_t step = std::min(server.seen.size(), server.steps.size() - 1);
        server.seen.push_back(head);
        if (server.steps[step].empty()) co_return peer.reset();
        if (!co_await peer.send(server.steps[step])) co_return;
      }
    });
  }
  uint64_t refused_for(Refusal why) const { return state.refused[static_cast<size_t>(why)]; }

  Proxy proxy;
  Sim& sim = proxy.sim;
  RetrySettings settings;
  RetryTimes times;
  RetryState state{Percent{10'000}, 100};
};

TEST_F(RetryProxyTest, AResetIsTriedOnTheOtherEndpoint) {
  Server bad{{""}}, good{{std::string(ok)}};
  serve("10.0.0.1:80", bad);
  serve("10.0.0.2:80", good);
  proxy.run([](Proxy& p) -> Task<> {
    for (int i = 0; i < 4; ++i)
      EXPECT_TRUE((co_await p.ask(Proxy::get())).ends_with("\r\n\r\nok")) << i;
  });
  EXPECT_EQ(good.seen.size(), 4u);
  EXPECT_EQ(bad.seen.size(), 2u) << "every other request began there";
  EXPECT_EQ(bad.seen[0], good.seen[0]) << "the same bytes";
  EXPECT_EQ(proxy.last[0].attempts, 2);
  EXPECT_EQ(proxy.last[0].endpoint, "10.0.0.2:80");
  EXPECT_FALSE(proxy.last[0].error.has_value()) << "in the end nothing was wrong";
}

TEST_F(RetryProxyTest, OnEachOtherEndpointBeforeOneHasItTwice) {
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"};
  proxy.balance = Balance::least_request;
  settings.attempts = 6;
  Server servers[4];
  for (int i = 0; i < 4; ++i) {
    servers[i].steps = {std::string(busy)};
    serve("10.0.0." + std::to_string(i + 1) + ":80", servers[i]);
  }
  proxy.run([](Proxy& p) -> Task<> {
    EXPECT_TRUE((co_await p.ask(Proxy::get())).starts_with("HTTP/1.1 503 Service Unavailable"));
  });
  size_t all = 0;
  for (const Server& s : servers) {
    EXPECT_GE(s.seen.size(), 1u);
    all += s.seen.size();
  }
  EXPECT_EQ(all, 6u);
}

TEST_F(RetryProxyTest, TheOnlyEndpointIsTriedAgain) {
  proxy.at_start = {"10.0.0.1:80"};
  Server server{{std::string(busy), "", std::string(ok)}};
  serve("10.0.0.1:80", server);
  proxy.run([](Proxy& p) -> Task<> {
    EXPECT_TRUE((co_await p.ask(Proxy::get())).ends_with("\r\n\r\nok"));
  });
  EXPECT_EQ(server.seen.size(), 3u);
}

TEST_F(RetryProxyTest, APostThatMayHaveBeenProcessedIsSentOnce) {
  Server bad{{""}}, good{{std::string(ok)}};
  serve("10.0.0.1:80", bad);
  serve("10.0.0.2:80", good);
  proxy.run([](Proxy& p) -> Task<> {
    const auto answer = co_await p.ask(
        "POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 3\r\nconnection: close"
        "\r\n\r\nabc");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 ")) << answer;
  });
  EXPECT_EQ(bad.seen.size(), 1u);
  EXPECT_TRUE(good.seen.empty());
  EXPECT_EQ(refused_for(Refusal::unsafe), 1u);
}

TEST_F(RetryProxyTest, APostWhoseConnectionWasRefusedGoesElsewhereEvenAfterThree) {
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"};
  sim.serve("10.0.0.4:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 3\r\n\r\nabc");
    co_await peer.send(ok);
  });
  proxy.run([](Proxy& p) -> Task<> {
    const auto answer = co_await p.ask(
        "POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 3\r\nconnection: close"
        "\r\n\r\nabc");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  });
  EXPECT_EQ(proxy.last[0].attempts, 1) << "sent once";
  EXPECT_EQ(state.retries, 1u);
}

TEST_F(RetryProxyTest, TheConnectionOfADroppedAnswerIsUsedAgain) {
  Server bad{{std::string(busy)}}, good{{std::string(ok)}};
  serve("10.0.0.1:80", bad);
  serve("10.0.0.2:80", good);
  proxy.run([](Proxy& p) -> Task<> {
    for (int i = 0; i < 3; ++i) co_await p.ask(Proxy::get());
    EXPECT_EQ(p.endpoint(0).pool().idle(), 1u);
  });
}

TEST_F(RetryProxyTest, OrClosedWhenMoreOfItIsToCome) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 503 Busy\r\ncontent-length: 1000000\r\n\r\nand so on");
    co_await peer.expect_end();
  });
  Server good{{std::string(ok)}};
  serve("10.0.0.2:80", good);
  proxy.run([](Proxy& p) -> Task<> {
    EXPECT_TRUE((co_await p.ask(Proxy::get())).ends_with("\r\n\r\nok"));
    EXPECT_EQ(p.endpoint(0).pool().count(), 0u);
  });
}

TEST_F(RetryProxyTest, ASilentEndpointIsLeftAfterTheTimeOfATry) {
  times.try_max = 200ms;
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.expect_end();
  });
  Server good{{std::string(ok)}};
  serve("10.0.0.2:80", good);
  proxy.run([](Proxy& p) -> Task<> {
    EXPECT_TRUE((co_await p.ask(Proxy::get())).ends_with("\r\n\r\nok"));
    EXPECT_EQ(p.elapsed(), 200ms);
    EXPECT_DOUBLE_EQ(p.endpoint(0).cost(), 200e6) << "it counts as slow";
  });
}

// The first endpoint breaks off in the middle of an upload that the client goes on with.
TEST_F(RetryProxyTest, AnUploadIsGivenToTheNextFromItsBeginning) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("PUT /x HTTP/1.1\r\nhost: shop\r\ncontent-length: 9\r\n\r\none");
    peer.reset();
  });
  sim.serve("10.0.0.2:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("PUT /x HTTP/1.1\r\nhost: shop\r\ncontent-length: 9\r\n\r\none");
    co_await peer.expect("twoend");
    co_await peer.send(ok);
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("PUT /x HTTP/1.1\r\nhost: shop\r\ncontent-length: 9\r\n\r\none");
    (void)co_await sleep_for(50ms);
    co_await client.send("two");
    (void)co_await sleep_for(50ms);
    co_await client.send("end");
    co_await client.expect(Proxy::answer("ok"));
    EXPECT_EQ(p.elapsed(), 100ms);
  });
}

TEST_F(RetryProxyTest, AChunkedUploadWithTrailers) {
  constexpr std::string_view whole =
      "PUT / HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n3\r\ndef\r\n0\r\nx-sum: 9\r\n\r\n";
  const auto read_whole = [](Peer& peer) -> Task<std::string> {
    co_return co_await peer.read_until("x-sum: 9\r\n\r\n");
  };
  std::string first, second;
  sim.serve("10.0.0.1:80", [&](Peer& peer) -> Task<> {
    first = co_await read_whole(peer);
    peer.reset();
  });
  sim.serve("10.0.0.2:80", [&](Peer& peer) -> Task<> {
    second = co_await read_whole(peer);
    co_await peer.send(ok);
  });
  proxy.run([&](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send(whole.substr(0, 70));
    (void)co_await sleep_for(10ms);
    co_await client.send(whole.substr(70));
    co_await client.expect(Proxy::answer("ok"));
  });
  EXPECT_TRUE(first.ends_with("0\r\nx-sum: 9\r\n\r\n")) << first;
  EXPECT_TRUE(second.ends_with("0\r\nx-sum: 9\r\n\r\n")) << second;
  EXPECT_NE(second.find("abc"), std::string::npos);
  EXPECT_NE(second.find("def"), std::string::npos);
}

TEST_F(RetryProxyTest, AnUploadLongerThanReplayIsSentOnce) {
  settings.replay = kib(16);
  Server good{{std::string(ok)}};
  serve("10.0.0.2:80", good);
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_until("xyz");
    peer.reset();
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("PUT / HTTP/1.1\r\nhost: shop\r\ncontent-length: 40000\r\n\r\n");
    co_await client.send(std::string(20'000, 'x'));
    co_await client.send("xyz");
    EXPECT_TRUE((co_await client.read_head()).starts_with("HTTP/1.1 502 "));
  });
  EXPECT_TRUE(good.seen.empty());
  EXPECT_EQ(refused_for(Refusal::content), 1u);
}

// The endpoint refuses by the head; the client, who waits for 100, is asked by the second one only.
TEST_F(RetryProxyTest, AClientThatWaitsFor100SendsItsContentOnce) {
  Server bad{{std::string(busy)}};
  serve("10.0.0.1:80", bad);
  sim.serve("10.0.0.2:80", [](Peer& peer) -> Task<> {
    EXPECT_NE((co_await peer.read_head()).find("expect: 100-continue\r\n"), std::string::npos);
    co_await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    co_await peer.expect("abc");
    co_await peer.send(ok);
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send(
        "PUT / HTTP/1.1\r\nhost: shop\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n");
    co_await client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    co_await client.send("abc");
    co_await client.expect(Proxy::answer("ok"));
  });
  EXPECT_EQ(bad.seen.size(), 1u);
}

TEST_F(RetryProxyTest, AnEarlyRefusalDuringAnUploadLeavesTheRestToTheNext) {
  Server bad{{std::string(busy)}};
  serve("10.0.0.1:80", bad);
  sim.serve("10.0.0.2:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("PUT / HTTP/1.1\r\nhost: shop\r\ncontent-length: 6\r\n\r\nabc");
    co_await peer.expect("def");
    co_await peer.send(ok);
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("PUT / HTTP/1.1\r\nhost: shop\r\ncontent-length: 6\r\n\r\nabc");
    (void)co_await sleep_for(30ms);
    co_await client.send("def");
    co_await client.expect(Proxy::answer("ok"));
    EXPECT_EQ(p.endpoint(0).pool().count(), 0u) << "half a request is on that connection";
  });
}

// The answer is passed on while the rest of the content still comes: what was kept lives as long.
TEST_F(RetryProxyTest, AnAnswerThatComesDuringTheUpload) {
  proxy.at_start = {"10.0.0.1:80"};
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("PUT / HTTP/1.1\r\nhost: shop\r\ncontent-length: 6\r\n\r\nabc");
    co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");
    co_await peer.expect("def");
    co_await peer.send("half");
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("PUT / HTTP/1.1\r\nhost: shop\r\ncontent-length: 6\r\n\r\nabc");
    (void)co_await sleep_for(30ms);
    co_await client.send("def");
    EXPECT_TRUE((co_await client.read_until("halfhalf")).ends_with("halfhalf"));
  });
}

TEST_F(RetryProxyTest, AClientThatLeavesEndsEverything) {
  times.try_max = 10s;
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.expect_end();
  });
  Server good{{std::string(ok)}};
  serve("10.0.0.2:80", good);
  proxy.run([](Proxy& p) -> Task<> {
    {
      Peer client = co_await p.client();
      co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
      (void)co_await sleep_for(1s);
    }
    (void)co_await sleep_for(1ms);
    EXPECT_EQ(p.endpoint(0).in_flight(), 0u);
  });
  EXPECT_TRUE(good.seen.empty());
  EXPECT_EQ(proxy.last[0].error->what, std::string_view("the client left"));
}

}  // namespace
}  // namespace banyan
