// Every operation of the gateway fails once, in each way, in each kind of conversation of an
// ambassador: raw TCP, a tunnel through the forward proxy, and a call to a service that has TLS, a
// token to be fetched, a quota and retries. Whatever happens: no part is taken for the whole,
// nobody hangs, what was counted is counted back, and the next conversation goes well. What is left
// alive, the simulator finds.
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

const std::string text(40'000, 'x');

class AmbassadorFaults : public testing::TestWithParam<const char*> {
 protected:
  AmbassadorFaults() {
    std::string made = testing::TempDir() + "faults_XXXXXX";
    folder = ::mkdtemp(made.data());
    std::ofstream(folder / "ca.pem") << authority.cert();
    loaded = load_text(
        "ambassador:\n"
        "  raw: { listen: '10.0.0.1:5432', tcp: db }\n"
        "  out: { listen: '10.0.0.1:3128', forward_proxy: { allow: ['far.example:443'] } }\n"
        "  api: { listen: '10.0.0.1:7001', to: api }\n"
        "services:\n"
        "  db: { endpoints: ['tcp://10.0.1.1:5432'], timeout: { connect: 1s } }\n"
        "  api: { endpoints: [https://10.0.1.2:443], tls: { ca: " +
        (folder / "ca.pem").string() +
        " }, quota: { limit: 50, window: 1h }, retry: { backoff: 10ms }, timeout: { connect: 1s, "
        "request: 5s }, credentials: { oauth2: { token_url: 'http://10.0.1.3/t', client_id: a, "
        "client_secret: b, timeout: 1s } } }\n");
    CHECK(loaded.model != nullptr);
    const Identity shop = authority.issue("IP:10.0.1.2");
    tls = TlsContext::server({.identities = {{shop.cert, shop.key}}}).value();
  }
  ~AmbassadorFaults() override { fs::remove_all(folder); }

  void serve(Sim& sim) {
    for (const char* at : {"10.0.1.1:5432", "10.0.1.4:443"})
      sim.serve(at, [](Peer& peer) -> Task<> {
        if ((co_await peer.read_until("?")).empty() || !co_await peer.send(text)) peer.reset();
      });
    sim.serve("10.0.1.2:443", [this](Peer& raw) -> Task<> {
      auto accepted = co_await tls_accept(raw.give_up(), tls, never);
      if (!accepted) co_return;
      Peer peer(std::move(*accepted));
      while (!(co_await peer.read_head()).empty())
        if (!co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + text))
          co_return;
    });
    sim.serve("10.0.1.3:80", [](Peer& peer) -> Task<> {
      while (!(co_await peer.read_until("credentials")).empty())
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"access_token\":\"t\"}");
    });
  }

  // All that the application got, and whether it came to an orderly end.
  struct Got {
    std::string bytes;
    bool ended = false;
  };
  static Task<Got> converse(Sim& sim, std::string_view kind) {
    Got got;
    const std::string_view port = kind == "raw" ? "5432" : kind == "tunnel" ? "3128" : "7001";
    auto stream =
        co_await sim.host("10.9.0.1").connect(*parse_address("10.0.0.1:" + std::string(port)));
    if (!stream) co_return got;
    Peer peer(std::move(*stream));
    if (kind == "tunnel") {
      co_await peer.send("CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n");
      const std::string head = co_await peer.read_head();
      if (!head.starts_with("HTTP/1.1 200")) co_return got;
    }
    co_await peer.send(kind == "call" ? "GET /x HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"
                                      : "all of it?");
    char into[8192];
    for (;;) {
      const auto n = co_await peer.stream().read(into);
      if (!n) break;
      if (*n == 0) got.ended = true;
      if (*n == 0) break;
      got.bytes.append(into, *n);
    }
    co_return got;
  }
  static bool whole(const Got& got, std::string_view kind) {
    return kind == "call" ? got.bytes.starts_with("HTTP/1.1 200") && got.bytes.ends_with(text)
                          : got.bytes == text;
  }
  // A call may end with an error of its own; bytes may not end before their end.
  static void check(const Got& got, std::string_view kind, const std::string& where) {
    if (kind == "call") {
      const bool cut = got.bytes.starts_with("HTTP/1.1 200") && !got.bytes.ends_with(text);
      EXPECT_TRUE(!cut || got.bytes.size() < text.size() + 200) << where;
      return;
    }
    if (got.ended && !got.bytes.empty()) EXPECT_EQ(got.bytes.size(), text.size()) << where;
    EXPECT_TRUE(text.starts_with(got.bytes)) << where;
  }

  CertificateAuthority authority;
  fs::path folder;
  Loaded loaded;
  std::shared_ptr<const TlsContext> tls;
};

TEST_P(AmbassadorFaults, OneAfterTheOther) {
  const std::string kind = GetParam();
  size_t runs = 0;
  for (const Fault fault : {Fault::reset, Fault::timeout, Fault::cancel}) {
    for (uint64_t k = 1;; ++k) {
      Sim sim(k, "10.0.0.1");
      SimResolver names;
      CallShares shares;
      names.set("far.example", {"10.0.1.4"}, 60s);
      serve(sim);
      sim.world().count_only({"10.0.0.1"});
      sim.world().fail_operation(k, fault);
      const std::string where =
          kind + " " + std::to_string(static_cast<int>(fault)) + " " + std::to_string(k);
      const uint64_t operations = sim.run([&]() -> Task<uint64_t> {
        SimGateway gateway(
            co_await current_context(), sim.engine(), names, [](const Request*, const Record&) {},
            &shares);
        co_await gateway.use(loaded.model);
        check(co_await converse(sim, kind), kind, where);
        const uint64_t used = sim.world().operations();
        (void)co_await sleep_for(70s);
        EXPECT_TRUE(whole(co_await converse(sim, kind), kind)) << where;
        (void)co_await sleep_for(1s);
        for (size_t i = 0; i < 3; ++i) {
          EXPECT_EQ(gateway.server(i).counts().active, 0u) << where;
          EXPECT_EQ(gateway.connections(i).taken(), 0u) << where;
        }
        EXPECT_EQ(shares.quotas.all().at("api")->status(sim.loop().now()).queued, 0u);
        for (const char* service : {"db", "api"})
          for (const EndpointPtr& e : gateway.cluster(service)->endpoints())
            EXPECT_EQ(e->load(), 0u) << where;
        co_await gateway.stop();
        co_return used;
      });
      EXPECT_EQ(Buffer::held_bytes(), 0u) << where;
      ++runs;
      if (k > operations) break;
    }
  }
  EXPECT_GT(runs, 20u);
}
INSTANTIATE_TEST_SUITE_P(Kinds, AmbassadorFaults, testing::Values("raw", "tunnel", "call"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace banyan
