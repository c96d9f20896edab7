// Which endpoints may be used, as a user writes it: from the text of a configuration to stacks,
// checks, breakers shared by workers and kept over reloads, and what `check` and `explain` tell.
#include <gtest/gtest.h>

#include "app/explain.h"
#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"
#include "upstream/placement.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

// A configuration with one service `shop`, which is line 3.
std::string config(const std::string& service, const std::string& listener = "10.0.0.1:80") {
  return "listeners: { web: '" + listener + "' }\nservices:\n  shop: { " + service +
         " }\nroutes: [ { to: shop } ]\n";
}
ModelPtr model(const std::string& service, const std::string& listener = "10.0.0.1:80") {
  Loaded loaded = load_text(config(service, listener));
  EXPECT_EQ(loaded.problems.text(), "");
  return loaded.model;
}
constexpr const char* two = "endpoints: [http://10.0.1.1:80, http://10.0.1.2:80]";
constexpr const char* one = "endpoints: [http://10.0.1.1:80]";
constexpr const char* without = "respond: {}";

// ---- What check tells.
TEST(EndpointUseTest, ProblemsHaveTheirPlaces) {
  const std::pair<const char*, const char*> table[] = {
      {"endpoints: [http://a:1], breaker: { probes: 0 }",
       "config:3:55: services.shop.breaker.probes: with 0 probes the breaker could never close "
       "again; write 1 or more\n"},
      {"endpoints: [http://a:1], breaker: { failures: 0 }",
       "config:3:57: services.shop.breaker.failures: 0 is out of range; allowed is 1 to 1000000\n"},
      {"endpoints: [http://a:1], health: { interval: 2s }",
       "config:3:44: services.shop.health: wants `path` or `tcp`\n"},
      {"endpoints: [http://a:1], health: { path: /h, timeout: 6s }",
       "config:3:44: services.shop.health: the timeout is longer than the interval: checks would "
       "overtake each other\n"},
      {"endpoints: [http://a:1], balance: fastest",
       "config:3:45: services.shop.balance: 'fastest' is not one of: ewma, round_robin, "
       "least_request\n"},
      {"endpoints: [http://a:1], shard: { by: user }",
       "config:3:49: services.shop.shard.by: 'user' is none of header:NAME, cookie:NAME, ip\n"},
      {"endpoints: [http://a:1], shard: { by: path }",
       "config:3:49: services.shop.shard.by: 'path' is none of header:NAME, cookie:NAME, ip\n"},
      {"endpoints: [http://a:1], brekaer: {}",
       "config:3:36: services.shop: unknown word 'brekaer'; did you mean 'breaker'?\n"},
      {"respond: {}, breaker: {}, timeout: { idle: 1s }",
       "config:3:24: services.shop.breaker: goes with endpoints, which are missing\n"
       "config:3:37: services.shop.timeout: goes with endpoints, which are missing\n"},
  };
  for (const auto& [service, told] : table) {
    const Loaded loaded = load_text(config(service));
    EXPECT_EQ(loaded.problems.text(), told) << service;
    EXPECT_EQ(loaded.model, nullptr) << service;
  }
}

TEST(EndpointUseTest, WarningsThatStopNothing) {
  const std::pair<std::string, const char*> table[] = {
      {std::string(two) + ", shard: { by: ip, size: 2 }",
       "config:3:71: warning: services.shop.shard: every tenant has all 2 endpoints: no shards\n"},
      {std::string(one) + ", eject: {}",
       "config:3:51: warning: services.shop.eject: never ejects: less than one of 1 endpoints is "
       "within `at_most`\n"},
      {"endpoints: [http://10.0.1.1:80, http://10.0.1.1:80], shard: { by: ip, size: 1 }",
       "config:3:71: warning: services.shop.shard: every tenant has all 1 endpoints: no shards\n"},
      // How many there are is not known.
      {"endpoints: [dns:shop:80], shard: { by: ip, size: 9 }, eject: {}", ""},
  };
  for (const auto& [service, told] : table) {
    const Loaded loaded = load_text(config(service));
    EXPECT_EQ(loaded.problems.text(), told) << service;
    EXPECT_NE(loaded.model, nullptr) << service;
  }
}

// ---- What explain and /stack tell.
std::string told(const ModelPtr& of, std::vector<std::string> headers = {}) {
  const auto text = explain(*of, {.url = "/x", .headers = std::move(headers)});
  EXPECT_TRUE(text) << text.error();
  return text.value_or("");
}
bool has(const std::string& text, std::string_view line) {
  return text.find(line) != std::string::npos;
}

TEST(EndpointUseTest, ExplainTellsTheShardOfATenantAndWhomItCanHarm) {
  const auto shop = model(
      "endpoints: [http://10.0.1.1:80, http://10.0.1.2:80, http://10.0.1.3:80, "
      "http://10.0.1.4:80], shard: { by: header:x-tenant, size: 2 }");
  const std::string gold = told(shop, {"X-Tenant: gold"});
  const std::vector<std::string> all = {"10.0.1.1:80", "10.0.1.2:80", "10.0.1.3:80", "10.0.1.4:80"};
  const auto names = shard_names(all, "gold", 2);
  EXPECT_TRUE(has(gold, "shard      of the tenant with header:x-tenant 'gold': " +
                            std::string(names[0]) + ", " + std::string(names[1]) + "\n"))
      << gold;
  // Of the 6 pairs one is the same, one is apart.
  EXPECT_TRUE(has(gold,
                  "blast      if this tenant breaks its endpoints: 83.3% of the others lose one or "
                  "more, 16.7% lose all\n"))
      << gold;
  EXPECT_TRUE(has(told(shop), "shard      of the tenant without header:x-tenant: 10.0.1."));
}

TEST(EndpointUseTest, ExplainCannotKnowShardsOfTheDns) {
  const auto shop = model("endpoints: [dns:shop:80], shard: { by: ip, size: 3 }");
  const std::string text = told(shop);
  EXPECT_TRUE(has(text,
                  "shard      3 of the endpoints, by ip; which ones, and how many there are, "
                  "the DNS decides\n"))
      << text;
  EXPECT_FALSE(has(text, "blast"));
}

TEST(EndpointUseTest, AnIpIsNotPrintedAsBytes) {
  const auto shop = model(std::string(two) + ", shard: { by: ip, size: 1 }");
  EXPECT_TRUE(has(told(shop), "shard      of the tenant with this ip: 10.0.1."));
}

TEST(EndpointUseTest, TheStackTellsWhereTheBreakerIsAndWhoIsChosen) {
  const auto layers = [](const std::string& use) {
    const auto of = model(std::string(two) + ", " + use);
    std::string out;
    for (const LayerNote& note : describe_route(*of, {}, 0))
      out += note.role + ": " + note.why + "\n";
    return out.substr(out.find('\n', out.find("\ncontext:") + 1) + 1);
  };
  EXPECT_EQ(layers("breaker: 3, eject: {}, health: /up"),
            "breaker: below all that tries again, so that each attempt counts; above the "
            "endpoints, so that what all of them do counts together\n"
            "service shop: innermost: sends to one of http://10.0.1.1:80, http://10.0.1.2:80 "
            "(ewma; not when checks find it bad; not when it is ejected; not when its breaker is "
            "open)\n");
  EXPECT_EQ(layers("breaker: { scope: endpoint }, balance: { hash: ip }"),
            "service shop: innermost: sends to one of http://10.0.1.1:80, http://10.0.1.2:80 "
            "(by ip; without it ewma; not when its breaker is open)\n");
  EXPECT_EQ(layers("breaker: { scope: service }, shard: { by: ip, size: 1 }"),
            "breaker: below all that tries again, so that each attempt counts; above the "
            "endpoints, so that what all of them do counts together\n"
            "service shop: innermost: sends to one of http://10.0.1.1:80, http://10.0.1.2:80 "
            "(ewma; of the 1 of its ip)\n");
  const std::string tried = layers("breaker: 3, retry: {}");
  EXPECT_LT(tried.find("retry: "), tried.find("\nbreaker: ")) << tried;
}

// ---- The gateway, with endpoints that answer `status` and count what they are asked.
class EndpointUseGatewayTest : public testing::Test {
 protected:
  EndpointUseGatewayTest() {
    for (size_t i = 0; i < 2; ++i)
      sim.serve("10.0.1." + std::to_string(i + 1) + ":80",
                [this, i](Peer& peer) { return endpoint(peer, i); });
  }
  Task<> endpoint(Peer& peer, size_t i) {
    for (;;) {
      const std::string head = co_await peer.read_head();
      if (head.empty()) co_return;
      ++(head.starts_with("GET /up ") ? checks : asked)[i];
      if (hang) (void)co_await peer.read_all();
      const bool sent = peer.open() && co_await peer.send("HTTP/1.1 " + status[i] +
                                                          " X\r\nContent-Length: 0\r\n\r\n");
      if (!sent) co_return;
    }
  }
  std::unique_ptr<SimGateway> make(Context& context, CallShares* calls = nullptr) {
    return std::make_unique<SimGateway>(
        context, sim.engine(), names, [](const Request*, const Record&) {}, calls);
  }
  // The status of each of `n` answers, by the gateway at `address`.
  Task<std::string> asks(int n, std::string_view address = "10.0.0.1:80") {
    std::string out;
    for (; n > 0; --n) {
      Peer client = co_await dial(sim.host("10.9.0.1"), address);
      co_await client.send("GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
      out += (out.empty() ? "" : " ") + (co_await client.read_all()).substr(9, 3);
    }
    co_return out;
  }

  Sim sim{1, "10.0.0.1"};
  SimResolver names;
  std::string status[2] = {"200", "200"};
  bool hang = false;
  int checks[2] = {0, 0};
  int asked[2] = {0, 0};
};

TEST_F(EndpointUseGatewayTest, ChecksLiveAsLongAsTheirCluster) {
  const std::string checked = std::string(two) + ", health: { path: /up, interval: 10s }";
  sim.run([&]() -> Task<> {
    const auto gateway = make(co_await current_context());
    co_await gateway->use(model(checked));
    (void)co_await sleep_for(1s);
    EXPECT_EQ(checks[0], 1) << "within a tenth of the interval";
    for (int i = 0; i < 5; ++i) co_await gateway->use(model(checked + ", timeout: {}"));
    (void)co_await sleep_for(1s);
    EXPECT_EQ(checks[0], 2) << "other settings, another cluster; and one for five reloads";
    (void)co_await sleep_for(100s);
    EXPECT_GE(checks[0], 2 + 9);
    EXPECT_LE(checks[0], 2 + 10) << "the old cluster's have ended";
    co_await gateway->use(model(two));
    const int before = checks[0];
    (void)co_await sleep_for(100s);
    EXPECT_EQ(checks[0], before) << "without `health` there are none";
    co_await gateway->use(model(checked));
    (void)co_await sleep_for(1s);
    EXPECT_EQ(checks[0], before + 1);
    co_await gateway->use(model(without));
    (void)co_await sleep_for(100s);
    EXPECT_EQ(checks[0], before + 1) << "and without the service neither";
    co_await gateway->stop();
  });
}

// Sim sees that nothing is left, neither a task nor a connection.
TEST_F(EndpointUseGatewayTest, AStopInTheMiddleOfACheckLeavesNothing) {
  hang = true;
  sim.run([&]() -> Task<> {
    const auto gateway = make(co_await current_context());
    co_await gateway->use(model(std::string(two) + ", health: /up"));
    while (checks[0] + checks[1] < 2) (void)co_await sleep_for(10ms);
    co_await gateway->stop();
  });
  EXPECT_LT(sim.elapsed(), 600ms) << "and it is not waited for";
}

TEST_F(EndpointUseGatewayTest, WhatChecksFindBadIsNotUsed) {
  status[1] = "500";
  sim.run([&]() -> Task<> {
    const auto gateway = make(co_await current_context());
    co_await gateway->use(
        model(std::string(two) + ", balance: round_robin, health: { path: /up, interval: 1s }"));
    EXPECT_EQ(co_await asks(2), "200 500") << "used until it is proved bad";
    (void)co_await sleep_for(4s);
    EXPECT_EQ(co_await asks(6), "200 200 200 200 200 200");
    const auto seen = gateway->services().at("shop");
    EXPECT_TRUE(seen.endpoints[0].healthy && seen.endpoints[0].used);
    EXPECT_FALSE(seen.endpoints[1].healthy || seen.endpoints[1].used);
    // What is known stays with the cluster over a reload that does not change it.
    co_await gateway->use(
        model(std::string(two) + ",   balance: round_robin, health: { path: /up, interval: 1s }"));
    EXPECT_EQ(co_await asks(2), "200 200");
    co_await gateway->stop();
  });
}

TEST_F(EndpointUseGatewayTest, AnEndpointsFailuresEjectIt) {
  status[1] = "503";
  sim.run([&]() -> Task<> {
    const auto gateway = make(co_await current_context());
    co_await gateway->use(
        model(std::string(two) + ", balance: round_robin, eject: { consecutive: 2, for: 20s }"));
    EXPECT_EQ(co_await asks(6), "200 503 200 503 200 200");
    EXPECT_EQ(gateway->services().at("shop").endpoints[1].ejected_for, 20s);
    status[1] = "200";
    (void)co_await sleep_for(20s);
    const int before = asked[1];
    EXPECT_EQ(co_await asks(4), "200 200 200 200");
    EXPECT_EQ(asked[1] - before, 2);
    co_await gateway->stop();
  });
}

// Two workers have the same circuit: what one saw counts for both.
TEST_F(EndpointUseGatewayTest, TheBreakerIsSharedByWorkersAndKeptOverReloads) {
  status[0] = "500";
  const std::string broken =
      std::string(one) + ", breaker: { failures: 4, open: 10s, scope: service }";
  CallShares calls;
  sim.run([&]() -> Task<> {
    const auto first = make(co_await current_context(), &calls);
    const auto second = make(co_await current_context(), &calls);
    co_await first->use(model(broken, "10.0.0.1:80"));
    co_await second->use(model(broken, "10.0.0.1:81"));
    EXPECT_EQ(co_await asks(2, "10.0.0.1:80"), "500 500");
    EXPECT_EQ(co_await asks(2, "10.0.0.1:81"), "500 500");
    EXPECT_EQ(co_await asks(1, "10.0.0.1:80"), "503");
    EXPECT_EQ(co_await asks(1, "10.0.0.1:81"), "503");
    EXPECT_EQ(asked[0], 4) << "open for both: nothing was sent";
    // Other settings of the cluster: another cluster, the same breaker.
    co_await first->use(model(broken + ", pool: { idle: 3 }", "10.0.0.1:80"));
    EXPECT_EQ(co_await asks(1, "10.0.0.1:80"), "503");
    EXPECT_EQ(asked[0], 4);
    // Other settings of the breaker: a new one.
    const std::string other = std::string(one) + ", breaker: { failures: 9, scope: service }";
    co_await first->use(model(other, "10.0.0.1:80"));
    EXPECT_EQ(co_await asks(1, "10.0.0.1:80"), "500");
    EXPECT_EQ(co_await asks(1, "10.0.0.1:81"), "503") << "who has not reloaded yet has the old";
    status[0] = "200";
    (void)co_await sleep_for(10s);
    EXPECT_EQ(co_await asks(2, "10.0.0.1:81"), "200 200");
    co_await first->stop();
    co_await second->stop();
  });
}

// Another service's breaker is another, though the settings are the same.
TEST_F(EndpointUseGatewayTest, ABreakerIsOneServicesAlone) {
  status[0] = "500";
  const std::string text =
      "listeners: { web: 10.0.0.1:80 }\nservices:\n"
      "  bad: { endpoints: [http://10.0.1.1:80], breaker: { failures: 1 } }\n"
      "  shop: { endpoints: [http://10.0.1.2:80], breaker: { failures: 1 } }\n"
      "  both: { split: { to: { bad: 1, shop: 0 } } }\n"
      "routes: [ { to: shop }, { match: { path: /bad }, to: both } ]\n";
  sim.run([&]() -> Task<> {
    const auto gateway = make(co_await current_context());
    co_await gateway->use(load_text(text).model);
    for (const std::string_view wanted : {"500", "503"}) {
      Peer client = co_await dial(sim.host("10.9.0.1"), "10.0.0.1:80");
      co_await client.send("GET /bad HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
      EXPECT_EQ((co_await client.read_all()).substr(9, 3), wanted);
    }
    EXPECT_EQ(asked[0], 1);
    EXPECT_EQ(co_await asks(2), "200 200");
    co_await gateway->stop();
  });
}

TEST_F(EndpointUseGatewayTest, ATenantHasItsShard) {
  sim.run([&]() -> Task<> {
    const auto gateway = make(co_await current_context());
    co_await gateway->use(model(std::string(two) +
                                ", balance: round_robin, shard: { by: header:x-tenant, size: 1 }"));
    co_await asks(6);
    EXPECT_TRUE((asked[0] == 6) != (asked[1] == 6)) << asked[0] << " and " << asked[1];
    const std::vector<std::string> all = {"10.0.1.1:80", "10.0.1.2:80"};
    EXPECT_EQ(shard_names(all, "", 1)[0], all[asked[0] == 6 ? 0 : 1]) << "as explain tells";
    co_await gateway->stop();
  });
}

}  // namespace
}  // namespace banyan
