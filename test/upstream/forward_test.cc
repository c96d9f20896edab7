#include "upstream/forward.h"

#include "upstream/proxy.h"

namespace banyan {
namespace {

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

// Answers every request, until the client leaves.
auto steady(std::string_view answer = ok) {
  return [answer](Peer& peer) -> Task<> {
    while (!(co_await peer.read_head()).empty())
      if (!co_await peer.send(answer)) co_return;
  };
}

void expect_problem(const std::string& answer, int status, std::string_view detail,
                    std::string_view side) {
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) << answer;
  EXPECT_NE(answer.find("\"detail\":\"" + std::string(detail) + "\""), std::string::npos) << answer;
  EXPECT_NE(answer.find("\"side\":\"" + std::string(side) + "\""), std::string::npos) << answer;
}

class ForwardTest : public testing::Test {
 protected:
  Proxy proxy;
  Sim& sim = proxy.sim;
};

TEST_F(ForwardTest, SendsARequestAndGivesBackTheAnswer) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("GET /a?b=c HTTP/1.1\r\nhost: shop.example\r\nx-own: 1\r\n\r\n");
    co_await peer.send(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-its: 2\r\nconnection: x-hop\r\n"
        "x-hop: 3\r\n\r\nok");
    co_await peer.expect_end();
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send(
        "GET /a?b=c HTTP/1.1\r\nhost: shop.example\r\nx-own: 1\r\n"
        "keep-alive: 5\r\n\r\n");
    co_await client.expect("HTTP/1.1 200 OK\r\nx-its: 2\r\ndate: " +
                           std::string(FixedSource::date) + "\r\ncontent-length: 2\r\n\r\nok");
  });
  ASSERT_EQ(proxy.last.size(), 1u);
  EXPECT_EQ(proxy.last[0].service, "shop");
  EXPECT_EQ(proxy.last[0].endpoint, "10.0.0.1:80");
  EXPECT_EQ(proxy.last[0].attempts, 1);
  EXPECT_FALSE(proxy.last[0].error.has_value());
}

TEST_F(ForwardTest, ConnectionsAreUsedAgain) {
  int connections = 0;
  sim.serve("10.0.0.1:80", [&](Peer& peer) -> Task<> {
    ++connections;
    co_await steady()(peer);
  });
  proxy.run([](Proxy& p) -> Task<> {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE((co_await p.ask(Proxy::get())).ends_with("\r\n\r\nok"));
    EXPECT_FALSE(p.finished()[0].reused);
    EXPECT_TRUE(p.finished()[1].reused);
    EXPECT_EQ(p.endpoint().pool().idle(), 1u);
  });
  EXPECT_EQ(connections, 1);
}

TEST_F(ForwardTest, AConnectionCarriesAtMostSoManyExchanges) {
  proxy.limits.pool.exchanges_max = 2;
  int connections = 0;
  sim.serve("10.0.0.1:80", [&](Peer& peer) -> Task<> {
    ++connections;
    co_await steady()(peer);
  });
  proxy.run([](Proxy& p) -> Task<> {
    for (int i = 0; i < 5; ++i) co_await p.ask(Proxy::get());
  });
  EXPECT_EQ(connections, 3);
}

TEST_F(ForwardTest, ARefusedEndpointIsPassedOver) {
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  sim.serve("10.0.0.2:80", steady());
  proxy.run([](Proxy& p) -> Task<> {
    for (int i = 0; i < 4; ++i)
      EXPECT_TRUE((co_await p.ask(Proxy::get())).starts_with("HTTP/1.1 200 ")) << i;
    EXPECT_TRUE(p.endpoint(0).skipped());
    EXPECT_FALSE(p.endpoint(1).skipped());
    EXPECT_EQ(p.finished()[0].endpoint, "10.0.0.2:80");
    EXPECT_EQ(p.finished()[0].attempts, 1) << "it was sent once";
  });
}

TEST_F(ForwardTest, EvenAPostIsPassedOnWhenNothingWasSent) {
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  sim.serve("10.0.0.2:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 3\r\n\r\nabc");
    co_await peer.send(ok);
  });
  proxy.run([](Proxy& p) -> Task<> {
    const auto answer = co_await p.ask(
        "POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 "));
  });
}

TEST_F(ForwardTest, AllRefused) {
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  proxy.run([](Proxy& p) -> Task<> {
    expect_problem(co_await p.ask(Proxy::get()), 503, "the endpoint refused the connection",
                   "upstream");
    EXPECT_TRUE(p.endpoint(0).skipped() && p.endpoint(1).skipped());
    EXPECT_EQ(p.finished()[0].attempts, 0) << "nothing was sent";
    EXPECT_EQ(p.finished()[0].error->code, Code::unavailable);
  });
}

TEST_F(ForwardTest, AtMostThreeEndpointsARequest) {
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"};
  sim.serve("10.0.0.4:80", steady());
  proxy.run([](Proxy& p) -> Task<> {
    expect_problem(co_await p.ask(Proxy::get()), 503, "the endpoint refused the connection",
                   "upstream");
    EXPECT_TRUE((co_await p.ask(Proxy::get())).starts_with("HTTP/1.1 200 "));
  });
}

TEST_F(ForwardTest, NoEndpointAtAll) {
  proxy.at_start = {};
  proxy.run([](Proxy& p) -> Task<> {
    expect_problem(co_await p.ask(Proxy::get()), 503, "the service has no endpoint", "upstream");
  });
}

TEST_F(ForwardTest, ABlackHoleEndsAfterTheTimeToConnect) {
  sim.world().black_hole("10.0.0.1");
  proxy.limits.connect_max = 250ms;
  proxy.run([](Proxy& p) -> Task<> {
    expect_problem(co_await p.ask(Proxy::get()), 504, "the endpoint did not accept in time",
                   "upstream");
    EXPECT_EQ(p.elapsed(), 250ms);
    EXPECT_TRUE(p.endpoint().skipped());
  });
}

TEST_F(ForwardTest, AfterABlackHoleAnotherIsTried) {
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  sim.world().black_hole("10.0.0.1");
  sim.serve("10.0.0.2:80", steady());
  proxy.limits.connect_max = 250ms;
  proxy.run([](Proxy& p) -> Task<> {
    EXPECT_TRUE((co_await p.ask(Proxy::get())).starts_with("HTTP/1.1 200 "));
    EXPECT_EQ(p.elapsed(), 250ms);
  });
}

TEST_F(ForwardTest, TheLimitIsForAllAttemptsTogether) {
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"};
  for (const auto& at : {"10.0.0.1", "10.0.0.2", "10.0.0.3"}) sim.world().black_hole(at);
  proxy.limits.connect_max = 400ms;
  proxy.limits.answer_max = 700ms;
  proxy.run([](Proxy& p) -> Task<> {
    expect_problem(co_await p.ask(Proxy::get()), 504, "the endpoint did not accept in time",
                   "upstream");
    EXPECT_EQ(p.elapsed(), 700ms);
    EXPECT_TRUE(p.endpoint(0).skipped());
    EXPECT_FALSE(p.endpoint(1).skipped()) << "it was not given its whole time";
    EXPECT_EQ(p.finished()[0].endpoint, "10.0.0.2:80") << "no third: the time is over";
  });
}

TEST_F(ForwardTest, ASilentEndpointEndsAtExactlyTheLimit) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> { co_await peer.read_until("the end"); });
  proxy.limits.answer_max = 3s;
  proxy.run([](Proxy& p) -> Task<> {
    expect_problem(co_await p.ask(Proxy::get()), 504, "the peer sent nothing in time", "upstream");
    EXPECT_EQ(p.elapsed(), 3s);
    EXPECT_EQ(p.endpoint().pool().count(), 0u) << "what may still be answered is not used again";
    EXPECT_DOUBLE_EQ(p.endpoint().cost(), 3e9) << "it counts as slow";
    EXPECT_FALSE(p.endpoint().skipped());
    EXPECT_EQ(p.finished()[0].error->code, Code::timeout);
    EXPECT_EQ(p.finished()[0].error->side, Side::upstream);
  });
}

TEST_F(ForwardTest, AnEndpointThatTakesNothing) {
  sim.serve("10.0.0.1:80", [](Peer&) -> Task<> { (void)co_await sleep_until(never); });
  proxy.limits.answer_max = 3s;
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 1000000\r\n\r\n");
    co_await client.send(std::string(200'000, 'x'));
    EXPECT_TRUE((co_await client.read_head()).starts_with("HTTP/1.1 504 "));
    EXPECT_EQ(p.elapsed(), 3s);
  });
}

TEST_F(ForwardTest, MalformedAnswers) {
  for (const std::string_view bad :
       {"nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nbad field: 1\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    Proxy each;
    each.sim.serve("10.0.0.1:80", steady(bad));
    each.run([&](Proxy& p) -> Task<> {
      EXPECT_TRUE((co_await p.ask(Proxy::get())).starts_with("HTTP/1.1 502 ")) << bad;
      EXPECT_EQ(p.endpoint().pool().count(), 0u) << bad;
      EXPECT_EQ(p.finished()[0].error->code, Code::protocol);
      EXPECT_EQ(p.finished()[0].error->side, Side::upstream);
    });
  }
}

TEST_F(ForwardTest, BytesBehindTheAnswerEndTheConnection) {
  sim.serve("10.0.0.1:80", steady("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK"));
  proxy.run([](Proxy& p) -> Task<> {
    EXPECT_TRUE((co_await p.ask(Proxy::get())).ends_with("\r\n\r\nok"));
    EXPECT_EQ(p.endpoint().pool().count(), 0u);
  });
}

TEST_F(ForwardTest, ClosedBeforeAnAnswer) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> { co_await peer.read_head(); });
  proxy.run([](Proxy& p) -> Task<> {
    expect_problem(co_await p.ask(Proxy::get()), 502, "the endpoint closed without an answer",
                   "upstream");
    EXPECT_EQ(p.finished()[0].attempts, 1) << "a new connection is no stale one";
  });
}

TEST_F(ForwardTest, ClosedInTheMiddleOfTheAnswer) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
    const auto got = co_await client.read_all();
    EXPECT_TRUE(got.ends_with("content-length: 10\r\n\r\nhalf")) << got;
    EXPECT_EQ(p.endpoint().pool().count(), 0u);
    EXPECT_EQ(p.finished()[0].error->side, Side::upstream);
    EXPECT_EQ(p.finished()[0].error->code, Code::reset);
  });
}

TEST_F(ForwardTest, AChunkedAnswerThatBreaksOffIsNoWholeOne) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    (void)co_await sleep_for(1ms);
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
    co_await client.expect_reset();
  });
}

// A pooled connection that the endpoint closes just when a request is on its way.
auto stale_after_one(int& requests) {
  return [&requests](Peer& peer) -> Task<> {
    co_await peer.read_head();
    ++requests;
    co_await peer.send(ok);
    co_await peer.read_head();
    ++requests;
  };
}

TEST_F(ForwardTest, AGetOnAStaleConnectionIsSentAgainOnce) {
  int requests = 0;
  sim.serve("10.0.0.1:80", stale_after_one(requests));
  proxy.run([&](Proxy& p) -> Task<> {
    co_await p.ask(Proxy::get());
    EXPECT_TRUE((co_await p.ask(Proxy::get())).ends_with("\r\n\r\nok"));
    EXPECT_EQ(requests, 3);
    EXPECT_EQ(p.finished()[1].attempts, 2);
    EXPECT_FALSE(p.finished()[1].reused) << "the second time on a new connection";
  });
}

TEST_F(ForwardTest, AGetWithNoContentSaidIsTheSame) {
  int requests = 0;
  sim.serve("10.0.0.1:80", stale_after_one(requests));
  proxy.run([&](Proxy& p) -> Task<> {
    co_await p.ask(Proxy::get());
    const auto answer = co_await p.ask(
        "DELETE / HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    EXPECT_TRUE(answer.ends_with("\r\n\r\nok"));
  });
}

TEST_F(ForwardTest, OnlyOnce) {
  int requests = 0;
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  for (const auto& at : proxy.at_start)
    sim.serve(at, [&](Peer& peer) -> Task<> {
      co_await peer.read_head();
      if (++requests > 1) co_return;
      co_await peer.send(ok);
      co_await peer.read_head();
      ++requests;
    });
  proxy.run([&](Proxy& p) -> Task<> {
    co_await p.ask(Proxy::get());
    p.members({"10.0.0.1:80"});  // where the idle connection is
    expect_problem(co_await p.ask(Proxy::get()), 502, "the endpoint closed without an answer",
                   "upstream");
    EXPECT_EQ(requests, 3) << "answered, stale, and once more";
  });
}

TEST_F(ForwardTest, APostOnAStaleConnectionIsNotSentAgain) {
  int requests = 0;
  sim.serve("10.0.0.1:80", stale_after_one(requests));
  proxy.run([&](Proxy& p) -> Task<> {
    co_await p.ask(Proxy::get());
    const auto answer = co_await p.ask(
        "POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    expect_problem(answer, 502, "the endpoint closed without an answer", "upstream");
    EXPECT_EQ(requests, 2);
  });
}

TEST_F(ForwardTest, NorAPutWithContent) {
  int requests = 0;
  sim.serve("10.0.0.1:80", stale_after_one(requests));
  proxy.run([&](Proxy& p) -> Task<> {
    co_await p.ask(Proxy::get());
    const auto answer = co_await p.ask(
        "PUT / HTTP/1.1\r\nhost: shop\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx");
    expect_problem(answer, 502, "the endpoint closed without an answer", "upstream");
    EXPECT_EQ(requests, 2);
  });
}

TEST_F(ForwardTest, AClientThatLeavesCallsTheWorkOff) {
  bool called_off = false;
  sim.serve("10.0.0.1:80", [&](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.read_until("the end");
    called_off = true;
  });
  proxy.run([&](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
    (void)co_await sleep_for(1s);
    EXPECT_EQ(p.endpoint().in_flight(), 1u);
    client.close();
    (void)co_await sleep_for(1ns);
    EXPECT_TRUE(called_off);
    EXPECT_EQ(p.endpoint().in_flight(), 0u);
    EXPECT_FALSE(p.endpoint().skipped());
    EXPECT_EQ(p.handler->failed()[0].side, Side::client);
    EXPECT_EQ(p.endpoint().cost(), 0) << "its speed is not known from that";
    EXPECT_EQ(p.finished()[0].error->code, Code::cancelled);
    EXPECT_EQ(p.finished()[0].error->side, Side::client);
    EXPECT_EQ(p.finished()[0].status, 0);
  });
}

TEST_F(ForwardTest, AClientThatLeavesDuringTheConnectBlamesNobodyElse) {
  sim.world().black_hole("10.0.0.1");
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
    (void)co_await sleep_for(150ms);  // later than a half-close would come
    EXPECT_EQ(p.endpoint().load(), 1u) << "who connects counts";
    client.close();
    (void)co_await sleep_for(1ns);
    EXPECT_EQ(p.endpoint().load(), 0u);
    EXPECT_EQ(p.handler->failed()[0].side, Side::client);
    EXPECT_FALSE(p.endpoint().skipped());
    EXPECT_EQ(p.finished()[0].error->side, Side::client);
  });
}

// While the client sends, the time is the client's: nobody else is late, and no endpoint is slow.
TEST_F(ForwardTest, ASlowUploadIsNoSlowAnswer) {
  proxy.limits.answer_max = 2s;
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_until("the end");
    co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    co_await peer.read_until("the end");
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    const std::string head = "POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 7\r\n\r\n";
    co_await client.send(head + "th");
    (void)co_await sleep_for(7s);
    co_await client.send("e end");
    co_await client.expect(Proxy::answer("ok"));
    EXPECT_EQ(p.endpoint().cost(), 0) << "it answered at once";
    // The second one is not answered: the time counts from its end.
    const Duration began = p.elapsed();
    co_await client.send(head + "123");
    (void)co_await sleep_for(3s);
    co_await client.send("4567");
    EXPECT_TRUE((co_await client.read_head()).starts_with("HTTP/1.1 504 "));
    EXPECT_EQ(p.elapsed() - began, 5s);
    EXPECT_GT(p.endpoint().cost(), 1.9e9);
  });
}

// A client that waits to be asked for its content is not late either: the endpoint is.
TEST_F(ForwardTest, AHalfHeadInsteadOfContinueIsASlowAnswer) {
  proxy.limits.answer_max = 3s;
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 2");
    co_await peer.read_until("never");
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send(
        "POST / HTTP/1.1\r\nhost: shop\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
    EXPECT_TRUE((co_await client.read_head()).starts_with("HTTP/1.1 504 "));
    EXPECT_EQ(p.elapsed(), 3s);
    EXPECT_EQ(p.finished()[0].error->side, Side::upstream);
  });
}

TEST_F(ForwardTest, AnEarlyAnswerEndsTheUpload) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno");
    co_await peer.read_until("the end");
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 1000\r\n\r\nabc");
    EXPECT_TRUE((co_await client.read_head()).starts_with("HTTP/1.1 413 "));
    co_await client.expect("no");
    co_await client.expect_end();
    (void)co_await sleep_for(3s);
    EXPECT_EQ(p.endpoint().pool().count(), 0u) << "half a request was sent on it";
  });
}

TEST_F(ForwardTest, AnUploadIsPassedOnAsItComes) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("POST / HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n\r\n");
    co_await peer.expect("3\r\nabc\r\n");
    co_await peer.expect("2\r\nde\r\n0\r\n\r\n");
    co_await peer.send(ok);
    co_await peer.read_until("the end");
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("POST / HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n\r\n");
    (void)co_await sleep_for(1s);
    co_await client.send("3\r\nabc\r\n");
    (void)co_await sleep_for(1s);
    co_await client.send("2\r\nde\r\n0\r\n\r\n");
    co_await client.expect(Proxy::answer("ok"));
    EXPECT_EQ(p.endpoint().pool().idle(), 1u);
  });
}

TEST_F(ForwardTest, AnUpgradeBecomesATunnel) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.expect(
        "GET /chat HTTP/1.1\r\nhost: shop\r\n"
        "connection: upgrade\r\nupgrade: websocket\r\n\r\n");
    co_await peer.send(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n"
        "upgrade: websocket\r\n\r\nhello");
    co_await peer.expect("and back");
    co_await peer.send("bye");
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send(
        "GET /chat HTTP/1.1\r\nhost: shop\r\nconnection: Upgrade\r\n"
        "upgrade: websocket\r\n\r\n");
    EXPECT_TRUE((co_await client.read_head()).starts_with("HTTP/1.1 101 "));
    co_await client.expect("hello");
    co_await client.send("and back");
    co_await client.expect("bye");
    client.shutdown_write();
    co_await client.expect_end();
    (void)co_await sleep_for(1ns);
    EXPECT_EQ(p.endpoint().pool().count(), 0u);
  });
}

TEST_F(ForwardTest, AnswersWithoutContent) {
  struct Row {
    const char* method;
    const char* answer;
    const char* becomes;
  };
  const Row rows[] = {
      {"HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
       "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 5\r\n\r\n"},
      {"HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
       "HTTP/1.1 200 OK\r\ndate: D\r\n\r\n"},
      {"GET", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\ndate: D\r\n\r\n"},
      {"GET", "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n",
       "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\ndate: D\r\n\r\n"},
      {"GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
       "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 0\r\n\r\n"},
  };
  for (const Row& row : rows) {
    Proxy each;
    each.sim.serve("10.0.0.1:80", steady(row.answer));
    each.run([&](Proxy& p) -> Task<> {
      Peer client = co_await p.client();
      std::string wanted = row.becomes;
      wanted.replace(wanted.find("date: D") + 6, 1, FixedSource::date);
      // Twice, so that the end of the first was seen by both.
      for (int i = 0; i < 2; ++i) {
        co_await client.send(std::string(row.method) + " / HTTP/1.1\r\nhost: shop\r\n\r\n");
        co_await client.expect(wanted);
      }
      EXPECT_EQ(p.endpoint().pool().idle(), 1u);
    });
  }
}

TEST_F(ForwardTest, InterimAnswersArePassedOn) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
    (void)co_await sleep_for(1s);
    co_await peer.send(ok);
    co_await peer.read_until("the end");
  });
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
    co_await client.expect("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
    EXPECT_EQ(p.elapsed(), 0s);
    co_await client.expect(Proxy::answer("ok"));
    EXPECT_EQ(p.elapsed(), 1s);
  });
}

TEST_F(ForwardTest, AFullPoolIsPassedOver) {
  proxy.limits.pool.connections_max = 1;
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  sim.world().link("10.0.0.1").connect_latency = 100ms;
  for (const char* at : {"10.0.0.1:80", "10.0.0.2:80"})
    sim.serve(at, [](Peer& peer) -> Task<> {
      co_await peer.read_head();
      (void)co_await sleep_for(1s);
      co_await peer.send(ok);
      co_await peer.read_until("the end");
    });
  proxy.run([](Proxy& p) -> Task<> {
    // The first connects, the second is answered elsewhere, the third finds no place at all.
    auto all = co_await gather(3, [&](size_t) { return p.ask(Proxy::get()); });
    int full = 0;
    for (const auto& answer : all) {
      if (answer.starts_with("HTTP/1.1 200 ")) continue;
      expect_problem(answer, 503, "the endpoint has as many connections as it may have", "self");
      ++full;
    }
    EXPECT_EQ(full, 1);
    EXPECT_FALSE(p.endpoint(0).skipped() || p.endpoint(1).skipped());
  });
}

TEST_F(ForwardTest, AnEndpointThatLeavesFinishesItsWork) {
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");
    (void)co_await sleep_for(1s);
    co_await peer.send("half");
    co_await peer.read_until("the end");
  });
  sim.serve("10.0.0.2:80", steady());
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
    (void)co_await sleep_for(500ms);
    const std::weak_ptr<Endpoint> left = p.cluster->endpoints()[0];
    p.members({"10.0.0.2:80"});
    EXPECT_FALSE(left.expired());
    co_await client.expect(Proxy::answer("halfhalf"));
    (void)co_await sleep_for(1ns);
    EXPECT_TRUE(left.expired());
    EXPECT_EQ(p.finished()[0].endpoint, "10.0.0.1:80");
    EXPECT_TRUE((co_await p.ask(Proxy::get())).starts_with("HTTP/1.1 200 "));
  });
}

TEST_F(ForwardTest, AnEndpointThatLeavesWhileOneConnectsToIt) {
  sim.world().link("10.0.0.1").connect_latency = 100ms;
  sim.serve("10.0.0.1:80", steady());
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
    (void)co_await sleep_for(50ms);
    p.members({});
    co_await client.expect(Proxy::answer("ok"));
  });
}

TEST_F(ForwardTest, AnEndpointThatLeavesAndRefuses) {
  sim.world().link("10.0.0.1").connect_latency = 100ms;
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  proxy.run([](Proxy& p) -> Task<> {
    Peer client = co_await p.client();
    co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
    (void)co_await sleep_for(50ms);
    p.members({});
    expect_problem(co_await client.read_all(), 503, "the endpoint refused the connection",
                   "upstream");
  });
}

TEST_F(ForwardTest, AnIdleConnectionOfOneThatLeavesIsClosed) {
  bool closed = false;
  sim.serve("10.0.0.1:80", [&](Peer& peer) -> Task<> {
    co_await steady()(peer);
    closed = true;
  });
  proxy.run([&](Proxy& p) -> Task<> {
    co_await p.ask(Proxy::get());
    EXPECT_FALSE(closed);
    p.members({});
    (void)co_await sleep_for(1ns);
    EXPECT_TRUE(closed);
  });
}

}  // namespace
}  // namespace banyan
