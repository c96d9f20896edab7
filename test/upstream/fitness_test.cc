// Which endpoints get requests, end to end: ejection, breakers of endpoints, panic, shards and
// hashes, as a client sees them.
#include <set>

#include "upstream/endpoint_status.h"
#include "upstream/placement.h"
#include "upstream/proxy.h"

namespace banyan {
namespace {

class FitnessTest : public testing::Test {
 protected:
  // "a" to "z" at 10.0.0.1:80 and so on; each answers 200 and its letter, or as `broken` says.
  void serve(size_t n) {
    proxy.at_start.clear();
    for (size_t i = 0; i < n; ++i) {
      const std::string at = "10.0.0." + std::to_string(i + 1) + ":80";
      proxy.at_start.push_back(at);
      const std::string name(1, static_cast<char>('a' + i));
      sim.serve(at, [this, name](Peer& peer) -> Task<> {
        while (!(co_await peer.read_head()).empty()) {
          const bool bad = broken.find(name) != std::string::npos;
          const std::string status = bad ? "500 No" : "200 OK";
          if (!co_await peer.send("HTTP/1.1 " + status + "\r\ncontent-length: 1\r\n\r\n" + name))
            co_return;
        }
      });
    }
  }
  EndpointRules& rules() { return proxy.limits.use; }
  // Who answered.
  Task<std::string> asks(Proxy& p, int n, std::string_view fields = {}) {
    std::string out;
    for (; n > 0; --n) {
      const auto answer = co_await p.ask("GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n" +
                                         std::string(fields) + "\r\n");
      const bool own = answer.find("problem+json") != std::string::npos;
      out += answer.empty() || own ? '-' : answer.back();
    }
    co_return out;
  }
  ClusterStatus status(Proxy& p) { return status_of(*p.cluster, sim.loop().now()); }

  Proxy proxy;
  Sim& sim = proxy.sim;
  std::string broken;
};

TEST_F(FitnessTest, AnEjectedEndpointGetsNothingUntilItsTimeIsOver) {
  serve(4);
  rules().eject = EjectSettings{.consecutive = 2};
  broken = "b";
  proxy.run([this](Proxy& p) -> Task<> {
    EXPECT_EQ(co_await asks(p, 6), "abcdab");
    EXPECT_EQ((co_await asks(p, 60)).find('b'), std::string::npos);
    EXPECT_EQ(sim.elapsed(), 0s);
    EXPECT_EQ(status(p).endpoints[1].ejected_for, 30s);
    EXPECT_FALSE(status(p).endpoints[1].used);
    EXPECT_FALSE(status(p).panic);
    broken = "";
    (void)co_await sleep_for(30s);
    const std::string all = co_await asks(p, 8);
    EXPECT_EQ(std::ranges::count(all, 'b'), 2) << all;
  });
}

TEST_F(FitnessTest, RefusedConnectionsEject) {
  serve(4);
  proxy.at_start[1] = "10.0.0.99:80";
  rules().eject = EjectSettings{.consecutive = 2};
  proxy.run([this](Proxy& p) -> Task<> {
    (void)co_await asks(p, 8);
    (void)co_await sleep_for(1s);  // it is skipped for so long
    (void)co_await asks(p, 8);
    EXPECT_EQ(status(p).endpoints[1].ejections, 1u);
  });
}

TEST_F(FitnessTest, InAPanicAllAreUsed) {
  serve(3);
  rules().eject = EjectSettings{.consecutive = 1, .at_most = {10'000}};
  broken = "bc";
  proxy.run([this](Proxy& p) -> Task<> {
    EXPECT_EQ(co_await asks(p, 3), "abc");
    EXPECT_TRUE(status(p).panic);
    EXPECT_TRUE(status(p).endpoints[1].used);
    const std::string all = co_await asks(p, 9);
    for (char name : {'a', 'b', 'c'}) EXPECT_EQ(std::ranges::count(all, name), 3) << all;
  });
}

TEST_F(FitnessTest, ExactlyAtThePanicThresholdThereIsNone) {
  serve(4);
  rules().eject = EjectSettings{.consecutive = 1};
  broken = "bcd";
  proxy.run([this](Proxy& p) -> Task<> {
    EXPECT_EQ(co_await asks(p, 4), "abcd");
    const std::string all = co_await asks(p, 20);
    EXPECT_EQ(std::ranges::count(all, 'a'), 10) << all;
    EXPECT_EQ(std::ranges::count(all, 'd'), 10) << "half of four are out, and that is the most";
  });
}

TEST_F(FitnessTest, WithoutPanicNoneIsUsed) {
  serve(2);
  rules().eject = EjectSettings{.consecutive = 1, .at_most = {10'000}};
  rules().panic = 0;
  broken = "ab";
  proxy.run([this](Proxy& p) -> Task<> {
    EXPECT_EQ(co_await asks(p, 4), "ab--");
    EXPECT_EQ(p.finished().back().error->code, Code::unavailable);
    EXPECT_STREQ(p.finished().back().error->what, "no endpoint of the service may be used now");
    (void)co_await sleep_for(30s);
    broken = "";
    EXPECT_EQ((co_await asks(p, 2)).find('-'), std::string::npos);
  });
}

TEST_F(FitnessTest, AnOpenBreakerKeepsItsEndpointOutAndAProbeBringsItBack) {
  serve(3);
  rules().breaker = BreakerSettings{.failures = 2, .open = 10s};
  broken = "b";
  proxy.run([this](Proxy& p) -> Task<> {
    EXPECT_EQ(co_await asks(p, 5), "abcab");
    const std::string without = co_await asks(p, 6);
    EXPECT_EQ(without.find('b'), std::string::npos) << without;
    EXPECT_EQ(status(p).endpoints[1].breaker->state, Circuit::State::open);
    EXPECT_FALSE(status(p).endpoints[1].used);
    (void)co_await sleep_for(10s);
    const std::string probed = co_await asks(p, 9);
    EXPECT_EQ(std::ranges::count(probed, 'b'), 1) << "one probe, which failed: " << probed;
    (void)co_await sleep_for(10s);
    broken = "";
    const std::string well = co_await asks(p, 9);
    EXPECT_GE(std::ranges::count(well, 'b'), 3) << well;
    EXPECT_EQ(status(p).endpoints[1].breaker->state, Circuit::State::closed);
  });
}

TEST_F(FitnessTest, AnOpenBreakerHoldsEvenInAPanic) {
  serve(1);
  rules().breaker = BreakerSettings{.failures = 2, .open = 10s};
  broken = "a";
  proxy.run([this](Proxy& p) -> Task<> {
    EXPECT_EQ(co_await asks(p, 4), "aa--");
    (void)co_await sleep_for(10s);
    EXPECT_EQ(co_await asks(p, 2), "a-");
  });
}

TEST_F(FitnessTest, AProbeIsOneAtATime) {
  rules().breaker = BreakerSettings{.failures = 1, .open = 10s};
  int asked = 0;
  sim.serve("10.0.0.1:80", [&](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    const bool first = asked++ == 0;
    if (!first) (void)co_await sleep_for(1s);
    (void)co_await peer.send(first ? "HTTP/1.1 500 No\r\ncontent-length: 1\r\n\r\na"
                                   : "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na");
  });
  proxy.run([&](Proxy& p) -> Task<> {
    EXPECT_EQ(co_await asks(p, 1), "a");
    (void)co_await sleep_for(10s);
    Peer probing = co_await p.client();
    co_await probing.send(Proxy::get());
    (void)co_await sleep_for(500ms);
    EXPECT_EQ(co_await asks(p, 3), "---") << "while the probe is under way";
    (void)co_await probing.read_all();
    EXPECT_EQ(co_await asks(p, 1), "a");
    EXPECT_EQ(asked, 3);
  });
}

// A used connection that was closed while it idled is no fault of the endpoint.
TEST_F(FitnessTest, AStaleConnectionProvesNothing) {
  rules().breaker = BreakerSettings{.failures = 1};
  rules().eject = EjectSettings{.consecutive = 1, .at_most = {10'000}};
  sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    (void)co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na");
    (void)co_await peer.read_head();  // and closes without an answer
  });
  proxy.run([&](Proxy& p) -> Task<> {
    EXPECT_EQ(co_await asks(p, 6), "aaaaaa");
    EXPECT_EQ(status(p).endpoints[0].ejections, 0u);
    EXPECT_EQ(status(p).endpoints[0].breaker->opened, 0u);
  });
}

TEST_F(FitnessTest, AHashKeepsAUserAndMovesOnlyThoseOfABrokenEndpoint) {
  serve(4);
  rules().hash = {.key = *RequestKey::parse("header:x-user")};
  rules().eject = EjectSettings{.consecutive = 1};
  proxy.run([this](Proxy& p) -> Task<> {
    std::string before, after;
    const auto user = [](int i) { return "x-user: " + std::to_string(i) + "\r\n"; };
    for (int i = 0; i < 20; ++i) before += co_await asks(p, 1, user(i));
    broken = before[0];
    (void)co_await asks(p, 1, user(0));
    for (int i = 0; i < 20; ++i) after += co_await asks(p, 1, user(i));
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_NE(after[i], broken[0]) << i;
      EXPECT_TRUE(before[i] == broken[0] || after[i] == before[i]) << i;
    }
    EXPECT_GT(std::set<char>(before.begin(), before.end()).size(), 2u);
    EXPECT_EQ((co_await asks(p, 8)).size(), 8u) << "without the key the method decides";
  });
}

TEST_F(FitnessTest, ATenantHarmsOnlyItsShard) {
  serve(6);
  rules().shard = {.by = *RequestKey::parse("header:x-tenant"), .size = 2};
  rules().eject = EjectSettings{.consecutive = 1, .at_most = {10'000}};
  proxy.run([this](Proxy& p) -> Task<> {
    const std::string tenant = "x-tenant: gold\r\n";
    const std::string its = co_await asks(p, 40, tenant);
    const std::set<char> shard(its.begin(), its.end());
    EXPECT_EQ(shard.size(), 2u) << its;
    std::set<char> told;
    for (const auto name : shard_names(proxy.at_start, "gold", 2))
      told.insert(static_cast<char>('a' + (name[7] - '1')));
    EXPECT_EQ(told, shard);
    broken.assign(shard.begin(), shard.end());
    const std::string panicking = co_await asks(p, 20, tenant);
    EXPECT_EQ(std::set<char>(panicking.begin(), panicking.end()), shard)
        << "all of its own are bad: it gets them rather than those of others";
  });
}

TEST_F(FitnessTest, ANewEndpointWarmsUp) {
  serve(3);
  rules().slow_start = 30s;
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  proxy.run([this](Proxy& p) -> Task<> {
    (void)co_await sleep_for(1h);
    p.members({"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"});
    EXPECT_DOUBLE_EQ(status(p).endpoints[2].weight_now, 0.1);
    EXPECT_DOUBLE_EQ(status(p).endpoints[0].weight_now, 1);
    const auto share = [](const std::string& all) { return std::ranges::count(all, 'c'); };
    EXPECT_EQ(share(co_await asks(p, 42)), 2) << "a tenth of the others'";
    (void)co_await sleep_for(15s);
    EXPECT_NEAR(static_cast<double>(share(co_await asks(p, 50))), 10, 1) << "half of the others'";
    (void)co_await sleep_for(15s);
    EXPECT_NEAR(static_cast<double>(share(co_await asks(p, 30))), 10, 1);
  });
}

TEST_F(FitnessTest, WhatIsKnownStaysWithThoseThatStay) {
  serve(4);
  rules().eject = EjectSettings{.consecutive = 1};
  broken = "b";
  proxy.run([this](Proxy& p) -> Task<> {
    (void)co_await asks(p, 4);
    p.members({"10.0.0.2:80", "10.0.0.3:80"});
    EXPECT_EQ(status(p).endpoints[0].ejected_for, 30s);
    EXPECT_EQ(co_await asks(p, 3), "ccc");
    p.members({"10.0.0.2:80"});
    EXPECT_EQ(status(p).endpoints[0].ejected_for, 0s) << "at_most holds for those that are left";
    p.members({});
    EXPECT_TRUE(status(p).endpoints.empty());
    EXPECT_EQ(co_await asks(p, 1), "-");
  });
}

}  // namespace
}  // namespace banyan
