// A service's quota, as a user writes it: a vendor that counts, and refuses what is too much, never
// has to.
#include <gmock/gmock.h>

#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string config(std::string_view quota, std::string_view more = "") {
  return "listeners: { web: '127.0.0.1:80' }\nroutes: [ { to: api } ]\nservices:\n  api: { "
         "endpoints: [http://10.0.0.2:80], quota: " +
         std::string(quota) + std::string(more) + " }\n";
}

TEST(QuotaTest, WhatIsWrongIsToldWithItsPlace) {
  const auto told = [](std::string_view quota) { return load_text(config(quota)).problems.text(); };
  EXPECT_EQ(told("true"), "");
  EXPECT_EQ(told("{ limit: 10, window: 1m, wait: 0 }"), "");
  EXPECT_THAT(told("{ limit: 10 }"), HasSubstr("limit and window go together"));
  EXPECT_EQ(told("false"), "") << "off";
  EXPECT_THAT(told("{ learn: false }"), HasSubstr("keeps nothing"));
  EXPECT_THAT(told("{ limit: 0, window: 1m }"), HasSubstr("out of range"));
  EXPECT_THAT(load_text("listeners: { a: ':1' }\nservices: { a: { respond: {}, quota: true } }\n"
                        "routes: [ { to: a } ]\n")
                  .problems.text(),
              HasSubstr("goes with endpoints"));
}

class QuotaGatewayTest : public testing::Test {
 protected:
  static constexpr Duration window = 10s;
  static constexpr int limit = 5;

  QuotaGatewayTest() {
    sim.serve("10.0.0.2:80", [this](Peer& peer) -> Task<> {
      while (!(co_await peer.read_head()).empty()) {
        (void)co_await sleep_for(20ms);
        co_await peer.send(answer());
      }
    });
  }
  // Counts in windows that begin with a call, as vendors do.
  std::string answer() {
    const Duration now = sim.elapsed();
    if (now >= ends) {
      ends = now + window;
      used = 0;
    }
    ++calls;
    const auto left = std::chrono::ceil<std::chrono::seconds>(ends - now).count();
    if (used == limit) {
      ++too_many;
      return "HTTP/1.1 429 Too Many Requests\r\nRetry-After: " + std::to_string(left) +
             "\r\nContent-Length: 0\r\n\r\n";
    }
    ++used;
    return "HTTP/1.1 200 OK\r\nRateLimit: \"w\";r=" + std::to_string(limit - used) +
           ";t=" + std::to_string(left) + "\r\nContent-Length: 2\r\n\r\nok";
  }
  template <class Client>
  void run(const std::string& text, Client client) {
    Loaded loaded = load_text(text);
    ASSERT_EQ(loaded.problems.text(), "");
    sim.run([&]() -> Task<> {
      SimGateway gateway(co_await current_context(), sim.engine(), names,
                         [](const Request*, const Record&) {});
      co_await gateway.use(loaded.model);
      co_await client(gateway);
      co_await gateway.stop();
    });
  }
  Task<> ask(std::string& into, std::string more = "") {
    Peer client = co_await dial(sim.engine(), "127.0.0.1:80");
    co_await client.send("GET / HTTP/1.1\r\nHost: api\r\nConnection: close\r\n" + more + "\r\n");
    into = co_await client.read_all();
  }

  Sim sim;
  SimResolver names;
  Duration ends{};
  int used = 0, calls = 0, too_many = 0;
};

TEST_F(QuotaGatewayTest, TheVendorNeverHasToRefuse) {
  std::string answers[40];
  run(config("{ wait: 5m, queue: 100 }"), [&](SimGateway&) -> Task<> {
    std::string first;
    co_await ask(first);
    Nursery clients(co_await current_context());
    for (std::string& one : answers) clients.start([this, &one] { return ask(one); });
    co_await clients.join();
  });
  for (const std::string& one : answers) EXPECT_THAT(one, testing::StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(too_many, 0);
  EXPECT_EQ(calls, 41);
  EXPECT_LT(sim.elapsed(), 8 * (window + 1s) + 1s) << "and each window is used";
}

TEST_F(QuotaGatewayTest, WhatCannotWaitIsRefusedHere) {
  run(config("{ wait: 1s }"), [&](SimGateway&) -> Task<> {
    std::string one;
    for (int i = 0; i < limit; ++i) {
      co_await ask(one);
      EXPECT_THAT(one, testing::StartsWith("HTTP/1.1 200"));
    }
    (void)co_await sleep_for(2s);
    co_await ask(one);
    EXPECT_THAT(one, testing::StartsWith("HTTP/1.1 429"));
    EXPECT_THAT(one, HasSubstr("\r\nretry-after: 8\r\n"));
    EXPECT_THAT(one, HasSubstr("the quota of the service is used up; it was not asked"));
    EXPECT_EQ(calls, limit);
    (void)co_await sleep_for(8s);
    co_await ask(one);
    EXPECT_THAT(one, testing::StartsWith("HTTP/1.1 200"));
  });
}

TEST_F(QuotaGatewayTest, NotBeyondADeadlineAndNotInAFullQueue) {
  run(config("{ wait: 5m, queue: 1 }", ", deadline: { trust: true }"), [&](SimGateway&) -> Task<> {
    std::string one, waits, none;
    for (int i = 0; i < limit; ++i) co_await ask(one);
    const Duration before = sim.elapsed();
    co_await ask(one, "Banyan-Timeout: 3s\r\n");
    EXPECT_THAT(one, testing::StartsWith("HTTP/1.1 429"));
    EXPECT_EQ(sim.elapsed(), before) << "at once";
    Nursery clients(co_await current_context());
    clients.start([&] { return ask(waits); });
    (void)co_await sleep_for(1ms);
    co_await ask(none);
    EXPECT_THAT(none, testing::StartsWith("HTTP/1.1 429"));
    co_await clients.join();
    EXPECT_THAT(waits, testing::StartsWith("HTTP/1.1 200"));
  });
}

TEST_F(QuotaGatewayTest, WhoLeavesLeavesTheQueue) {
  run(config("{ wait: 5m, queue: 1 }"), [&](SimGateway& gateway) -> Task<> {
    std::string one;
    for (int i = 0; i < limit; ++i) co_await ask(one);
    {
      Peer client = co_await dial(sim.engine(), "127.0.0.1:80");
      co_await client.send("GET / HTTP/1.1\r\nHost: api\r\n\r\n");
      (void)co_await sleep_for(1s);
      EXPECT_EQ(gateway.calls().quotas.all().at("api")->status(sim.loop().now()).queued, 1u);
    }
    (void)co_await sleep_for(1s);
    EXPECT_EQ(gateway.calls().quotas.all().at("api")->status(sim.loop().now()).queued, 0u);
    co_await ask(one);
    EXPECT_THAT(one, testing::StartsWith("HTTP/1.1 200"));
  });
}

// The copy is refused here; that is no answer of the service.
TEST_F(QuotaGatewayTest, ACopyThatIsRefusedDoesNotWin) {
  run(config("{ limit: 1, window: 1h, wait: 0 }", ", hedge: 5ms"), [&](SimGateway&) -> Task<> {
    std::string one;
    co_await ask(one);
    EXPECT_THAT(one, testing::StartsWith("HTTP/1.1 200"));
    co_await ask(one);
    EXPECT_THAT(one, testing::StartsWith("HTTP/1.1 429"));
  });
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace banyan
