#include "io/tls_stream.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include "io/certificates.h"
#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr std::string_view at = "10.0.0.2:443";

std::string pattern(size_t n) {
  std::string out(n, ' ');
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<char>(i * 31 + i / 251);
  return out;
}

const CertificateAuthority& authority() {
  static const CertificateAuthority one;
  return one;
}
const Identity& shop() {
  static const Identity one = authority().issue("DNS:shop.example,IP:10.0.0.2");
  return one;
}

std::shared_ptr<const TlsContext> client_context(TlsContext::Client options = {}) {
  if (options.ca.empty()) options.ca = authority().cert();
  return TlsContext::client(options).value();
}
std::shared_ptr<const TlsContext> server_context(TlsContext::Server options = {}) {
  if (options.identities.empty()) options.identities = {{shop().cert, shop().key}};
  return TlsContext::server(options).value();
}

// A client (127.0.0.1) and a server (10.0.0.2), each with TLS.
class TlsStreamTest : public testing::Test {
 protected:
  // Both scripts speak through TLS; the server's runs once for each client.
  template <class Client, class Server>
  void run(Client client, Server server) {
    serve(server);
    sim.run([&]() -> Task<> {
      auto stream = co_await connect();
      if (!stream) {
        why = stream.error();
        co_return;
      }
      Peer peer(std::move(*stream));
      co_await client(peer);
      peer.close();
      (void)co_await sleep_for(1s);
    });
  }
  template <class Server>
  void serve(Server server) {
    sim.serve(at, [this, server](Peer& raw) -> Task<> {
      auto accepted = co_await tls_accept(raw.give_up(), server_tls, never);
      if (!accepted) {
        refused = accepted.error();
        co_return;
      }
      Peer peer(std::move(*accepted));
      co_await server(peer);
    });
  }
  Task<Result<StreamPtr>> connect() {
    auto below = TRY(co_await sim.engine().connect(*parse_address(at)));
    co_return co_await tls_connect(std::move(below), client_tls, name, sessions, never);
  }
  // What becomes of a handshake.
  std::string fault() {
    why.reset();
    refused.reset();
    run([](Peer& peer) -> Task<> { co_await peer.read_all(); },
        [](Peer& peer) -> Task<> { co_await peer.send("x"); });
    return why ? why->what : "";
  }

  Sim sim;
  std::string name = "shop.example";
  std::shared_ptr<TlsSessions> sessions;
  std::shared_ptr<const TlsContext> client_tls = client_context(), server_tls = server_context();
  std::optional<Error> why, refused;  // why the client, and the server, got no stream
};

// ---- Bytes.
class TlsSizes : public TlsStreamTest, public testing::WithParamInterface<size_t> {};

TEST_P(TlsSizes, BothWaysWhateverTheCuts) {
  const std::string there = pattern(GetParam()), back = pattern(GetParam() / 2 + 1);
  sim.world().link().random_cuts = true;
  run(
      [&](Peer& client) -> Task<> {
        EXPECT_TRUE(co_await client.send(there));
        client.shutdown_write();
        EXPECT_TRUE(co_await client.read_all() == back);
      },
      [&](Peer& server) -> Task<> {
        EXPECT_TRUE(co_await server.read_all() == there);
        // The other direction is open still. Its end goes with the last bytes.
        const Bytes pieces[] = {back};
        EXPECT_TRUE(co_await server.stream().write(pieces, never, true));
      });
  EXPECT_FALSE(why) << why->what;
  EXPECT_EQ(Buffer::held_bytes(), 0u);
}
INSTANTIATE_TEST_SUITE_P(Bytes, TlsSizes,
                         testing::Values(0, 1, 2, 1000, 16383, 16384, 16385, 65536, 300'000,
                                         1'000'003));

TEST_F(TlsStreamTest, PiecesAreOneRecordAndOneWrite) {
  run(
      [&](Peer& client) -> Task<> {
        const std::string large = pattern(20'000);
        const Bytes pieces[] = {"head\r\n", "", "small", large, "end"};
        EXPECT_TRUE(co_await client.stream().write(pieces));
        client.shutdown_write();
        EXPECT_EQ(co_await client.read_all(), "");
      },
      [&](Peer& server) -> Task<> {
        char into[64 * 1024];
        const auto first = co_await server.stream().read(into);
        EXPECT_EQ(*first, 16'384u);
        EXPECT_EQ(co_await server.read_all(),
                  ("head\r\nsmall" + pattern(20'000) + "end").substr(16'384));
      });
}

TEST_F(TlsStreamTest, ASlowReaderHoldsTheWriterBack) {
  const std::string much = pattern(3'000'000);
  bool sent = false;
  run(
      [&](Peer& client) -> Task<> {
        (void)co_await sleep_for(1s);
        EXPECT_FALSE(sent);
        EXPECT_LE(Buffer::held_bytes(), 256 * 1024u);
        EXPECT_EQ(co_await client.read_slowly(100'000, 1ms), much.size());
      },
      [&](Peer& server) -> Task<> {
        EXPECT_TRUE(co_await server.send(much));
        sent = true;
      });
}

TEST_F(TlsStreamTest, AnIdleStreamHoldsNoBlock) {
  run(
      [&](Peer& client) -> Task<> {
        EXPECT_TRUE(co_await client.expect("hello"));
        const auto late =
            co_await client.stream().readable((co_await current_context()).loop.now() + 5s);
        EXPECT_TRUE(late);
        EXPECT_TRUE(co_await client.expect("again"));
      },
      [&](Peer& server) -> Task<> {
        co_await server.send("hello");
        (void)co_await sleep_for(1s);
        EXPECT_EQ(Buffer::held_bytes(), 0u);
        co_await server.send("again");
      });
}

// ---- Ends.
TEST_F(TlsStreamTest, AnEndThatIsNotTlsOwnIsAReset) {
  sim.serve(at, [this](Peer& raw) -> Task<> {
    StreamPtr below = raw.give_up();
    Stream* const tcp = below.get();
    auto accepted = co_await tls_accept(std::move(below), server_tls, never);
    Peer peer(std::move(*accepted));
    co_await peer.send("half of the ans");
    tcp->shutdown_write();
    (void)co_await sleep_for(1s);
  });
  sim.run([&]() -> Task<> {
    Peer client((co_await connect()).value());
    EXPECT_TRUE(co_await client.expect("half of the ans"));
    char into[16];
    const auto end = co_await client.stream().read(into);
    EXPECT_FALSE(end);
    EXPECT_EQ(end.error().code, Code::reset);
    EXPECT_EQ(end.error().side, Side::upstream);
  });
}

TEST_F(TlsStreamTest, AResetIsAReset) {
  run([](Peer& client) -> Task<> { EXPECT_TRUE(co_await client.expect_reset()); },
      [](Peer& server) -> Task<> {
        (void)co_await sleep_for(1s);
        server.reset();
      });
}

TEST_F(TlsStreamTest, AChangedByteIsFound) {
  sim.serve(at, [this](Peer& raw) -> Task<> {
    StreamPtr below = raw.give_up();
    Stream* const tcp = below.get();
    auto accepted = co_await tls_accept(std::move(below), server_tls, never);
    const Bytes forged[] = {
        Bytes("\x17\x03\x03\x00\x20"
              "abcdefghijklmnopqrstuvwxyz012345",
              37)};
    (void)co_await tcp->write(forged);
    (void)co_await sleep_for(1s);
  });
  sim.run([&]() -> Task<> {
    auto stream = co_await connect();
    char into[16];
    const auto got = co_await (*stream)->read(into);
    EXPECT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::protocol);
  });
}

TEST_F(TlsStreamTest, ThePeersDepartureIsSeenWhileNothingIsRead) {
  Duration seen{};
  run(
      [&](Peer& client) -> Task<> {
        const auto wait = [&]() -> Task<Result<>> { co_return co_await sleep_for(10s); };
        const auto result = co_await until{client.stream().peer_gone(), wait()};
        EXPECT_FALSE(result);
        seen = sim.elapsed();
      },
      [](Peer&) -> Task<> { (void)co_await sleep_for(3s); });
  EXPECT_EQ(seen, 3s);
}

TEST_F(TlsStreamTest, QuietUntilSomethingComes) {
  run(
      [&](Peer& client) -> Task<> {
        EXPECT_TRUE(co_await client.expect("a"));
        EXPECT_TRUE(client.stream().quiet());
        co_await client.send("more");
        (void)co_await sleep_for(1s);
        EXPECT_FALSE(client.stream().quiet());
      },
      [](Peer& server) -> Task<> {
        co_await server.send("a");
        EXPECT_TRUE(co_await server.expect("more"));
        co_await server.send("b");
        (void)co_await sleep_for(5s);
      });
}

// ---- Called off.
TEST_F(TlsStreamTest, AReadThatWasCalledOffHasTakenNothing) {
  run(
      [&](Peer& client) -> Task<> {
        Loop& loop = (co_await current_context()).loop;
        char into[16];
        for (int i = 0; i < 3; ++i) {
          const auto none = co_await client.stream().read(into, loop.now() + 1s);
          EXPECT_FALSE(none);
          EXPECT_EQ(none.error().code, Code::timeout);
          const auto nothing = co_await client.stream().readable(loop.now() + 1s);
          EXPECT_FALSE(nothing);
        }
        EXPECT_EQ(co_await client.read_all(), "late");
      },
      [](Peer& server) -> Task<> {
        (void)co_await sleep_for(10s);
        co_await server.send("late");
      });
}

TEST_F(TlsStreamTest, AWriteThatWasBrokenOffIsTheLast) {
  run(
      [&](Peer& client) -> Task<> {
        Loop& loop = (co_await current_context()).loop;
        const std::string much = pattern(1'000'000);
        const Bytes piece[] = {much};
        const auto stuck = co_await client.stream().write(piece, loop.now() + 1s);
        EXPECT_FALSE(stuck);
        EXPECT_EQ(stuck.error().code, Code::timeout);
        EXPECT_FALSE(co_await client.send("x"));
      },
      [](Peer&) -> Task<> { (void)co_await sleep_for(5s); });
}

// The end of TLS cannot be written, as the peer takes nothing: the stream goes all the same.
TEST_F(TlsStreamTest, ACloseDoesNotWait) {
  run(
      [&](Peer& client) -> Task<> {
        Loop& loop = (co_await current_context()).loop;
        const std::string much = pattern(65'000);
        const Bytes piece[] = {much};
        while (co_await client.stream().write(piece, loop.now() + 1s)) {
        }
        client.shutdown_write();
        client.close();
      },
      [](Peer&) -> Task<> { (void)co_await sleep_for(10s); });
}

// ---- Who is trusted.
TEST_F(TlsStreamTest, TheNameOfTheCertificate) {
  EXPECT_EQ(fault(), "");
  name = "10.0.0.2";
  EXPECT_EQ(fault(), "");
  name = "other.example";
  EXPECT_EQ(fault(), "the peer's certificate is for another name");
  EXPECT_TRUE(why->retryable);
  EXPECT_EQ(why->status, 502);
  EXPECT_EQ(why->side, Side::upstream);
  name = "10.0.0.3";
  EXPECT_EQ(fault(), "the peer's certificate is for another name");
}

TEST_F(TlsStreamTest, WildcardsAreForOneLabel) {
  const Identity wild = authority().issue("DNS:*.shop.example");
  server_tls = server_context({.identities = {{wild.cert, wild.key}}});
  name = "eu.shop.example";
  EXPECT_EQ(fault(), "");
  for (const char* other : {"shop.example", "a.eu.shop.example"}) {
    name = other;
    EXPECT_EQ(fault(), "the peer's certificate is for another name") << other;
  }
}

TEST_F(TlsStreamTest, WhoSignedAndUntilWhen) {
  client_tls = client_context({.ca = CertificateAuthority("another").cert()});
  EXPECT_EQ(fault(), "the peer's certificate is of nobody who is trusted");
  client_tls = client_context();
  const Identity old = authority().issue("DNS:shop.example", -1000, -10);
  server_tls = server_context({.identities = {{old.cert, old.key}}});
  EXPECT_EQ(fault(), "the peer's certificate has expired");
  const Identity young = authority().issue("DNS:shop.example", 1000, 2000);
  server_tls = server_context({.identities = {{young.cert, young.key}}});
  EXPECT_EQ(fault(), "the peer's certificate is not valid yet");
  client_tls = client_context({.verify = false});
  EXPECT_EQ(fault(), "") << "who asks for it trusts anyone";
}

TEST_F(TlsStreamTest, TheSystemsAuthoritiesAreTheStandard) {
  client_tls = TlsContext::client({}).value();
  EXPECT_EQ(fault(), "the peer's certificate is of nobody who is trusted");
}

TEST_F(TlsStreamTest, MutualTls) {
  server_tls = server_context({.client_ca = authority().cert()});
  const Identity me = authority().issue("DNS:me.example");
  client_tls = client_context({.ca = authority().cert(), .cert = me.cert, .key = me.key});
  bool served = false;
  run([](Peer& client) -> Task<> { EXPECT_EQ(co_await client.read_all(), "welcome"); },
      [&](Peer& server) -> Task<> {
        served = true;
        co_await server.send("welcome");
      });
  EXPECT_TRUE(served);
}

// With TLS 1.3 the client is done before the server has looked at its certificate.
TEST_F(TlsStreamTest, AClientWithoutACertificateLearnsWhy) {
  server_tls = server_context({.client_ca = authority().cert()});
  std::string what;
  run(
      [&](Peer& client) -> Task<> {
        char into[16];
        // Whoever only waits is not told; whoever reads is, each time.
        for (int i = 0; i < 2; ++i) {
          EXPECT_TRUE(co_await client.stream().readable());
          const auto got = co_await client.stream().read(into);
          EXPECT_FALSE(got);
          if (!got) what = got.error().what;
        }
      },
      [](Peer&) -> Task<> { co_return; });
  EXPECT_EQ(what, "the peer wants a client certificate");
  EXPECT_THAT(refused->what, HasSubstr("a client certificate is wanted"));
}

TEST_F(TlsStreamTest, WhatIsNoTls) {
  sim.serve(at, [](Peer& peer) -> Task<> {
    co_await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    (void)co_await sleep_for(1s);
  });
  sim.run([&]() -> Task<> {
    const auto stream = co_await connect();
    EXPECT_FALSE(stream);
    EXPECT_STREQ(stream.error().what, "the TLS handshake failed: the peer does not speak TLS");
  });
}

TEST_F(TlsStreamTest, AHandshakeHasItsTime) {
  sim.serve(at, [](Peer&) -> Task<> { (void)co_await sleep_for(60s); });
  sim.run([&]() -> Task<> {
    Loop& loop = (co_await current_context()).loop;
    auto below = co_await sim.engine().connect(*parse_address(at));
    const auto stream =
        co_await tls_connect(std::move(*below), client_tls, name, nullptr, loop.now() + 2s);
    EXPECT_FALSE(stream);
    EXPECT_EQ(stream.error().code, Code::timeout);
    EXPECT_EQ(sim.elapsed(), 2s);
  });
}

TEST_F(TlsStreamTest, AnEndInTheMiddleOfTheHandshake) {
  sim.serve(at, [](Peer& peer) -> Task<> { (void)co_await peer.read_until("\x01"); });
  sim.run([&]() -> Task<> {
    const auto stream = co_await connect();
    EXPECT_FALSE(stream);
    EXPECT_EQ(stream.error().code, Code::unavailable);
    EXPECT_STREQ(stream.error().what, "the peer closed in the middle of the TLS handshake");
  });
}

// ---- Protocols, sessions.
TEST_F(TlsStreamTest, TheProtocolIsOneOfBoth) {
  client_tls = client_context({.protocols = {"h2", "http/1.1"}});
  const auto chosen = [this] {
    std::string out;
    run(
        [&](Peer& client) -> Task<> {
          out = static_cast<TlsStream&>(client.stream()).protocol();
          co_return;
        },
        [](Peer&) -> Task<> { co_return; });
    return out;
  };
  server_tls = server_context({.protocols = {"http/1.1"}});
  EXPECT_EQ(chosen(), "http/1.1");
  server_tls = server_context({.protocols = {"h2", "http/1.1"}});
  EXPECT_EQ(chosen(), "h2");
  server_tls = server_context();
  EXPECT_EQ(chosen(), "");
  server_tls = server_context({.protocols = {"imap"}});
  chosen();
  EXPECT_STREQ(why->what, "the TLS handshake failed: no application protocol in common (ALPN)");
}

TEST_F(TlsStreamTest, ASessionIsTakenUpAgainOnce) {
  sessions = std::make_shared<TlsSessions>();
  std::vector<bool> resumed;
  serve([](Peer& server) -> Task<> { co_await server.send("x"); });
  sim.run([&]() -> Task<> {
    for (int i = 0; i < 3; ++i) {
      auto stream = co_await connect();
      resumed.push_back(static_cast<TlsStream&>(**stream).resumed());
      Peer peer(std::move(*stream));
      EXPECT_EQ(co_await peer.read_all(), "x");
    }
    EXPECT_LE(sessions->size(), TlsSessions::most);
    while (SSL_SESSION* const one = sessions->take()) SSL_SESSION_free(one);
    auto stream = co_await connect();
    resumed.push_back(static_cast<TlsStream&>(**stream).resumed());
  });
  EXPECT_THAT(resumed, testing::ElementsAre(false, true, true, false));
}

// ---- What a context is made of.
TEST(TlsContextTest, WhatIsWrongIsTold) {
  const auto fault = [](TlsContext::Client options) {
    const auto made = TlsContext::client(options);
    return made ? std::string() : made.error();
  };
  EXPECT_THAT(fault({.ca = "nonsense"}), HasSubstr("trusted certificates holds none"));
  EXPECT_THAT(fault({.cert = "nonsense", .key = shop().key}), HasSubstr("holds no certificate"));
  EXPECT_THAT(fault({.cert = shop().cert, .key = "nonsense"}), HasSubstr("holds no private key"));
  EXPECT_THAT(fault({.cert = shop().cert, .key = authority().issue("DNS:a").key}),
              HasSubstr("not that of the certificate"));
  EXPECT_EQ(fault({.ca = authority().cert(), .cert = shop().cert, .key = shop().key}), "");
}

// ---- Every operation fails once: nothing is left over, and no half of an answer looks whole.
TEST(TlsStreamFaults, EveryOperationInEveryWay) {
  const auto server_tls = server_context();
  const auto client_tls = client_context();
  const std::string text = pattern(100'000);
  for (const Fault fault : {Fault::reset, Fault::timeout, Fault::cancel}) {
    for (uint64_t k = 0;; ++k) {
      Sim sim;
      bool whole = false;
      sim.serve(at, [&](Peer& raw) -> Task<> {
        auto accepted = co_await tls_accept(raw.give_up(), server_tls, never);
        if (!accepted) co_return;
        Peer peer(std::move(*accepted));
        const bool asked = !(co_await peer.read_until("?")).empty();
        if (!asked || !co_await peer.send(text)) peer.reset();
      });
      sim.world().fail_operation(k, fault);
      const uint64_t operations = sim.run([&]() -> Task<uint64_t> {
        auto below = co_await sim.engine().connect(*parse_address(at));
        if (!below) co_return sim.world().operations();
        auto stream =
            co_await tls_connect(std::move(*below), client_tls, "shop.example", nullptr, never);
        if (!stream) co_return sim.world().operations();
        const Bytes question[] = {"really?"};
        if (!co_await (*stream)->write(question)) co_return sim.world().operations();
        std::string got;
        char into[10'000];
        for (;;) {
          const auto n = co_await (*stream)->read(into);
          if (n && *n == 0) whole = true;
          if (!n || *n == 0) break;
          got.append(into, *n);
        }
        EXPECT_TRUE(text.starts_with(got));
        if (whole) EXPECT_EQ(got.size(), text.size());
        co_return sim.world().operations();
      });
      EXPECT_EQ(Buffer::held_bytes(), 0u);
      if (k > operations) break;
    }
  }
}

}  // namespace
}  // namespace banyan
