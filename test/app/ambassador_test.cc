// An ambassador's entries, as a user writes them: from the text of a configuration to connections
// of HTTP and of anything else, with what `check` and /stack tell.
#include "app/ambassador_gateway.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string db(std::string_view more = "") {
  return ambassador_config("  db: { listen: 127.0.0.1:5432, tcp: db" + std::string(more) + " }\n");
}

// ---- What check tells.
TEST(AmbassadorTest, AnEntryIsEnoughToServe) {
  EXPECT_EQ(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: db }\n"), "");
  EXPECT_EQ(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: 10.0.1.1:5432 }\n"
                              "  redis: { listen: 'unix:/run/redis', tcp: 'dns:redis:6379' }\n"
                              "  pay: { listen: 127.0.0.1:8080, to: fixed }\n"),
            "");
}

TEST(AmbassadorTest, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_EQ(ambassador_faults("  db: { listen: 127.0.0.1:5432 }\n"),
            "config:2:7: ambassador.db: wants exactly one of to, tcp, forward_proxy, transparent; "
            "it has 0\n");
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: db, to: db }\n"),
              HasSubstr("wants exactly one of to, tcp, forward_proxy, transparent; it has 2"));
  EXPECT_THAT(ambassador_faults("  db: { tcp: db }\n"), HasSubstr("listen"));
  EXPECT_THAT(ambassador_faults("  db: { listen: nonsense, tcp: db }\n"),
              HasSubstr("'nonsense' is neither host:port nor unix:/path"));
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, to: db, idle: 5s }\n"),
              HasSubstr("idle goes with tcp"));
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: bd }\n"),
              HasSubstr("ambassador.db.tcp: there is no service 'bd'; did you mean 'db'?"));
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, to: fixde }\n"),
              HasSubstr("'fixed'"));
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: 'db:port' }\n"),
              HasSubstr("'db:port' is none of"));
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: fixed }\n"),
              HasSubstr("service 'fixed' has no endpoints to connect to"));
}

TEST(AmbassadorTest, NamesAndAddressesAreOnesOwn) {
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: db }\n"
                                "  more: { listen: 127.0.0.1:5432, tcp: db }\n"),
              HasSubstr("ambassador.more"));
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: db }\n",
                                "listeners: { db: 127.0.0.1:80 }\nroutes: [ { to: fixed } ]\n"),
              HasSubstr("ambassador.db: the name is given twice; first at config:6:"));
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: db }\n",
                                "listeners: { web: 127.0.0.1:5432 }\nroutes: [ { to: fixed } ]\n"),
              HasSubstr("ambassador.db: the address is wanted twice; first at config:6:"));
}

TEST(AmbassadorTest, WhatIsNotHttpIsReachedByTcpOnly) {
  const char* fault =
      "service 'db' is not HTTP (tcp://10.0.1.1:5432): only an entry under ambassador";
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, to: db }\n"),
              HasSubstr(std::string("ambassador.db.to: ") + fault));
  EXPECT_THAT(ambassador_faults("  db: { listen: 127.0.0.1:5432, tcp: db }\n",
                                "  both: { split: { to: { fixed: 1, db: 1 } } }\n"
                                "listeners: { web: 127.0.0.1:80 }\nroutes: [ { to: db } ]\n"),
              testing::AllOf(HasSubstr(std::string("services.both.split.to: ") + fault),
                             HasSubstr(std::string("routes[0].to: ") + fault)));
}

// ---- What /stack tells.
TEST(AmbassadorTest, TheStackOfAnEntry) {
  const Loaded loaded =
      load_text(ambassador_config("  db: { listen: 127.0.0.1:5432, tcp: db, idle: 90s }\n"
                                  "  pay: { listen: 127.0.0.1:8080, to: fixed }\n"));
  ASSERT_EQ(loaded.problems.text(), "");
  const auto& listeners = loaded.model->settings.listeners;
  const auto raw = describe_entry(*loaded.model, listeners[0].value);
  ASSERT_EQ(raw.size(), 1u);
  EXPECT_EQ(raw[0].role, "service db");
  EXPECT_THAT(raw[0].why, HasSubstr("until nobody says anything for 90s"));
  const auto http = describe_entry(*loaded.model, listeners[1].value);
  EXPECT_EQ(http.front().role, "hop-by-hop");
  EXPECT_EQ(http.back().role, "service fixed");
}

// ---- Connections.
TEST_F(AmbassadorGatewayTest, BytesBothWaysWhoeverSpeaksFirst) {
  sim.serve("10.0.1.1:5432", [](Peer& peer) -> Task<> {
    co_await peer.send("220 ready\r\n");
    EXPECT_TRUE(co_await peer.expect(std::string_view("\0\xff GET / nonsense", 16)));
    co_await peer.send("bye");
  });
  run(db(), [this](SimGateway&) -> Task<> {
    Peer app = co_await application();
    EXPECT_TRUE(co_await app.expect("220 ready\r\n"));
    co_await app.send(std::string_view("\0\xff GET / nonsense", 16));
    EXPECT_EQ(co_await app.read_all(), "bye");
  });
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(reason, "");
  EXPECT_EQ(endpoint, "10.0.1.1:5432");
  EXPECT_EQ(bytes_out, 14u);
}

TEST_F(AmbassadorGatewayTest, AnEndOfOneDirectionIsPassedOnAlone) {
  sim.serve("10.0.1.1:5432", [](Peer& peer) -> Task<> {
    EXPECT_EQ(co_await peer.read_all(), "dump");
    (void)co_await sleep_for(30min);
    co_await peer.send("all of it");
  });
  run(db(), [this](SimGateway&) -> Task<> {
    Peer app = co_await application();
    co_await app.send("dump");
    app.shutdown_write();
    EXPECT_EQ(co_await app.read_all(), "all of it");
  });
  EXPECT_EQ(bytes_in, 4u);
  EXPECT_EQ(bytes_out, 9u);
  EXPECT_EQ(reason, "");
}

TEST_F(AmbassadorGatewayTest, AResetOfEitherReachesTheOther) {
  bool reset_seen = false;
  sim.serve("10.0.1.1:5432", [&](Peer& peer) -> Task<> {
    const std::string said = co_await peer.read_until("!");
    if (said == "you!") peer.reset();
    if (said == "me!") reset_seen = co_await peer.expect_reset();
  });
  run(db(), [this](SimGateway&) -> Task<> {
    Peer first = co_await application();
    co_await first.send("you!");
    EXPECT_TRUE(co_await first.expect_reset());
    Peer second = co_await application();
    co_await second.send("me!");
    (void)co_await sleep_for(1s);
    second.reset();
    (void)co_await sleep_for(1s);
  });
  EXPECT_TRUE(reset_seen);
  EXPECT_EQ(finished, 2);
}

TEST_F(AmbassadorGatewayTest, OfAReplicaThatRefusesTheNextOneIsTried) {
  sim.serve("10.0.1.2:5432", [](Peer& peer) -> Task<> { co_await peer.send("second"); });
  const std::string text = ambassador_config(
      "  db: { listen: 127.0.0.1:5432, tcp: replicas }\n",
      "  replicas: { endpoints: [tcp://10.0.1.1:5432, tcp://10.0.1.2:5432], balance: "
      "round_robin }\n");
  int tries[2] = {};
  run(text, [&](SimGateway&) -> Task<> {
    for (int& tried : tries) {
      Peer app = co_await application();
      EXPECT_EQ(co_await app.read_all(), "second");
      (void)co_await sleep_for(1ms);
      tried = static_cast<int>(attempts);
    }
  });
  EXPECT_EQ(std::max(tries[0], tries[1]), 2);
  EXPECT_EQ(endpoint, "10.0.1.2:5432");
}

TEST_F(AmbassadorGatewayTest, NobodyThereIsAReset) {
  run(db(), [this](SimGateway&) -> Task<> {
    Peer app = co_await application();
    EXPECT_TRUE(co_await app.expect_reset());
  });
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(attempts, 1u);
  EXPECT_NE(reason, "");
}

// Nobody answers the handshake: a packet filter that drops, a machine that is gone.
TEST_F(AmbassadorGatewayTest, AnEndpointThatDoesNotAnswerHasItsTime) {
  sim.world().link("10.0.1.1:5432").connect_latency = 10s;
  sim.serve("10.0.1.1:5432", [](Peer&) -> Task<> { co_return; });
  run(db(), [this](SimGateway&) -> Task<> {
    Peer app = co_await application();
    const Duration began = sim.elapsed();
    EXPECT_TRUE(co_await app.expect_reset());
    EXPECT_EQ(sim.elapsed() - began, 200ms);
  });
}

TEST_F(AmbassadorGatewayTest, SilenceForSoLongEndsItVisibly) {
  bool told_there = false;
  sim.serve("10.0.1.1:5432", [&](Peer& peer) -> Task<> {
    EXPECT_TRUE(co_await peer.expect("a"));
    told_there = co_await peer.expect_reset();
  });
  run(db(", idle: 90s"), [this](SimGateway&) -> Task<> {
    Peer app = co_await application();
    (void)co_await sleep_for(60s);
    co_await app.send("a");
    EXPECT_TRUE(co_await app.expect_reset());
  });
  EXPECT_EQ(ended, 150s);
  EXPECT_TRUE(told_there);
}

TEST_F(AmbassadorGatewayTest, AConnectionTooManyIsClosedAtOnce) {
  sim.serve("10.0.1.1:5432", [](Peer& peer) -> Task<> {
    (void)co_await peer.read_all();
    co_await peer.send("end");
  });
  run(db(", connections: 1"), [this](SimGateway& gateway) -> Task<> {
    Peer first = co_await application();
    (void)co_await sleep_for(1ms);
    {
      Peer second = co_await application();
      EXPECT_TRUE(co_await second.expect_end());
    }
    first.shutdown_write();
    EXPECT_EQ(co_await first.read_all(), "end");
    (void)co_await sleep_for(1ms);
    Peer third = co_await application();
    third.shutdown_write();
    EXPECT_EQ(co_await third.read_all(), "end");
    EXPECT_EQ(gateway.server().counts().refused, 1u);
  });
}

TEST_F(AmbassadorGatewayTest, AReloadKeepsWhatIsOpenAndLeadsWhatComes) {
  for (const char* address : {"10.0.1.1:5432", "10.0.1.2:5432"})
    sim.serve(address, [address](Peer& peer) -> Task<> {
      while (!(co_await peer.read_until("?")).empty()) co_await peer.send(address);
    });
  run(db(), [this](SimGateway& gateway) -> Task<> {
    Peer before = co_await application();
    co_await before.send("who?");
    EXPECT_TRUE(co_await before.expect("10.0.1.1:5432"));
    co_await gateway.use(
        model(ambassador_config("  db: { listen: 127.0.0.1:5432, tcp: 10.0.1.2:5432 }\n")));
    Peer after = co_await application();
    co_await after.send("who?");
    EXPECT_TRUE(co_await after.expect("10.0.1.2:5432"));
    (void)co_await sleep_for(10min);
    co_await before.send("who?");
    EXPECT_TRUE(co_await before.expect("10.0.1.1:5432"));
  });
}

TEST_F(AmbassadorGatewayTest, ADrainWaitsForThemAndAStopResetsThem) {
  sim.serve("10.0.1.1:5432", [](Peer& peer) -> Task<> {
    while (!(co_await peer.read_until("ping")).empty()) co_await peer.send("pong");
  });
  run(db(), [this](SimGateway& gateway) -> Task<> {
    Peer app = co_await application();
    co_await app.send("ping");
    EXPECT_TRUE(co_await app.expect("pong"));
    gateway.server().drain();
    (void)co_await sleep_for(5s);
    co_await app.send("ping");
    EXPECT_TRUE(co_await app.expect("pong"));
    gateway.server().abort();
    EXPECT_TRUE(co_await app.expect_reset());
  });
}

TEST_F(AmbassadorGatewayTest, ASlowReaderHoldsOneBufferADirection) {
  size_t sent = 0;
  sim.serve("10.0.1.1:5432", [&](Peer& peer) -> Task<> {
    const std::string block(100'000, 'x');
    for (; sent < 20; ++sent) co_await peer.send(block);
  });
  run(db(), [&](SimGateway&) -> Task<> {
    Peer app = co_await application();
    (void)co_await sleep_for(10s);
    EXPECT_LT(sent, 20u);
    EXPECT_LE(Buffer::held_bytes(), 2 * 16'384u);
    EXPECT_EQ(co_await app.read_slowly(50'000, 10ms), 2'000'000u);
  });
}

TEST_F(AmbassadorGatewayTest, ConnectionsCountAsWorkForTheBalance) {
  for (const char* address : {"10.0.1.1:5432", "10.0.1.2:5432"})
    sim.serve(address, [address](Peer& peer) -> Task<> {
      co_await peer.send(address);
      (void)co_await peer.read_all();
    });
  const std::string text = ambassador_config("  db: { listen: 127.0.0.1:5432, tcp: replicas }\n",
                                             "  replicas: { endpoints: [tcp://10.0.1.1:5432, "
                                             "tcp://10.0.1.2:5432], balance: least_request }\n");
  run(text, [this](SimGateway&) -> Task<> {
    std::vector<Peer> open;
    std::map<std::string, int> led;
    for (int i = 0; i < 6; ++i) {
      open.push_back(co_await application());
      ++led[co_await open.back().read_until(":5432")];
    }
    EXPECT_EQ(led["10.0.1.1:5432"], 3);
    EXPECT_EQ(led["10.0.1.2:5432"], 3);
  });
}

// ---- Transparent. The application is on another host than the gateway, as that is how the
// simulator tells them apart; in the kernel it is another user.
class TransparentGatewayTest : public AmbassadorGatewayTest {
 protected:
  TransparentGatewayTest() {
    for (const char* there : {"10.7.0.1:80", "10.7.0.2:5432"}) {
      sim.world().redirect(there, "127.0.0.1:5432", "127.0.0.1");
      sim.serve(there, [there](Peer& peer) -> Task<> {
        while (!(co_await peer.read_until("?")).empty()) co_await peer.send(there);
      });
    }
  }
  static std::string transparent(std::string_view more = "") {
    return ambassador_config("  all: { listen: 127.0.0.1:5432, transparent: true" +
                             std::string(more) + " }\n");
  }
};

TEST_F(TransparentGatewayTest, EveryConnectionGoesWhereItWasGoing) {
  run(transparent(), [this](SimGateway&) -> Task<> {
    for (const char* there : {"10.7.0.1:80", "10.7.0.2:5432"}) {
      Peer app = co_await dial(sim.host("10.9.0.1"), there);
      co_await app.send("who?");
      EXPECT_TRUE(co_await app.expect(there));
      app.close();
      (void)co_await sleep_for(1ms);
      EXPECT_EQ(endpoint, there);
    }
  });
  EXPECT_EQ(finished, 2);
}

TEST_F(TransparentGatewayTest, WhoWasNotRedirectedIsReset) {
  run(transparent(), [this](SimGateway&) -> Task<> {
    Peer app = co_await application();
    EXPECT_TRUE(co_await app.expect_reset());
  });
  EXPECT_THAT(reason, HasSubstr("not redirected"));
  EXPECT_EQ(attempts, 0u);
}

TEST_F(TransparentGatewayTest, NobodyThereIsAReset) {
  sim.world().redirect("10.7.0.9:80", "127.0.0.1:5432", "127.0.0.1");
  sim.world().redirect("10.7.0.8:80", "127.0.0.1:5432", "127.0.0.1");
  sim.serve("10.7.0.8:80", [](Peer&) -> Task<> { co_return; });
  run(transparent(", connect: 200ms"), [this](SimGateway&) -> Task<> {
    Peer refused = co_await dial(sim.host("10.9.0.1"), "10.7.0.9:80");
    EXPECT_TRUE(co_await refused.expect_reset());
    sim.world().link("10.7.0.8:80").connect_latency = 150ms;
    Peer slow = co_await dial(sim.host("10.9.0.1"), "10.7.0.8:80");
    EXPECT_TRUE(co_await slow.expect_end());
  });
}

TEST(AmbassadorTest, TransparentHasItsOwnWords) {
  const auto faults = [](std::string_view words) {
    return ambassador_faults("  all: { listen: 127.0.0.1:5432, " + std::string(words) + " }\n");
  };
  EXPECT_EQ(faults("transparent: true, connect: 1s, idle: 1m"), "");
  EXPECT_THAT(faults("transparent: false"), HasSubstr("it has 0"));
  EXPECT_THAT(faults("transparent: true, tcp: db"), HasSubstr("it has 2"));
  EXPECT_THAT(faults("tcp: db, connect: 1s"), HasSubstr("a service has timeout.connect"));
  EXPECT_THAT(ambassador_faults("  all: { listen: 'unix:/a', transparent: true }\n"),
              HasSubstr("nobody is redirected to a Unix socket"));
}

// ---- HTTP.
TEST_F(AmbassadorGatewayTest, EveryRequestGoesToTheOneService) {
  sim.serve("10.0.1.1:5432", [](Peer& peer) -> Task<> {
    const std::string head = co_await peer.read_head();
    EXPECT_THAT(head, testing::StartsWith("GET /any/path?q=1 HTTP/1.1\r\n"));
    EXPECT_THAT(head, HasSubstr("host: pay.example\r\n"));
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  run(ambassador_config("  pay: { listen: 127.0.0.1:5432, to: pay }\n",
                        "  pay: { endpoints: [http://10.0.1.1:5432], retry: {} }\n"),
      [this](SimGateway&) -> Task<> {
        Peer app = co_await application();
        co_await app.send("GET /any/path?q=1 HTTP/1.1\r\nHost: pay.example\r\n\r\n");
        EXPECT_THAT(co_await app.read_head(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_TRUE(co_await app.expect("ok"));
      });
  EXPECT_EQ(endpoint, "10.0.1.1:5432");
}

}  // namespace
}  // namespace banyan
