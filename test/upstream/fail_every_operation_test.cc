// Every operation of the gateway fails once, in each way, in each kind of exchange. Whatever
// happens, the client gets one well-formed answer or a closed connection, nothing is left over
// (Proxy and Sim check that), nothing that is not idempotent is sent twice, and the next client is
// served.
#include "upstream/proxy.h"

namespace banyan {
namespace {

struct Exchange {
  const char* name;
  std::vector<std::string> sends;  // by the client, 1 ms apart
  std::string answer;              // by the endpoint; "|" is a pause of 1 ms
  std::string content;             // what the client may see behind the head, or the start of it
  bool warm = false;               // an idle connection is there
  size_t sent_on_max = 1;          // how often the endpoints may see it

  friend void PrintTo(const Exchange& e, std::ostream* out) { *out << e.name; }
};

std::vector<Exchange> exchanges() {
  const std::string length = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello|world";
  const std::string chunked =
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n|5\r\nworld\r\n0\r\n\r\n";
  const std::string close = "connection: close\r\n\r\n";
  return {
      {"get", {Proxy::get()}, length, "helloworld"},
      {"get chunked", {Proxy::get()}, chunked, "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"},
      {"get until close",
       {Proxy::get()},
       "HTTP/1.1 200 OK\r\n\r\nhello|world",
       "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"},
      {"get on a used connection", {Proxy::get()}, length, "helloworld", true, 2},
      {"head",
       {"HEAD / HTTP/1.1\r\nhost: shop\r\n" + close},
       "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n",
       ""},
      {"early hints", {Proxy::get()}, "HTTP/1.1 103 Early Hints\r\n\r\n|" + length, "helloworld"},
      {"post",
       {"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 6\r\n" + close + "abc", "end"},
       length,
       "helloworld"},
      {"post on a used connection",
       {"POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 6\r\n" + close + "abc", "end"},
       length,
       "helloworld",
       true},
      {"post chunked",
       {"POST / HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked\r\n" + close, "3\r\nabc\r\n",
        "3\r\nend\r\n0\r\n\r\n"},
       length,
       "helloworld"},
      {"post that waits",
       {"POST / HTTP/1.1\r\nhost: shop\r\nexpect: 100-continue\r\ncontent-length: 3\r\n" + close,
        "end"},
       length,
       "helloworld"},
      {"upgrade",
       {"GET / HTTP/1.1\r\nhost: shop\r\nconnection: upgrade, close\r\nupgrade: chat\r\n\r\n",
        "end"},
       "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n",
       "goodbye"},
  };
}

class FailEveryOperation : public testing::TestWithParam<Exchange> {
 protected:
  // What the whole scenario has seen.
  struct Seen {
    std::string by_client;
    size_t by_endpoints = 0;
    uint64_t operations = 0;
  };

  // An endpoint that serves the exchange, and answers GET /next.
  static Task<> endpoint(Peer& peer, const Exchange& exchange, size_t& seen) {
    for (;;) {
      const std::string head = co_await peer.read_head();
      if (head.empty()) co_return;
      if (head.starts_with("GET /next ")) {
        if (!co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnext")) co_return;
        continue;
      }
      ++seen;
      if (head.find("expect:") != std::string::npos)
        co_await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
      if (head.starts_with("POST ") && (co_await peer.read_until("end")).empty()) co_return;
      if (head.find("chunked") != std::string::npos &&
          (co_await peer.read_until("0\r\n\r\n")).empty())
        co_return;
      if (!co_await answer(peer, exchange.answer)) co_return;
      const bool upgraded = exchange.answer.starts_with("HTTP/1.1 101 ");
      if (upgraded && !(co_await peer.read_until("end")).empty()) co_await peer.send("goodbye");
      if (upgraded || exchange.answer.starts_with("HTTP/1.1 200 OK\r\n\r\n")) co_return;
    }
  }
  static Task<bool> answer(Peer& peer, std::string_view text) {
    for (;;) {
      const size_t pause = text.find('|');
      if (!co_await peer.send(text.substr(0, pause))) co_return false;
      if (pause == std::string_view::npos) co_return true;
      (void)co_await sleep_for(1ms);
      text.remove_prefix(pause + 1);
    }
  }

  // A client that puts up with everything; empty when the connection ends without an answer.
  static Task<std::string> client(Proxy& p, const std::vector<std::string>& sends) {
    const Address gateway = *parse_address(Proxy::address);
    auto stream = co_await p.sim.host("10.9.0.1").connect(gateway);
    if (!stream) co_return "";
    Peer peer(std::move(*stream));
    for (const auto& piece : sends) {
      if (!co_await peer.send(piece)) break;
      (void)co_await sleep_for(1ms);
    }
    std::string got;
    char buffer[4096];
    for (;;) {
      const auto n = co_await peer.stream().read(buffer);
      if (!n || *n == 0) co_return got;
      got.append(buffer, *n);
    }
  }
  static Task<Result<std::string>> in_time(Proxy& p, const std::vector<std::string>& sends) {
    const Duration began = p.elapsed();
    const std::string got = co_await client(p, sends);
    EXPECT_LT(p.elapsed() - began, 10s) << "the client waited for longer than every limit";
    co_return got;
  }

  // Runs the exchange; `before` may arrange for a fault.
  template <class Before>
  Seen run(const Exchange& exchange, bool then_next, Before before) {
    Seen seen;
    Proxy proxy;
    proxy.limits.answer_max = 3s;
    proxy.limits.connect_max = 1s;
    for (const auto& at : proxy.at_start)
      proxy.sim.serve(at, [&](Peer& peer) { return endpoint(peer, exchange, seen.by_endpoints); });
    proxy.sim.world().count_only({"10.1.0.1"});
    proxy.run([&](Proxy& p) -> Task<> {
      const std::vector<std::string> next = {
          "GET /next HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n"};
      if (exchange.warm) co_await client(p, next);
      const uint64_t warm = p.sim.world().operations();
      before(p, warm);
      seen.by_client = *co_await in_time(p, exchange.sends);
      seen.operations = p.sim.world().operations() - warm;
      if (!then_next) co_return;
      const std::string after = *co_await in_time(p, next);
      EXPECT_TRUE(after.ends_with("\r\n\r\nnext")) << after;
    });
    return seen;
  }

  // One answer, or the start of one; interim answers may come first.
  static void expect_one_answer(std::string got, const Exchange& exchange) {
    for (const std::string_view interim :
         {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n"})
      if (got.starts_with(interim)) got.erase(0, interim.size());
    if (got.empty()) return;
    const size_t end = got.find("\r\n\r\n");
    ASSERT_TRUE(got.starts_with("HTTP/1.1 ") && end != std::string::npos) << got;
    const std::string head = got.substr(0, end + 4), content = got.substr(end + 4);
    EXPECT_EQ(content.find("HTTP/1.1"), std::string::npos) << "a second answer: " << got;
    const std::string_view status = std::string_view(head).substr(9, 3);
    if (status == "200" || status == "101") {
      EXPECT_TRUE(exchange.content.starts_with(content)) << got;
      return;
    }
    // 408: it was the client's request that did not come.
    EXPECT_TRUE(status == "502" || status == "503" || status == "504" || status == "408") << got;
    EXPECT_TRUE(exchange.sends[0].starts_with("HEAD ") || content.ends_with("\"}\n")) << got;
  }
  static void expect_sound(const Seen& seen, const Exchange& exchange) {
    expect_one_answer(seen.by_client, exchange);
    EXPECT_LE(seen.by_endpoints, exchange.sent_on_max) << "sent on too often";
  }
};

TEST_P(FailEveryOperation, WithoutFaultItWorks) {
  const Exchange& exchange = GetParam();
  const Seen seen = run(exchange, true, [](Proxy&, uint64_t) {});
  EXPECT_TRUE(seen.by_client.ends_with("\r\n\r\n" + exchange.content)) << seen.by_client;
  EXPECT_EQ(seen.by_endpoints, 1u);
  EXPECT_GE(seen.operations, 5u);
}

TEST_P(FailEveryOperation, OnceInEachWay) {
  const Exchange& exchange = GetParam();
  const uint64_t n = run(exchange, true, [](Proxy&, uint64_t) {}).operations;
  for (const Fault fault : {Fault::reset, Fault::timeout, Fault::cancel})
    for (uint64_t k = 1; k <= n; ++k) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at operation " +
                   std::to_string(k) + " of " + std::to_string(n));
      expect_sound(
          run(exchange, true,
              [&](Proxy& p, uint64_t warm) { p.sim.world().fail_operation(warm + k, fault); }),
          exchange);
    }
}

TEST_P(FailEveryOperation, TheGatewayStopsAtEach) {
  const Exchange& exchange = GetParam();
  const uint64_t n = run(exchange, true, [](Proxy&, uint64_t) {}).operations;
  for (uint64_t k = 1; k <= n; ++k) {
    SCOPED_TRACE("stopped at operation " + std::to_string(k));
    expect_sound(run(exchange, false,
                     [&](Proxy& p, uint64_t warm) {
                       p.sim.world().at_operation(warm + k, [&p] { p.abort(); });
                     }),
                 exchange);
  }
}

INSTANTIATE_TEST_SUITE_P(Exchanges, FailEveryOperation, testing::ValuesIn(exchanges()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

}  // namespace
}  // namespace banyan
