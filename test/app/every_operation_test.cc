// Every operation of the gateway fails once, in each way, in each kind of exchange, with the
// gateway composed as it runs: limits, router, split, forward. Whatever happens: one well-formed
// answer, the request's own, or a closed connection; the record says which, and why; nothing is
// sent twice that may not be; connections, exchanges and shared limits are back where they were;
// the next client is served. A run that is stuck, and whatever is left alive, the simulator finds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view gateway_address = "10.0.0.1:80";
// `policies`: of calls to the service.
std::string configuration(std::string_view policies) {
  return R"(
listeners:
  web: { address: 10.0.0.1:80, connections: 10, offload: { limits: { body: 1KiB, head_timeout: 1s,
         body_timeout: 1s, idle_timeout: 2s, send_timeout: 1s, tunnel_timeout: 2s } } }
services:
  shop: { endpoints: [http://10.0.1.1:80, http://10.0.1.2:80], balance: round_robin,
          timeout: { connect: 500ms, request: 3s, idle: 1s })" +
         std::string(policies) + R"( }
  shared: { split: { to: { shop: 1 } } }
routes:
  - { match: { path: "/api/{rest...}" }, to: shared, rewrite: "/{rest}" }
  - { match: { path: /next }, to: shop }
)";
}
constexpr const char* with_retries =
    ", retry: { attempts: 3, backoff: 10ms }, deadline: { max: 9s, trust: true }, context: { "
    "answer: true }, bulkhead: { concurrency: 2, queue: 2 }";
constexpr const char* with_hedges = ", hedge: 1ms, retry: { attempts: 2, backoff: 0 }";

struct Exchange {
  const char* name;
  std::vector<std::string> sends;   // by the client, 1 ms apart
  std::vector<std::string> answer;  // by the endpoint, 1 ms apart
  std::string content;              // what the client may see behind the head, or the start of it
  size_t sent_on_max = 1;           // how often the endpoints may see it
  bool warm = false;                // idle connections are there
  const char* policies = "";        // of the service

  friend void PrintTo(const Exchange& e, std::ostream* out) { *out << e.name; }
};

std::string request(std::string_view line, std::string_view fields = {}) {
  return fmt::format("{} /api/x HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n{}\r\n", line,
                     fields);
}

const std::vector<std::string> length = {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
                                         "world"};
const std::vector<std::string> chunks = {
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "5\r\nworld\r\n0\r\n\r\n"};
const std::string chunked = "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";

std::vector<Exchange> exchanges() {
  return {
      {"get", {request("GET")}, length, "helloworld"},
      {"get_on_a_used_connection", {request("GET")}, length, "helloworld", 2, true},
      {"chunked_answer", {request("GET")}, chunks, chunked},
      {"slow_head",
       {"GET /api/x HTT", "P/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"},
       length,
       "helloworld"},
      {"post", {request("POST", "Content-Length: 6\r\n") + "abc", "end"}, length, "helloworld"},
      {"post_on_a_used_connection",
       {request("POST", "Content-Length: 6\r\n") + "abc", "end"},
       length,
       "helloworld",
       1,
       true},
      {"post_chunked",
       {request("POST", "Transfer-Encoding: chunked\r\n"), "3\r\nabc\r\n", "3\r\nend\r\n0\r\n\r\n"},
       chunks,
       chunked},
      {"post_that_waits",
       {request("POST", "Expect: 100-continue\r\nContent-Length: 3\r\n"), "end"},
       length,
       "helloworld"},
      {"too_large",
       {request("POST", "Transfer-Encoding: chunked\r\n"), "800\r\n" + std::string(2048, 'x')},
       length,
       ""},
      {"early_hints",
       {request("GET")},
       {"HTTP/1.1 103 Early Hints\r\n\r\n", length[0] + length[1]},
       "helloworld"},
      {"upgrade",
       {"GET /api/x HTTP/1.1\r\nHost: shop\r\nConnection: upgrade, close\r\nUpgrade: chat\r\n\r\n",
        "end"},
       {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n"},
       "goodbye"},
  };
}

std::vector<Exchange> exchanges_with_policies() {
  return {
      {"get_with_retries",
       {request("GET", "Banyan-Timeout: 9s\r\n")},
       length,
       "helloworld",
       3,
       false,
       with_retries},
      {"put_with_retries",
       {request("PUT", "Content-Length: 6\r\n") + "abc", "end"},
       length,
       "helloworld",
       3,
       true,
       with_retries},
      {"put_chunked_with_retries",
       {request("PUT", "Transfer-Encoding: chunked\r\n"), "3\r\nabc\r\n", "3\r\nend\r\n0\r\n\r\n"},
       chunks,
       chunked,
       3,
       false,
       with_retries},
      {"post_with_retries",
       {request("POST", "Expect: 100-continue\r\nContent-Length: 3\r\n"), "end"},
       length,
       "helloworld",
       1,
       true,
       with_retries},
      // Two copies, each with two attempts.
      {"get_with_hedges", {request("GET")}, length, "helloworld", 4, false, with_hedges},
      {"get_with_hedges_on_used_connections",
       {request("GET")},
       length,
       "helloworld",
       8,
       true,
       with_hedges},
  };
}

class EveryOperation : public testing::TestWithParam<Exchange> {
 protected:
  struct Told {
    uint16_t status = 0;
    uint16_t attempts = 0;
    std::optional<Error> error;
  };
  // What a whole scenario has seen.
  struct Seen {
    std::string by_client;
    size_t by_endpoints = 0;
    uint64_t operations = 0;
    std::vector<Told> told;  // of the exchange, not of those before and behind it
  };
  enum class Then : uint8_t { next, stop };

  static Task<> endpoint(Peer& peer, const Exchange& exchange, size_t& seen) {
    for (;;) {
      const std::string head = co_await peer.read_head();
      if (head.empty()) co_return;
      if (head.starts_with("GET /next ")) {
        if (!co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")) co_return;
        continue;
      }
      EXPECT_NE(head.find(" /x HTTP/1.1\r\n"), std::string::npos) << head;
      ++seen;
      if (head.find("Expect:") != std::string::npos)
        co_await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
      if ((head.starts_with("POST ") || head.starts_with("PUT ")) &&
          (co_await peer.read_until("end")).empty())
        co_return;
      if (head.find("chunked") != std::string::npos &&
          (co_await peer.read_until("0\r\n\r\n")).empty())
        co_return;
      for (const std::string& piece : exchange.answer) {
        if (!co_await peer.send(piece)) co_return;
        (void)co_await sleep_for(1ms);
      }
      if (!exchange.answer[0].starts_with("HTTP/1.1 101 ")) continue;
      if (!(co_await peer.read_until("end")).empty()) co_await peer.send("goodbye");
      co_return;
    }
  }

  // A client that puts up with everything; empty when the connection ends without an answer.
  static Task<std::string> client(Sim& sim, const std::vector<std::string>& sends) {
    auto stream = co_await sim.host("10.9.0.1").connect(*parse_address(gateway_address));
    if (!stream) co_return "";
    Peer peer(std::move(*stream));
    for (const std::string& piece : sends) {
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
  static Task<std::string> in_time(Sim& sim, const std::vector<std::string>& sends) {
    const Duration began = sim.elapsed();
    std::string got = co_await client(sim, sends);
    EXPECT_LT(sim.elapsed() - began, 10s) << "the client waited for longer than every limit";
    co_return got;
  }

  // Runs the exchange; `arrange` may prepare a fault, told the operations before the exchange.
  template <class Arrange>
  static Seen run(const Exchange& exchange, Then then, Arrange arrange) {
    Seen seen;
    Sim sim(1, "10.0.0.1");
    for (const char* at : {"10.0.1.1:80", "10.0.1.2:80"})
      sim.serve(at, [&](Peer& peer) { return endpoint(peer, exchange, seen.by_endpoints); });
    sim.world().count_only({"10.0.0.1"});
    sim.run([&]() -> Task<> {
      SimResolver names;
      SimGateway gateway(co_await current_context(), sim.engine(), names,
                         [&](const Request*, const Record& r) {
                           check(r);
                           seen.told.push_back({r.status, r.attempts, r.error});
                         });
      co_await gateway.use(load_text(configuration(exchange.policies)).model);
      const std::vector<std::string> next = {
          "GET /next HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"};
      for (int i = 0; exchange.warm && i < 2; ++i) co_await client(sim, next);
      seen.told.clear();
      const uint64_t before = sim.world().operations();
      arrange(sim, gateway, before);
      seen.by_client = co_await in_time(sim, exchange.sends);
      seen.operations = sim.world().operations() - before;
      // A tunnel is told of when its last end has gone.
      (void)co_await sleep_for(5s);
      const std::vector<Told> told = seen.told;
      if (then == Then::next) {
        const std::string after = co_await in_time(sim, next);
        EXPECT_TRUE(after.ends_with("\r\n\r\nnext")) << after;
      }
      seen.told = told;
      (void)co_await sleep_for(1s);
      check_at_rest(gateway);
      co_await gateway.stop();
    });
    return seen;
  }
  // Nobody is there any more: nothing is taken, and every connection to an endpoint idles.
  static void check_at_rest(const SimGateway& gateway) {
    EXPECT_EQ(gateway.connections().taken(), 0u);
    for (const auto& e : gateway.cluster("shop")->endpoints()) {
      EXPECT_EQ(e->load(), 0u);
      EXPECT_EQ(e->pool().count(), e->pool().idle());
    }
  }
  static void check(const Record& r) {
    EXPECT_TRUE(r.status != 0 || r.error) << "no answer, and no reason";
    EXPECT_LE(r.started, r.ended);
    EXPECT_TRUE(r.answered == Time{} || (r.attempts > 0 && r.answered >= r.connected));
    EXPECT_TRUE(r.attempts == 0 || (r.service == "shop" && !r.endpoint.empty()));
    EXPECT_TRUE(r.status < 400 || r.error) << r.status << " without a reason";
  }

  // One answer, or the start of one; interim answers may come first. The record tells the same.
  static void expect_one_answer(const Seen& seen, const Exchange& exchange) {
    std::string got = seen.by_client;
    for (const std::string_view interim :
         {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n"})
      if (got.starts_with(interim)) got.erase(0, interim.size());
    EXPECT_LE(seen.told.size(), 1u);
    if (got.empty()) return;
    const size_t end = got.find("\r\n\r\n");
    ASSERT_TRUE(got.starts_with("HTTP/1.1 ") && end != std::string::npos) << got;
    const std::string status = got.substr(9, 3), content = got.substr(end + 4);
    EXPECT_EQ(content.find("HTTP/1.1"), std::string::npos) << "a second answer: " << got;
    ASSERT_EQ(seen.told.size(), 1u) << "an answer that nobody is told of: " << got;
    EXPECT_EQ(std::to_string(seen.told[0].status), status);
    if (status == "200" || status == "101") {
      EXPECT_TRUE(exchange.content.starts_with(content)) << got;
      // What is not whole has a reason.
      EXPECT_TRUE(content == exchange.content || status == "101" || seen.told[0].error) << got;
      return;
    }
    const bool large = exchange.sends.back().size() > 1024;
    EXPECT_TRUE(status == "502" || status == "503" || status == "504" || status == "408" ||
                (large && status == "413"))
        << got;
    EXPECT_TRUE(content.ends_with("\"}\n")) << got;
  }
  static void expect_sound(const Seen& seen, const Exchange& exchange) {
    expect_one_answer(seen, exchange);
    EXPECT_LE(seen.by_endpoints, exchange.sent_on_max) << "sent on too often";
    if (!seen.told.empty()) EXPECT_LE(seen.by_endpoints, seen.told[0].attempts);
  }
};

TEST_P(EveryOperation, WithoutFaultItWorks) {
  const Exchange& exchange = GetParam();
  const Seen seen = run(exchange, Then::next, [](Sim&, SimGateway&, uint64_t) {});
  expect_sound(seen, exchange);
  ASSERT_EQ(seen.told.size(), 1u);
  EXPECT_GE(seen.operations, 5u);
  const bool large = exchange.content.empty();
  EXPECT_EQ(seen.told[0].status, large ? 413 : exchange.content == "goodbye" ? 101 : 200);
  if (large) return;
  EXPECT_TRUE(seen.by_client.ends_with("\r\n\r\n" + exchange.content)) << seen.by_client;
  EXPECT_FALSE(seen.told[0].error);
}

TEST_P(EveryOperation, FailsOnceInEachWay) {
  const Exchange& exchange = GetParam();
  const uint64_t n = run(exchange, Then::next, [](Sim&, SimGateway&, uint64_t) {}).operations;
  for (const Fault fault : {Fault::reset, Fault::timeout, Fault::cancel})
    for (uint64_t k = 1; k <= n; ++k) {
      SCOPED_TRACE(fmt::format("fault {} at operation {} of {}", static_cast<int>(fault), k, n));
      expect_sound(run(exchange, Then::next,
                       [&](Sim& sim, SimGateway&, uint64_t before) {
                         sim.world().fail_operation(before + k, fault);
                       }),
                   exchange);
    }
}

// The process is told to end at once, in the middle of whatever it does.
TEST_P(EveryOperation, IsCalledOffAtEach) {
  const Exchange& exchange = GetParam();
  const uint64_t n = run(exchange, Then::next, [](Sim&, SimGateway&, uint64_t) {}).operations;
  for (uint64_t k = 1; k <= n; ++k) {
    SCOPED_TRACE(fmt::format("called off at operation {} of {}", k, n));
    expect_sound(run(exchange, Then::stop,
                     [&](Sim& sim, SimGateway& gateway, uint64_t before) {
                       sim.world().at_operation(before + k,
                                                [&gateway] { gateway.server().abort(); });
                     }),
                 exchange);
  }
}

// An operator's reload and drain at each operation harm nobody.
TEST_P(EveryOperation, IsDrainedAtEach) {
  const Exchange& exchange = GetParam();
  const Seen quiet = run(exchange, Then::next, [](Sim&, SimGateway&, uint64_t) {});
  for (uint64_t k = 1; k <= quiet.operations; ++k) {
    SCOPED_TRACE(fmt::format("drained at operation {} of {}", k, quiet.operations));
    const Seen seen =
        run(exchange, Then::stop, [&](Sim& sim, SimGateway& gateway, uint64_t before) {
          sim.world().at_operation(before + k, [&gateway] { gateway.server().drain(); });
        });
    expect_sound(seen, exchange);
    ASSERT_EQ(seen.told.size(), 1u);
    EXPECT_EQ(seen.told[0].status, quiet.told[0].status);
    EXPECT_EQ(seen.told[0].error, quiet.told[0].error);
  }
}

std::string name_of(const testing::TestParamInfo<Exchange>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Exchanges, EveryOperation, testing::ValuesIn(exchanges()), name_of);
INSTANTIATE_TEST_SUITE_P(Policies, EveryOperation, testing::ValuesIn(exchanges_with_policies()),
                         name_of);

}  // namespace
}  // namespace banyan
