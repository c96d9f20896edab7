// TLS of listeners, as a user writes it: what check tells, and clients that speak it.
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

class ListenerTlsTest : public testing::Test {
 protected:
  ListenerTlsTest() {
    std::string made = testing::TempDir() + "tls_XXXXXX";
    folder = ::mkdtemp(made.data());
    write("ca.pem", authority.cert());
    store("shop", shop);
    store("blog", blog);
    client_tls = TlsContext::client({.ca = authority.cert()}).value();
    sim.serve("10.0.0.2:80", [this](Peer& peer) -> Task<> {
      while (!(seen = co_await peer.read_head()).empty())
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) +
                           "\r\n\r\n" + text);
    });
  }
  ~ListenerTlsTest() override { fs::remove_all(folder); }

  void write(const std::string& file, const std::string& bytes) {
    std::ofstream(folder / file) << bytes;
  }
  void store(const std::string& name, const Identity& identity) {
    write(name + ".pem", identity.cert);
    write(name + ".key", identity.key);
  }
  std::string pair(const std::string& cert, const std::string& key = "") const {
    return "{ cert: " + (folder / (cert + ".pem")).string() +
           ", key: " + (folder / ((key.empty() ? cert : key) + ".key")).string() + " }";
  }
  std::string both() const { return "certificates: [" + pair("shop") + ", " + pair("blog") + "]"; }
  static std::string config(std::string_view tls) {
    return "listeners: { web: { address: '127.0.0.1:443', tls: { " + std::string(tls) +
           " }, offload: { limits: { head_timeout: 2s } } } }\nservices: { s: { endpoints: "
           "[http://10.0.0.2:80] } }\nroutes: [ { to: s } ]\n";
  }
  static std::string told(std::string_view tls) { return load_text(config(tls)).problems.text(); }
  static ModelPtr model(std::string_view tls) {
    Loaded loaded = load_text(config(tls));
    EXPECT_EQ(loaded.problems.text(), "");
    return loaded.model;
  }
  template <class Client>
  void run(std::string_view tls, Client client) {
    sim.run([&]() -> Task<> {
      SimGateway gateway(co_await current_context(), sim.engine(), names,
                         [this](const Request*, const Record& record) {
                           ++finished;
                           reason = record.error ? record.error->what : "";
                         });
      co_await gateway.use(model(tls));
      co_await client(gateway);
      (void)co_await sleep_for(10ms);
      EXPECT_EQ(gateway.server().counts().active, 0u);
      co_await gateway.stop();
    });
  }
  Task<Result<StreamPtr>> connect(std::string name = "shop.example") {
    auto below = TRY(co_await sim.engine().connect(*parse_address("127.0.0.1:443")));
    co_return co_await tls_connect(std::move(below), client_tls, name, sessions, never);
  }
  Task<std::string> get(std::string name = "shop.example", std::string version = "1.1") {
    auto stream = co_await connect(name);
    if (!stream) co_return stream.error().what;
    Peer peer(std::move(*stream));
    co_await peer.send("GET / HTTP/" + version + "\r\nHost: " + name +
                       "\r\nConnection: close\r\n\r\n");
    co_return co_await peer.read_all();
  }

  CertificateAuthority authority;
  const Identity shop = authority.issue("DNS:shop.example");
  const Identity blog = authority.issue("DNS:blog.example,DNS:*.blog.example");
  fs::path folder;
  Sim sim;
  SimResolver names;
  std::shared_ptr<const TlsContext> client_tls;
  std::shared_ptr<TlsSessions> sessions;
  std::string text = "ok", seen, reason;
  int finished = 0;
};

TEST_F(ListenerTlsTest, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_EQ(told(both()), "");
  EXPECT_EQ(told("certificates: " + pair("shop")), "") << "one alone";
  EXPECT_THAT(told("certificates: []"), HasSubstr("certificates is empty"));
  EXPECT_THAT(told("certificates: " + pair("none")), HasSubstr("cannot read"));
  EXPECT_THAT(told("certificates: [" + pair("shop") + ", " + pair("blog", "shop") + "]"),
              HasSubstr("config:1:52: listeners.web.tls: certificates[1]: the key is not that of "
                        "the certificate"));
  EXPECT_THAT(told(both() + ", client_ca: " + (folder / "shop.key").string()),
              HasSubstr("certificates[0]: the file of trusted certificates holds none"));
}

TEST_F(ListenerTlsTest, RequestsComeThroughAndTheServiceLearnsOfIt) {
  text = std::string(200'000, 'x');
  run(both(), [this](SimGateway&) -> Task<> {
    EXPECT_THAT(co_await get(), testing::EndsWith("\r\n\r\n" + text));
    EXPECT_THAT(seen, HasSubstr("x-forwarded-proto: https\r\n"));
    EXPECT_THAT(co_await get("shop.example", "1.0"), testing::EndsWith("\r\n\r\n" + text));
  });
  EXPECT_EQ(finished, 2);
}

TEST_F(ListenerTlsTest, AConnectionCarriesManyRequests) {
  run(both(), [this](SimGateway&) -> Task<> {
    Peer peer((co_await connect()).value());
    for (int i = 0; i < 5; ++i) {
      co_await peer.send("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
      EXPECT_THAT(co_await peer.read_head(), testing::StartsWith("HTTP/1.1 200"));
      EXPECT_TRUE(co_await peer.expect("ok"));
      (void)co_await sleep_for(1s);
    }
  });
}

TEST_F(ListenerTlsTest, TheNameChoosesTheCertificate) {
  run(both(), [this](SimGateway&) -> Task<> {
    for (const char* name : {"shop.example", "blog.example", "BLOG.example", "eu.blog.example"})
      EXPECT_THAT(co_await get(name), testing::StartsWith("HTTP/1.1 200")) << name;
    EXPECT_EQ(co_await get("other.example"), "the peer's certificate is for another name");
    EXPECT_EQ(co_await get("a.eu.blog.example"), "the peer's certificate is for another name");
  });
}

TEST_F(ListenerTlsTest, ClientsMustProveWhoTheyAre) {
  run(both() + ", client_ca: " + (folder / "ca.pem").string(), [this](SimGateway&) -> Task<> {
    auto stream = co_await connect();
    char into[16];
    if (stream) EXPECT_FALSE(co_await (*stream)->read(into));
    (void)co_await sleep_for(1ms);
    EXPECT_THAT(reason, HasSubstr("a client certificate is wanted"));
    const Identity me = authority.issue("DNS:me.example");
    client_tls =
        TlsContext::client({.ca = authority.cert(), .cert = me.cert, .key = me.key}).value();
    for (const char* name : {"shop.example", "blog.example"})
      EXPECT_THAT(co_await get(name), testing::StartsWith("HTTP/1.1 200")) << name;
    CertificateAuthority stranger;
    const Identity other = stranger.issue("DNS:me.example");
    client_tls =
        TlsContext::client({.ca = authority.cert(), .cert = other.cert, .key = other.key}).value();
    const int before = finished;
    auto refused = co_await connect("blog.example");
    if (refused) EXPECT_FALSE(co_await (*refused)->read(into));
    (void)co_await sleep_for(1ms);
    EXPECT_EQ(finished, before + 1) << reason;
  });
}

TEST_F(ListenerTlsTest, WhoDoesNotSpeakItIsToldToTheLog) {
  run(both(), [this](SimGateway&) -> Task<> {
    Peer plain = co_await dial(sim.engine(), "127.0.0.1:443");
    co_await plain.send("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    char into[64];
    while (co_await plain.stream().read(into)) {
      if (reason != "") break;
    }
    EXPECT_THAT(reason, HasSubstr("does not speak TLS"));
  });
  EXPECT_EQ(finished, 1);
}

TEST_F(ListenerTlsTest, AHandshakeHasItsTime) {
  run(both(), [this](SimGateway&) -> Task<> {
    Peer silent = co_await dial(sim.engine(), "127.0.0.1:443");
    EXPECT_TRUE(co_await silent.expect_end());
    EXPECT_EQ(sim.elapsed(), 2s) << "head_timeout";
  });
}

TEST_F(ListenerTlsTest, AReloadTakesNewCertificatesAndKeepsConnections) {
  run(both(), [this](SimGateway& gateway) -> Task<> {
    Peer before((co_await connect()).value());
    CertificateAuthority fresh;
    store("shop", fresh.issue("DNS:shop.example"));
    co_await gateway.use(model(both()));
    co_await before.send("GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(co_await before.read_all(), testing::StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(co_await get(), "the peer's certificate cannot be trusted");
    client_tls = TlsContext::client({.ca = fresh.cert()}).value();
    EXPECT_THAT(co_await get(), testing::StartsWith("HTTP/1.1 200"));
  });
}

TEST_F(ListenerTlsTest, SessionsAreTakenUpAgain) {
  sessions = std::make_shared<TlsSessions>();
  run(both(), [this](SimGateway&) -> Task<> {
    EXPECT_THAT(co_await get(), testing::StartsWith("HTTP/1.1 200"));
    auto stream = co_await connect();
    EXPECT_TRUE(static_cast<TlsStream&>(**stream).resumed());
  });
}

}  // namespace
}  // namespace banyan
