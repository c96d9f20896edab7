#include "upstream/health_check.h"

#include "upstream/proxy.h"

namespace banyan {
namespace {

constexpr Duration interval = 5s;

class HealthCheckTest : public testing::Test {
 protected:
  HealthCheckTest() { settings = HealthSettings{.path = "/healthz"}; }

  // `script` is Task<> of (Cluster&), while the checks run.
  template <class Script>
  void run(std::vector<std::string> addresses, Script script) {
    sim.run([&, script]() mutable -> Task<> { return scene(addresses, script); });
  }
  template <class Script>
  Task<> scene(std::vector<std::string>& addresses, Script& script) {
    ClusterLimits limits;
    limits.use.health = settings;
    limits.use.slow_start = slow_start;
    Cluster own("shop", sim.engine(), sim.loop(), Balance::round_robin, limits);
    cluster = &own;
    members(addresses);
    HealthChecks checks(co_await current_context(), own);
    checks.start();
    co_await script(own);
    co_await checks.stop();
    for (const auto& e : own.endpoints()) EXPECT_FALSE(e->health().checked);
  }
  void members(const std::vector<std::string>& addresses) {
    std::vector<Cluster::Member> all;
    for (const auto& a : addresses) all.push_back({a, *parse_address(a), 1, "shop.internal"});
    cluster->set_members(all);
  }
  // Answers checks with what `answer` is then; empty: with silence. Notes when they came.
  void serve(const std::string& at = "10.0.0.1:80") {
    sim.serve(at, [this](Peer& peer) -> Task<> {
      head = co_await peer.read_head();
      asked.push_back(sim.elapsed());
      if (answer.empty()) (void)co_await peer.read_all();
      if (peer.open()) (void)co_await peer.send(answer);
    });
  }
  static bool healthy(const Cluster& c, size_t i = 0) {
    return c.endpoints()[i]->health().healthy();
  }
  // Whole intervals, each a tenth longer: so many checks have come for sure.
  auto intervals(int n) { return sleep_for(n * (interval + interval / 10)); }

  Sim sim{1, "10.1.0.1"};
  HealthSettings settings;
  Nanoseconds slow_start{};
  Cluster* cluster = nullptr;
  std::string answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
  std::string head;
  std::vector<Duration> asked;
};

TEST_F(HealthCheckTest, AsksAsItShould) {
  serve();
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    (void)co_await intervals(100);
    EXPECT_TRUE(healthy(c));
    EXPECT_EQ(head,
              "GET /healthz HTTP/1.1\r\nhost: shop.internal\r\nuser-agent: banyan-health\r\n"
              "connection: close\r\n\r\n");
    EXPECT_GE(asked.size(), 100u);
    EXPECT_LE(asked[0], interval / 10) << "soon after the start";
    Duration shortest = 1h, longest{};
    for (size_t i = 1; i < asked.size(); ++i) {
      shortest = std::min(shortest, asked[i] - asked[i - 1]);
      longest = std::max(longest, asked[i] - asked[i - 1]);
    }
    EXPECT_GE(shortest, interval);
    EXPECT_LE(longest, interval + interval / 10);
    EXPECT_GT(longest - shortest, interval / 20) << "not in step";
  });
}

TEST_F(HealthCheckTest, BadAfterSoManyAndGoodAfterSoMany) {
  slow_start = 60s;
  serve();
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    (void)co_await intervals(20);
    answer = "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n";
    size_t before = asked.size();
    while (asked.size() < before + 2) (void)co_await sleep_for(1ms);
    (void)co_await sleep_for(1s);
    EXPECT_TRUE(healthy(c)) << "two are not three";
    while (asked.size() < before + 3) (void)co_await sleep_for(1ms);
    EXPECT_FALSE(healthy(c));
    answer = "HTTP/1.1 302 Elsewhere\r\ncontent-length: 0\r\n\r\n";
    before = asked.size();
    while (asked.size() < before + 1) (void)co_await sleep_for(1ms);
    (void)co_await sleep_for(1s);
    EXPECT_FALSE(healthy(c)) << "one is not two";
    while (asked.size() < before + 2) (void)co_await sleep_for(1ms);
    EXPECT_TRUE(healthy(c));
    EXPECT_NEAR(c.endpoints()[0]->weight_at(sim.loop().now()), 0.1, 0.001) << "it warms up";
  });
}

TEST_F(HealthCheckTest, WhatIsABadAnswer) {
  const std::pair<const char*, std::string> table[] = {
      {"status", "HTTP/1.1 404 Not here\r\ncontent-length: 0\r\n\r\n"},
      {"silence", ""},
      {"no HTTP", "hello\r\n\r\n"},
      {"it closes", "HTTP/1.1 200"},
      {"the content breaks off", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"},
  };
  serve();
  run({"10.0.0.1:80"}, [&](Cluster& c) -> Task<> {
    const std::string good = answer;
    for (const auto& [name, text] : table) {
      answer = text;
      (void)co_await intervals(4);
      EXPECT_FALSE(healthy(c)) << name;
      answer = good;
      (void)co_await intervals(4);
      EXPECT_TRUE(healthy(c)) << name;
    }
  });
}

TEST_F(HealthCheckTest, ItsOwnRangeOfStatuses) {
  settings.status = {404, 404};
  serve();
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    (void)co_await intervals(4);
    EXPECT_FALSE(healthy(c));
    answer = "HTTP/1.1 404 Not here\r\ncontent-length: 0\r\n\r\n";
    (void)co_await intervals(4);
    EXPECT_TRUE(healthy(c));
  });
}

TEST_F(HealthCheckTest, AnEndlessAnswerIsReadOnlySoFar) {
  answer = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + std::string(200'000, 'x');
  serve();
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    (void)co_await intervals(4);
    EXPECT_TRUE(healthy(c)) << "64 KiB are enough";
  });
}

TEST_F(HealthCheckTest, SilenceEndsExactlyAfterTheTimeout) {
  settings.timeout = 700ms;
  settings.unhealthy_after = 1;
  answer = "";
  serve();
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    while (asked.empty()) (void)co_await sleep_for(1ms);
    const Duration end = asked[0] + 700ms;
    (void)co_await sleep_for(end - 1ns - sim.elapsed());
    EXPECT_TRUE(healthy(c));
    (void)co_await sleep_for(2ns);
    EXPECT_FALSE(healthy(c));
  });
}

TEST_F(HealthCheckTest, RefusedAndUnreachable) {
  serve("10.0.0.2:80");
  sim.world().black_hole("10.0.0.2");
  run({"10.0.0.1:80", "10.0.0.2:80"}, [this](Cluster& c) -> Task<> {
    (void)co_await intervals(4);
    EXPECT_FALSE(healthy(c, 0)) << "nobody is there";
    EXPECT_FALSE(healthy(c, 1)) << "nothing arrives";
    sim.world().release("10.0.0.2");
    (void)co_await intervals(3);
    EXPECT_FALSE(healthy(c, 0));
    EXPECT_TRUE(healthy(c, 1));
  });
}

TEST_F(HealthCheckTest, OverTcpAConnectionIsEnough) {
  settings = HealthSettings{.tcp = true};
  answer = "";
  serve();
  run({"10.0.0.1:80", "10.0.0.2:80"}, [this](Cluster& c) -> Task<> {
    (void)co_await intervals(10);
    EXPECT_TRUE(healthy(c, 0));
    EXPECT_FALSE(healthy(c, 1));
    EXPECT_GE(asked.size(), 10u);
    EXPECT_EQ(head, "") << "nothing is sent";
  });
}

TEST_F(HealthCheckTest, MembersComeAndGo) {
  serve("10.0.0.1:80");
  serve("10.0.0.2:80");
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    answer = "";
    (void)co_await intervals(4);
    EXPECT_FALSE(healthy(c));
    members({"10.0.0.2:80", "10.0.0.1:80"});
    EXPECT_TRUE(healthy(c, 0)) << "a new one is used until proved bad";
    EXPECT_FALSE(healthy(c, 1)) << "what is known stays";
    (void)co_await intervals(4);
    EXPECT_FALSE(healthy(c, 0));
    const std::weak_ptr<Endpoint> gone = c.endpoints()[1];
    members({"10.0.0.2:80"});
    EXPECT_TRUE(gone.expired()) << "no check holds it";
    const size_t before = asked.size();
    (void)co_await intervals(10);
    EXPECT_NEAR(static_cast<double>(asked.size() - before), 10, 1.1) << "one is checked";
    members({});
    (void)co_await intervals(2);
    const size_t last = asked.size();
    (void)co_await intervals(5);
    EXPECT_EQ(asked.size(), last);
    members({"10.0.0.1:80"});
    EXPECT_TRUE(healthy(c)) << "who comes back is new";
    (void)co_await intervals(4);
    EXPECT_FALSE(healthy(c));
  });
}

TEST_F(HealthCheckTest, AMemberThatLeavesDuringItsCheck) {
  answer = "";
  serve();
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    while (asked.empty()) (void)co_await sleep_for(1ms);
    members({});
    EXPECT_TRUE(c.endpoints().empty());
    (void)co_await intervals(2);
    EXPECT_EQ(asked.size(), 1u);
  });
}

TEST_F(HealthCheckTest, StoppedInTheMiddleOfACheck) {
  answer = "";
  settings.unhealthy_after = 1;
  serve();
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    while (asked.empty()) (void)co_await sleep_for(1ms);
    EXPECT_TRUE(healthy(c)) << "the end is no bad check; Sim sees that nothing is left";
  });
}

// Whatever fails once, in each way: the endpoint stays in use, and nothing is left over.
TEST_F(HealthCheckTest, EveryOperationFailsOnce) {
  serve();
  run({"10.0.0.1:80"}, [this](Cluster& c) -> Task<> {
    sim.world().count_only({"10.1.0.1"});
    for (const Fault fault : {Fault::reset, Fault::timeout, Fault::cancel})
      for (uint64_t k = 1; k <= 6; ++k) {
        sim.world().fail_operation(sim.world().operations() + k, fault);
        (void)co_await intervals(6);
        EXPECT_TRUE(healthy(c)) << k;
      }
  });
}

}  // namespace
}  // namespace banyan
