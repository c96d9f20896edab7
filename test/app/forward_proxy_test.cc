// An ambassador's forward proxy, as a user writes it: what check tells, which hosts clients reach
// and which not, and what becomes of the hosts that they have asked for.
#include "app/ambassador_gateway.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string proxy(std::string_view words) {
  return ambassador_config(
      "  out: { listen: 127.0.0.1:5432, forward_proxy: { " + std::string(words) + " } }\n",
      "  pay: { endpoints: [http://10.0.1.9:80], retry: { backoff: 10ms } }\n");
}

TEST(ForwardProxyTest, WhatIsWrongIsToldWithItsPlace) {
  const auto faults = [](std::string_view words) {
    return load_text(proxy(words)).problems.text();
  };
  EXPECT_EQ(faults("allow: '*.example:443'"), "");
  EXPECT_THAT(faults("allow: []"), HasSubstr("allows nothing"));
  EXPECT_THAT(faults("allow: ['http://a']"), HasSubstr("'http://a' is not a host"));
  EXPECT_THAT(faults("allow: ['a:0']"), HasSubstr("'a:0' is not a host"));
  EXPECT_THAT(faults("services: { pay.internal: pya }"), HasSubstr("did you mean 'pay'?"));
  EXPECT_THAT(faults("services: { pay.internal: db }"), HasSubstr("service 'db' is not HTTP"));
  EXPECT_THAT(faults("allow: [a], networks: [10.0.0.1/8]"), HasSubstr("10.0.0.1/8"));
}

TEST(ForwardProxyTest, AnOpenProxyIsNotMadeByMistake) {
  const auto faults = [](std::string_view listen, std::string_view allow) {
    return ambassador_faults("  out: { listen: '" + std::string(listen) +
                             "', forward_proxy: { allow: ['" + std::string(allow) + "'] } }\n");
  };
  EXPECT_THAT(faults(":3128", "*"), HasSubstr("an open proxy"));
  EXPECT_THAT(faults("10.0.0.1:3128", "*:*"), HasSubstr("an open proxy"));
  EXPECT_EQ(faults("127.0.0.1:3128", "*:*"), "");
  EXPECT_EQ(faults("unix:/run/proxy", "*"), "");
  EXPECT_EQ(faults(":3128", "*.example"), "");
}

TEST(ForwardProxyTest, TheStackOfAnEntry) {
  const Loaded loaded = load_text(proxy("allow: ['a:*', b], services: { PAY: pay }"));
  const auto layers = describe_entry(*loaded.model, loaded.model->settings.listeners[0].value);
  EXPECT_EQ(layers[0].role, "hop-by-hop");
  EXPECT_EQ(layers[1].role, "forward proxy");
  EXPECT_THAT(layers[1].why, HasSubstr("a:*, b, PAY (service pay)"));
  EXPECT_EQ(layers.back().role, "service pay");
}

class ForwardProxyGatewayTest : public AmbassadorGatewayTest {
 protected:
  // Every host of the outside tells who it is and what it was asked.
  ForwardProxyGatewayTest() {
    for (const char* address : {"10.1.0.1:80", "10.1.0.2:80", "10.1.0.2:8080", "127.0.0.1:80"})
      sim.serve(address, [this, address](Peer& peer) -> Task<> {
        while (!(head = co_await peer.read_head()).empty()) {
          const std::string text = address;
          co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) +
                             "\r\n\r\n" + text);
        }
      });
    sim.serve("10.1.0.1:443", [](Peer& peer) -> Task<> {
      while (!(co_await peer.read_until("?")).empty()) co_await peer.send("secret!");
    });
    names.set("api.example", {"10.1.0.1"}, 60s);
    names.set("other.example", {"10.1.0.2"}, 60s);
    names.set("home.example", {"127.0.0.1"}, 60s);
    names.set("cloud.example", {"169.254.169.254"}, 60s);
    names.set("both.example", {"127.0.0.1", "10.1.0.1"}, 60s);
  }
  // The whole answer to one request, which closes.
  Task<std::string> ask(std::string request) {
    Peer app = co_await application();
    co_await app.send(request + "\r\nConnection: close\r\n\r\n");
    co_return co_await app.read_all();
  }
  Task<std::string> get(std::string_view url) {
    co_return co_await ask("GET " + std::string(url) + " HTTP/1.1\r\nHost: wrong");
  }
  static std::string status(const std::string& answer) { return answer.substr(9, 3); }

  std::string head;  // that an outside host got last
};

TEST_F(ForwardProxyGatewayTest, AnAbsoluteUrlGoesToItsHost) {
  run(proxy("allow: [api.example, '*.example:8080']"), [this](SimGateway&) -> Task<> {
    EXPECT_THAT(co_await ask("GET http://API.example/a%2Fb?q=1 HTTP/1.1\r\nHost: wrong\r\n"
                             "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA=="),
                testing::EndsWith("\r\n\r\n10.1.0.1:80"));
    EXPECT_THAT(head, testing::StartsWith("GET /a%2Fb?q=1 HTTP/1.1\r\n"));
    EXPECT_THAT(head, HasSubstr("host: API.example\r\n"));
    EXPECT_THAT(head, HasSubstr("via: 1.1 banyan\r\n"));
    for (const char* unwanted : {"wrong", "roxy-", "forwarded", "127.0.0.1"})
      EXPECT_EQ(head.find(unwanted), std::string::npos) << unwanted << " in " << head;
    EXPECT_THAT(co_await get("http://other.example:8080/"), testing::EndsWith("10.1.0.2:8080"));
  });
  EXPECT_EQ(names.asked("api.example"), 1u);
}

TEST_F(ForwardProxyGatewayTest, WhatIsNotAllowedIsRefusedBeforeItsNameIsAskedFor) {
  run(proxy("allow: [api.example, '*.inner.example']"), [this](SimGateway&) -> Task<> {
    for (const char* url :
         {"http://other.example/", "http://api.example:8080/", "http://api.example.evil/",
          "http://evilapi.example/", "http://inner.example/", "http://10.1.0.1/"}) {
      const std::string answer = co_await get(url);
      EXPECT_EQ(status(answer), "403") << url;
      EXPECT_THAT(answer, HasSubstr("forward_proxy.allow does not name this host and port"));
    }
    EXPECT_EQ(status(co_await ask("CONNECT other.example:443 HTTP/1.1\r\nHost: x")), "403");
  });
  for (const char* name : {"other.example", "api.example", "evilapi.example"})
    EXPECT_EQ(names.asked(name), 0u) << name;
  EXPECT_EQ(attempts, 0u);
}

TEST_F(ForwardProxyGatewayTest, NamesDoNotLeadToThisMachineOrToTheCloudsCredentials) {
  run(proxy("allow: ['*.example']"), [this](SimGateway&) -> Task<> {
    for (const char* url : {"http://home.example/", "http://cloud.example/latest/meta-data"}) {
      const std::string answer = co_await get(url);
      EXPECT_EQ(status(answer), "403") << url;
      EXPECT_THAT(answer, HasSubstr("the host leads to an address that forward_proxy does not"));
    }
    for (int i = 0; i < 4; ++i)
      EXPECT_THAT(co_await get("http://both.example/"), testing::EndsWith("10.1.0.1:80"));
  });
}

TEST_F(ForwardProxyGatewayTest, ANameThatTurnsToThisMachineLaterIsNotFollowed) {
  names.set("api.example", {"10.1.0.1"}, 1s);
  run(proxy("allow: ['*.example']"), [this](SimGateway&) -> Task<> {
    EXPECT_EQ(status(co_await get("http://api.example/")), "200");
    names.set("api.example", {"127.0.0.1"}, 1s);
    (void)co_await sleep_for(2s);
    EXPECT_EQ(status(co_await get("http://api.example/")), "403");
  });
}

TEST_F(ForwardProxyGatewayTest, NetworksThatAreNamedAreAllowed) {
  run(proxy("allow: [home.example], networks: [127.0.0.0/8]"), [this](SimGateway&) -> Task<> {
    EXPECT_EQ(status(co_await get("http://home.example/")), "200");
  });
}

TEST_F(ForwardProxyGatewayTest, AnAddressThatIsNamedIsAllowed) {
  run(proxy("allow: ['127.0.0.1:80', home.example]"), [this](SimGateway&) -> Task<> {
    EXPECT_EQ(status(co_await get("http://127.0.0.1/")), "200");
    EXPECT_EQ(status(co_await get("http://home.example/")), "403");
  });
}

TEST_F(ForwardProxyGatewayTest, ConnectIsATunnel) {
  run(proxy("allow: [api.example]"), [this](SimGateway&) -> Task<> {
    Peer app = co_await application();
    // The client does not wait for the answer.
    co_await app.send("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\nwho?");
    const std::string answer = co_await app.read_head();
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(answer.find("content-length"), std::string::npos);
    EXPECT_EQ(answer.find("transfer-encoding"), std::string::npos);
    EXPECT_TRUE(co_await app.expect("secret!"));
    co_await app.send("and?");
    EXPECT_TRUE(co_await app.expect("secret!"));
    app.shutdown_write();
    EXPECT_TRUE(co_await app.expect_end());
  });
  EXPECT_EQ(endpoint, "10.1.0.1:443");
  EXPECT_EQ(bytes_out, 14u);
}

TEST_F(ForwardProxyGatewayTest, HostsThatCannotBeReached) {
  names.fail("gone.example", "no such name");
  names.set("down.example", {"10.1.0.7"}, 60s);
  names.silence("mute.example");
  run(proxy("allow: ['*.example'], timeout: { connect: 1s }"), [this](SimGateway&) -> Task<> {
    const std::string gone = co_await get("http://gone.example/");
    EXPECT_EQ(status(gone), "502");
    EXPECT_THAT(gone, HasSubstr("no address that could be found"));
    EXPECT_EQ(status(co_await get("http://down.example/")), "503");
    EXPECT_EQ(status(co_await ask("CONNECT down.example:443 HTTP/1.1\r\nHost: x")), "503");
    const Duration began = sim.elapsed();
    EXPECT_EQ(status(co_await get("http://mute.example/")), "502");
    EXPECT_EQ(sim.elapsed() - began, 1s);
  });
}

TEST_F(ForwardProxyGatewayTest, WhatIsNoRequestToAProxy) {
  run(proxy("allow: ['*']"), [this](SimGateway&) -> Task<> {
    const std::string origin = co_await ask("GET / HTTP/1.1\r\nHost: api.example");
    EXPECT_EQ(status(origin), "400");
    EXPECT_THAT(origin, HasSubstr("this is a forward proxy"));
    const std::string https = co_await get("https://api.example/");
    EXPECT_EQ(status(https), "400");
    EXPECT_THAT(https, HasSubstr("CONNECT host:443"));
    EXPECT_EQ(status(co_await get("http://api.example:0/")), "400");
    EXPECT_EQ(status(co_await get("http://0x7f.1/")), "400");
    EXPECT_EQ(status(co_await get("ftp://api.example/")), "400");
  });
}

TEST_F(ForwardProxyGatewayTest, AHostThatIsAServiceHasItsPolicies) {
  int asked = 0;
  std::string got;
  sim.serve("10.0.1.9:80", [&](Peer& peer) -> Task<> {
    got = co_await peer.read_head();
    const bool first = ++asked == 1;
    co_await peer.send(first ? "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
                             : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npaid");
  });
  run(proxy("services: { Pay.internal: pay }"), [&](SimGateway&) -> Task<> {
    EXPECT_THAT(co_await get("http://pay.internal/x"), testing::EndsWith("paid"));
    EXPECT_THAT(got, HasSubstr("host: pay.internal\r\n"));
    EXPECT_EQ(status(co_await get("http://api.example/")), "403");
  });
  EXPECT_EQ(asked, 2) << "sent again, by the service's retry";
}

TEST_F(ForwardProxyGatewayTest, ConnectionsAreUsedAgain) {
  int connections = 0;
  sim.serve("10.1.0.3:80", [&](Peer& peer) -> Task<> {
    ++connections;
    while (!(co_await peer.read_head()).empty())
      co_await peer.send("HTTP/1.1 204 No Content\r\n\r\n");
  });
  names.set("busy.example", {"10.1.0.3"}, 60s);
  run(proxy("allow: ['*.example']"), [this](SimGateway& gateway) -> Task<> {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(status(co_await get("http://busy.example/")), "204");
    co_await gateway.use(model(proxy("allow: ['*.example'], services: { pay: pay }")));
    EXPECT_EQ(status(co_await get("http://busy.example/")), "204");
  });
  EXPECT_EQ(connections, 1) << "also over a reload that leaves the hosts alone";
}

TEST_F(ForwardProxyGatewayTest, HostsThatNobodyWantsAreForgotten) {
  for (int i = 0; i < 8; ++i) names.set("h" + std::to_string(i) + ".example", {"10.1.0.1"}, 1h);
  run(proxy("allow: ['*.example'], destinations: 3"), [this](SimGateway&) -> Task<> {
    for (int i = 0; i < 8; ++i)
      EXPECT_EQ(status(co_await get("http://h" + std::to_string(i) + ".example/")), "200") << i;
    EXPECT_EQ(status(co_await get("http://h7.example/")), "200");
    EXPECT_EQ(names.asked("h7.example"), 1u);
    EXPECT_EQ(status(co_await get("http://h0.example/")), "200");
    EXPECT_EQ(names.asked("h0.example"), 2u) << "it had made room";
    (void)co_await sleep_for(80s);
    EXPECT_EQ(status(co_await get("http://h7.example/")), "200");
    EXPECT_EQ(names.asked("h7.example"), 2u) << "forgotten after a minute";
  });
}

TEST_F(ForwardProxyGatewayTest, WhatIsInUseMakesNoRoom) {
  run(proxy("allow: ['*.example'], destinations: 1"), [this](SimGateway&) -> Task<> {
    Peer app = co_await application();
    co_await app.send("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n");
    (void)co_await app.read_head();
    const std::string other = co_await get("http://other.example/");
    EXPECT_EQ(status(other), "503");
    EXPECT_THAT(other, HasSubstr("forward_proxy.destinations"));
    (void)co_await sleep_for(10min);
    co_await app.send("still?");
    EXPECT_TRUE(co_await app.expect("secret!"));
    app.close();
    (void)co_await sleep_for(1s);
    EXPECT_EQ(status(co_await get("http://other.example/")), "200");
  });
}

TEST_F(ForwardProxyGatewayTest, AReloadEndsWhatIsNotAllowedAnyMore) {
  run(proxy("allow: [api.example, other.example]"), [this](SimGateway& gateway) -> Task<> {
    EXPECT_EQ(status(co_await get("http://api.example/")), "200");
    Peer app = co_await application();
    co_await app.send("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n");
    (void)co_await app.read_head();
    co_await gateway.use(model(proxy("allow: [other.example]")));
    EXPECT_EQ(status(co_await get("http://api.example/")), "403");
    EXPECT_EQ(status(co_await get("http://other.example/")), "200");
    co_await app.send("old?");
    EXPECT_TRUE(co_await app.expect("secret!")) << "a tunnel that is open stays";
  });
}

}  // namespace
}  // namespace banyan
