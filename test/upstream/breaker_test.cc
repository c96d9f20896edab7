#include "upstream/breaker.h"

#include "upstream/proxy.h"

namespace banyan {
namespace {

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
constexpr std::string_view bad = "HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno";
constexpr std::string_view half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";

class BreakerTest : public testing::Test {
 protected:
  BreakerTest() { breaker({.failures = 3, .open = 10s}); }
  void breaker(const BreakerSettings& settings) {
    circuit = std::make_shared<Circuit>(settings);
    proxy.wrap = [this](ServicePtr next) {
      return std::make_shared<BreakerFilter>(std::move(next), circuit, sim.loop());
    };
  }
  // An endpoint that answers each request with what `answer` is then, and closes; empty: it says
  // nothing.
  void serve() {
    sim.serve("10.0.0.1:80", [this](Peer& peer) -> Task<> {
      if ((co_await peer.read_head()).empty()) co_return;
      ++asked;
      if (answer.empty()) (void)co_await peer.read_all();
      (void)co_await peer.send(answer);
    });
  }
  Task<int> status(Proxy& p) {
    last = co_await p.ask(Proxy::get());
    co_return last.size() < 12 ? 0 : std::stoi(last.substr(9, 3));
  }
  Task<> expect(Proxy& p, int wanted, int times = 1) {
    for (; times > 0; --times) EXPECT_EQ(co_await status(p), wanted);
  }
  Circuit::State state() { return circuit->status(sim.loop().now()).state; }

  Proxy proxy;
  Sim& sim = proxy.sim;
  std::shared_ptr<Circuit> circuit;
  std::string_view answer = ok;
  int asked = 0;
  std::string last;
};

TEST_F(BreakerTest, OpensAndTellsWhenToComeBack) {
  serve();
  proxy.run([this](Proxy& p) -> Task<> {
    answer = bad;
    co_await expect(p, 500, 3);
    co_await expect(p, 503);
    EXPECT_NE(last.find("retry-after: 10\r\n"), std::string::npos) << last;
    EXPECT_NE(last.find("\"detail\":\"the service's breaker is open: it failed too often\""),
              std::string::npos)
        << last;
    EXPECT_NE(last.find("\"side\":\"upstream\""), std::string::npos);
    EXPECT_EQ(last.find("retry-after: 1\r\n"), std::string::npos) << "once";
    EXPECT_EQ(p.finished().back().error->code, Code::unavailable);
    EXPECT_EQ(p.finished().back().attempts, 0);
    EXPECT_EQ(asked, 3) << "nothing was sent";
    (void)co_await sleep_for(6s + 500ms);
    co_await expect(p, 503);
    EXPECT_NE(last.find("retry-after: 4\r\n"), std::string::npos) << "3.5 s, rounded up";
    (void)co_await sleep_for(3s + 500ms);
    answer = ok;
    co_await expect(p, 200, 2);
    EXPECT_EQ(state(), Circuit::State::closed);
    EXPECT_EQ(asked, 5);
  });
}

TEST_F(BreakerTest, AFailedProbeOpensItAnew) {
  serve();
  proxy.run([this](Proxy& p) -> Task<> {
    answer = bad;
    co_await expect(p, 500, 3);
    (void)co_await sleep_for(10s);
    co_await expect(p, 500);
    co_await expect(p, 503);
    EXPECT_EQ(asked, 4);
  });
}

TEST_F(BreakerTest, WhatIsAFailureIsASetting) {
  breaker({.failures = 1, .status = {503, 503}});
  serve();
  proxy.run([this](Proxy& p) -> Task<> {
    answer = bad;
    co_await expect(p, 500, 5);
    EXPECT_EQ(state(), Circuit::State::closed);
    answer = "HTTP/1.1 503 Not now\r\ncontent-length: 0\r\n\r\n";
    co_await expect(p, 503, 2);
    EXPECT_EQ(asked, 6);
  });
}

TEST_F(BreakerTest, NoAnswerIsAFailure) {
  proxy.limits.answer_max = 1s;
  serve();
  proxy.run([this](Proxy& p) -> Task<> {
    answer = "";
    co_await expect(p, 504, 3);
    co_await expect(p, 503);
    EXPECT_EQ(asked, 3);
  });
}

TEST_F(BreakerTest, NoConnectionIsAFailure) {
  proxy.run([this](Proxy& p) -> Task<> {
    co_await expect(p, 503, 3);
    EXPECT_EQ(state(), Circuit::State::open);
  });
}

TEST_F(BreakerTest, BodiesThatBreakOffAreFailures) {
  serve();
  proxy.run([this](Proxy& p) -> Task<> {
    answer = half;
    co_await expect(p, 200, 3);
    EXPECT_EQ(state(), Circuit::State::open);
    (void)co_await sleep_for(10s);
    answer = ok;
    co_await expect(p, 200, 1);
    EXPECT_EQ(state(), Circuit::State::closed);
  });
}

TEST_F(BreakerTest, AClientThatLeavesProvesNothing) {
  breaker({.failures = 1, .open = 10s});
  serve();
  proxy.run([this](Proxy& p) -> Task<> {
    answer = "";
    for (int i = 0; i < 3; ++i) {
      Peer client = co_await p.client();
      co_await client.send(Proxy::get());
      (void)co_await sleep_for(1s);
      client.reset();
      (void)co_await sleep_for(1s);
    }
    EXPECT_EQ(state(), Circuit::State::closed);
    answer = bad;
    co_await expect(p, 500);
    (void)co_await sleep_for(10s);
    answer = "";
    Peer probing = co_await p.client();
    co_await probing.send(Proxy::get());
    (void)co_await sleep_for(1s);
    co_await expect(p, 503);
    probing.reset();
    (void)co_await sleep_for(1s);
    answer = ok;
    co_await expect(p, 200);
    EXPECT_EQ(state(), Circuit::State::closed) << "the probe's place was free again";
  });
}

TEST_F(BreakerTest, AClientThatLeavesInTheMiddleOfTheBodyProvesNothing) {
  breaker({.failures = 1});
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    (void)co_await peer.send(half);
    (void)co_await peer.read_all();
  });
  proxy.run([this](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send(Proxy::get());
    (void)co_await client.read_until("half");
    client.reset();
    (void)co_await sleep_for(1s);
    EXPECT_EQ(state(), Circuit::State::closed);
    EXPECT_EQ(circuit->status(sim.loop().now()).failures, 0u);
  });
}

TEST_F(BreakerTest, LimitsOfOurOwnAreNoFailures) {
  breaker({.failures = 1});
  proxy.limits.pool.connections_max = 1;
  serve();
  proxy.run([this](Proxy& p) -> Task<> {
    answer = "";
    Peer first = co_await p.client();
    co_await first.send(Proxy::get());
    (void)co_await sleep_for(1s);
    co_await expect(p, 503);
    EXPECT_NE(last.find("as many connections as it may have"), std::string::npos) << last;
    EXPECT_EQ(state(), Circuit::State::closed);
    first.reset();
    (void)co_await sleep_for(1s);
  });
}

}  // namespace
}  // namespace banyan
