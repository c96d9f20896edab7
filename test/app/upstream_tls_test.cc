// TLS to services, as a user writes it: what check tells, and calls through the gateway to
// endpoints that speak it.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "io/certificates.h"
#include "io/tls_stream.h"
#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

class UpstreamTlsTest : public testing::Test {
 protected:
  UpstreamTlsTest() {
    std::string made = testing::TempDir() + "tls_XXXXXX";
    folder = ::mkdtemp(made.data());
    write("ca.pem", authority.cert());
    write("me.pem", me.cert);
    write("me.key", me.key);
  }
  ~UpstreamTlsTest() override { fs::remove_all(folder); }

  void write(const char* file, const std::string& text) { std::ofstream(folder / file) << text; }
  std::string path(const char* file) const { return (folder / file).string(); }
  std::string ca() const { return "ca: " + path("ca.pem"); }
  std::string identity() const {
    return "client_cert: " + path("me.pem") + ", client_key: " + path("me.key");
  }
  static std::string config(std::string_view service) {
    return "listeners: { web: '127.0.0.1:80' }\nroutes: [ { to: shop } ]\nservices:\n  shop: { " +
           std::string(service) + " }\n";
  }
  static std::string told(std::string_view service) {
    return load_text(config(service)).problems.text();
  }

  // An endpoint that speaks TLS and tells which name it was asked by.
  void serve(std::string_view at, const Identity& identity, std::string client_ca = {}) {
    auto context = TlsContext::server({.identities = {{identity.cert, identity.key}},
                                       .client_ca = std::move(client_ca),
                                       .protocols = {"http/1.1"}})
                       .value();
    sim.serve(at, [this, context](Peer& raw) -> Task<> {
      auto accepted = co_await tls_accept(raw.give_up(), context, never);
      if (!accepted) co_return;
      ++connections;
      resumed += static_cast<TlsStream&>(**accepted).resumed();
      Peer peer(std::move(*accepted));
      for (;;) {
        const std::string head = co_await peer.read_head();
        if (head.empty()) co_return;
        const bool close = head.find("GET /close") == 0;
        co_await peer.send(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n") +
                           (close ? "Connection: close\r\n" : "") + "\r\nok");
        if (close) co_return;
      }
    });
  }
  template <class Client>
  void run(const std::string& service, Client client) {
    Loaded loaded = load_text(config(service));
    ASSERT_EQ(loaded.problems.text(), "");
    sim.run([&]() -> Task<> {
      SimGateway gateway(co_await current_context(), sim.engine(), names,
                         [](const Request*, const Record&) {});
      co_await gateway.use(loaded.model);
      co_await client(gateway);
      co_await gateway.stop();
    });
  }
  Task<std::string> get(std::string target = "/") {
    Peer client = co_await dial(sim.engine(), "127.0.0.1:80");
    co_await client.send("GET " + target +
                         " HTTP/1.1\r\nHost: front.example\r\nConnection: close\r\n\r\n");
    co_return co_await client.read_all();
  }

  CertificateAuthority authority;
  const Identity shop = authority.issue("DNS:shop.example,IP:10.0.0.2");
  const Identity me = authority.issue("DNS:me.example");
  fs::path folder;
  Sim sim;
  SimResolver names;
  int connections = 0, resumed = 0;
};

TEST_F(UpstreamTlsTest, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_EQ(told("endpoints: [https://shop.example]"), "");
  EXPECT_EQ(told("endpoints: ['dns:shop.example:443'], tls: {}"), "");
  EXPECT_EQ(told("endpoints: ['unix:/s'], tls: { server_name: a }"), "");
  EXPECT_EQ(told("endpoints: [https://a], tls: { " + ca() + ", " + identity() + " }"), "");
  EXPECT_THAT(told("endpoints: [https://a, http://b]"),
              HasSubstr("config:4:34: services.shop.endpoints: http://b is without TLS"));
  EXPECT_THAT(told("endpoints: [http://a], tls: {}"), HasSubstr("write https://"));
  EXPECT_THAT(told("endpoints: ['unix:/s'], tls: {}"), HasSubstr("tls: { server_name: ... }"));
  EXPECT_THAT(told("endpoints: [https://a], tls: { ca: /nowhere.pem }"),
              HasSubstr("services.shop.tls.ca: cannot read /nowhere.pem"));
  EXPECT_THAT(told("endpoints: [https://a], tls: { ca: " + path("me.key") + " }"),
              HasSubstr("services.shop.tls: the file of trusted certificates holds none"));
  EXPECT_THAT(told("endpoints: [https://a], tls: { client_cert: " + path("me.pem") + " }"),
              HasSubstr("client_cert and client_key go together"));
  EXPECT_THAT(told("endpoints: [https://a], tls: { client_cert: " + path("ca.pem") +
                   ", client_key: " + path("me.key") + " }"),
              HasSubstr("services.shop.tls: the key is not that of the certificate"));
  EXPECT_THAT(told("respond: {}, tls: {}"), HasSubstr("goes with endpoints"));
  EXPECT_THAT(told("endpoints: [https://a], tls: { verify: false }"),
              HasSubstr("warning: services.shop.tls.verify: whoever answers"));
}

TEST_F(UpstreamTlsTest, CallsAndTheirConnectionsUsedAgain) {
  names.set("shop.example", {"10.0.0.2"}, 60s);
  serve("10.0.0.2:443", shop);
  run("endpoints: [https://shop.example], tls: { " + ca() + " }", [this](SimGateway&) -> Task<> {
    for (int i = 0; i < 3; ++i) EXPECT_THAT(co_await get(), testing::EndsWith("\r\n\r\nok"));
    EXPECT_EQ(connections, 1);
    for (int i = 0; i < 3; ++i) EXPECT_THAT(co_await get("/close"), testing::EndsWith("ok"));
    EXPECT_THAT(co_await get(), testing::EndsWith("ok"));
  });
  EXPECT_EQ(connections, 4);
  EXPECT_EQ(resumed, 3) << "each new one takes up a session";
}

TEST_F(UpstreamTlsTest, AddressesHaveNamesToo) {
  serve("10.0.0.2:443", shop);
  serve("10.0.0.3:443", shop);
  run("endpoints: [https://10.0.0.2], tls: { " + ca() + " }",
      [this](SimGateway&) -> Task<> { EXPECT_THAT(co_await get(), HasSubstr(" 200 OK")); });
}

TEST_F(UpstreamTlsTest, WhoIsNotTheServiceGetsNothing) {
  serve("10.0.0.3:443", shop);
  run("endpoints: [https://10.0.0.3], tls: { " + ca() + " }", [this](SimGateway&) -> Task<> {
    const std::string answer = co_await get();
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 502 "));
    EXPECT_THAT(answer, HasSubstr("the peer's certificate is for another name"));
    EXPECT_THAT(answer, HasSubstr("\"side\":\"upstream\""));
  });
  EXPECT_EQ(connections, 0);
}

TEST_F(UpstreamTlsTest, ANameOfItsOwnAndOurCertificate) {
  serve("10.0.0.3:8443", shop, authority.cert());
  run("endpoints: [https://10.0.0.3:8443], tls: { server_name: shop.example, " + ca() + ", " +
          identity() + " }",
      [this](SimGateway&) -> Task<> { EXPECT_THAT(co_await get(), HasSubstr(" 200 OK")); });
  EXPECT_EQ(connections, 1);
}

TEST_F(UpstreamTlsTest, WithoutOurCertificateItIsTold) {
  serve("10.0.0.2:443", shop, authority.cert());
  run("endpoints: [https://10.0.0.2], tls: { " + ca() + " }", [this](SimGateway&) -> Task<> {
    const std::string answer = co_await get();
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 502 "));
    EXPECT_THAT(answer, HasSubstr("wants a client certificate"));
  });
}

TEST_F(UpstreamTlsTest, AnotherEndpointIsTriedWhenOneIsNotTrusted) {
  serve("10.0.0.2:443", shop);
  serve("10.0.0.3:443", shop);
  run("endpoints: [https://10.0.0.3, https://10.0.0.2], balance: round_robin, tls: { " + ca() +
          " }",
      [this](SimGateway&) -> Task<> {
        for (int i = 0; i < 4; ++i) EXPECT_THAT(co_await get(), HasSubstr(" 200 OK"));
      });
}

TEST_F(UpstreamTlsTest, AHandshakeCountsAsConnecting) {
  sim.serve("10.0.0.2:443", [](Peer&) -> Task<> { (void)co_await sleep_for(60s); });
  run("endpoints: [https://10.0.0.2], timeout: { connect: 200ms }, tls: { " + ca() + " }",
      [this](SimGateway&) -> Task<> {
        const Duration began = sim.elapsed();
        EXPECT_THAT(co_await get(), testing::StartsWith("HTTP/1.1 504 "));
        EXPECT_EQ(sim.elapsed() - began, 200ms);
      });
}

TEST_F(UpstreamTlsTest, HealthChecksSpeakIt) {
  serve("10.0.0.2:443", shop);
  run("endpoints: [https://10.0.0.2], health: { path: /close, interval: 1s, unhealthy_after: 1 }, "
      "tls: { " +
          ca() + " }",
      [this](SimGateway& gateway) -> Task<> {
        (void)co_await sleep_for(5s);
        EXPECT_GE(connections, 3);
        EXPECT_TRUE(gateway.cluster("shop")->endpoints()[0]->health().healthy());
      });
}

// An application speaks plain bytes to its local address; the database gets them through TLS.
TEST_F(UpstreamTlsTest, RawTcpGetsTlsAsWell) {
  auto context = TlsContext::server({.identities = {{shop.cert, shop.key}}}).value();
  sim.serve("10.0.0.2:6380", [context](Peer& raw) -> Task<> {
    auto accepted = co_await tls_accept(raw.give_up(), context, never);
    Peer peer(std::move(*accepted));
    EXPECT_TRUE(co_await peer.expect("PING\r\n"));
    co_await peer.send("+PONG\r\n");
    EXPECT_TRUE(co_await peer.expect_end());
    co_await peer.send("bye");
  });
  Loaded loaded = load_text(
      "ambassador: { redis: { listen: '127.0.0.1:6379', tcp: redis } }\nservices:\n  redis: { "
      "endpoints: ['tcp://10.0.0.2:6380'], tls: { " +
      ca() + " } }\n");
  ASSERT_EQ(loaded.problems.text(), "");
  sim.run([&]() -> Task<> {
    SimGateway gateway(co_await current_context(), sim.engine(), names,
                       [](const Request*, const Record&) {});
    co_await gateway.use(loaded.model);
    Peer app = co_await dial(sim.engine(), "127.0.0.1:6379");
    co_await app.send("PING\r\n");
    EXPECT_TRUE(co_await app.expect("+PONG\r\n"));
    app.shutdown_write();
    EXPECT_EQ(co_await app.read_all(), "bye");
    co_await gateway.stop();
  });
}

TEST_F(UpstreamTlsTest, AReloadWithTheSameFilesKeepsConnections) {
  serve("10.0.0.2:443", shop);
  const std::string service = "endpoints: [https://10.0.0.2], tls: { " + ca() + " }";
  run(service, [&](SimGateway& gateway) -> Task<> {
    (void)co_await get();
    co_await gateway.use(load_text(config(service)).model);
    (void)co_await get();
    EXPECT_EQ(connections, 1);
    write("ca.pem", authority.cert() + CertificateAuthority("another").cert());
    co_await gateway.use(load_text(config(service)).model);
    (void)co_await get();
    EXPECT_EQ(connections, 2) << "another trust, other connections";
  });
}

}  // namespace
}  // namespace banyan
