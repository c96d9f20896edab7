// HTTP/2 to services, as users meet it: what the configuration may say, one connection for many
// requests, contents, trailers and streams both ways, what is sent again and what is not, and the
// ends of connections.
#include "app/http2_gateway.h"
#include "http/h2_origin.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using h2::Answer;
using h2::Asked;
using h2::get;
using h2::H2Origin;
using h2::H2Peer;
using h2::post;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class UpstreamHttp2Test : public Http2GatewayTest {
 protected:
  static std::string h2c(std::string_view service = "", std::string_view offload = "") {
    return "listeners: { web: 10.0.0.1:80 }\n"
           "offload: { " +
           std::string(offload) +
           " }\n"
           "services: { shop: { endpoints: [h2c://10.0.1.1:80]" +
           std::string(service) +
           " } }\n"
           "routes: [ { to: shop } ]\n";
  }
  void serve(H2Origin::Hear on_head, H2Origin::Hear on_end,
             std::vector<nghttp2_settings_entry> settings = {}) {
    sim.serve("10.0.1.1:80", [this, on_head, on_end, settings](Peer& peer) -> Task<> {
      ++connections;
      H2Origin origin(peer, on_head, on_end, settings);
      co_await origin.serve();
      for (const auto& [id, asked] : origin.asked) seen.push_back(asked);
    });
  }
  void serve_echo() {
    serve({}, [](H2Origin& origin, Asked& asked) {
      origin.answer(asked.id, "200", {{"x-method", asked.field(":method")}},
                    asked.field(":path") + "|" + asked.body, asked.trailers);
    });
  }
  // An HTTP/1.1 client's request, and all that comes back.
  Task<std::string> http1(std::string request) {
    Peer peer = co_await connect();
    co_await peer.send(request);
    co_return co_await peer.read_all();
  }
  int connections = 0;
  std::vector<Asked> seen;
};

constexpr const char* plain_get = "GET /a HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";

TEST_F(UpstreamHttp2Test, WhatTheConfigurationMaySay) {
  const auto faults = [](std::string_view endpoints, std::string_view more) {
    return load_text("listeners: { web: 10.0.0.1:80 }\nservices: { shop: { endpoints: [" +
                     std::string(endpoints) + "]" + std::string(more) +
                     " } }\nroutes: [ { to: shop } ]\n")
        .problems.text();
  };
  EXPECT_EQ(faults("h2c://a", ""), "");
  EXPECT_EQ(faults("http://a, unix:/run/b", ", http2: true"), "");
  EXPECT_EQ(faults("https://a", ", http2: true"), "");
  EXPECT_THAT(faults("h2c://a, http://b", ""), HasSubstr("http://b is not h2c://"));
  EXPECT_THAT(faults("h2c://a", ", http2: false"), HasSubstr("says `http2: false`"));
}

TEST_F(UpstreamHttp2Test, ManyRequestsShareAConnection) {
  serve_echo();
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    for (int i = 0; i < 20; ++i) client.ask(get("/" + std::to_string(i)));
    for (int i = 0; i < 20; ++i) {
      const Answer answer = co_await client.answer(2 * i + 1);
      EXPECT_EQ(answer.status, "200");
      EXPECT_EQ(answer.body, "/" + std::to_string(i) + "|");
    }
    EXPECT_THAT(co_await http1(plain_get), HasSubstr("\r\n\r\n3\r\n/a|\r\n"))
        << "and those of HTTP/1.1";
  });
  EXPECT_EQ(connections, 1);
  EXPECT_EQ(seen[0].field(":authority"), "shop");
  EXPECT_EQ(seen[0].field(":scheme"), "http");
  EXPECT_EQ(seen[0].field("via"), "2.0 banyan");
  EXPECT_EQ(seen[0].field("host"), "-");
}

TEST_F(UpstreamHttp2Test, ContentsAndTrailersBothWays) {
  serve_echo();
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const std::string large(300'000, 'x');
    const Answer answer = co_await client.answer(client.ask(post("/up"), large, {{"x-sum", "7"}}));
    EXPECT_EQ(answer.body, "/up|" + large);
    EXPECT_THAT(answer.trailers, ElementsAre(Pair("x-sum", "7")));
    const std::string text = co_await http1(
        "POST /b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 8\r\n\r\n");
    EXPECT_THAT(text, HasSubstr("/b|abc\r\n0\r\nx-sum: 8\r\n\r\n"));
  });
}

// What gRPC does: pieces go both ways as they come, and the result is in the trailers.
TEST_F(UpstreamHttp2Test, StreamsBothWaysAtTheSameTime) {
  serve(
      [](H2Origin& origin, Asked& asked) {
        origin.answer(asked.id, "200", {{"content-type", "application/grpc"}}, "hello", {}, true);
      },
      [](H2Origin& origin, Asked& asked) { origin.more(asked.id, " and " + asked.body, true); });
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const int32_t id = client.ask(post("/chat", {{"te", "trailers"}}), {}, {}, true);
    co_await client.until([&] { return client.answers[id].body == "hello"; });
    client.more(id, "ping", false);
    co_await client.flush();
    (void)co_await sleep_for(1s);
    client.more(id, "pong", true);
    const Answer answer = co_await client.answer(id);
    EXPECT_EQ(answer.body, "hello and pingpong");
    EXPECT_FALSE(answer.reset);
  });
  EXPECT_EQ(seen[0].field("te"), "trailers");
}

TEST_F(UpstreamHttp2Test, TrailersWithoutContent) {
  serve({}, [](H2Origin& origin, Asked& asked) {
    origin.answer(asked.id, "200", {{"content-type", "application/grpc"}, {"grpc-status", "12"}});
  });
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const Answer answer = co_await client.fetch(post("/x"), "abc");
    EXPECT_EQ(answer.field("grpc-status"), "12");
    EXPECT_TRUE(answer.ended);
  });
}

TEST_F(UpstreamHttp2Test, HeadInterimAndAContinue) {
  serve(
      [](H2Origin& origin, Asked& asked) {
        if (asked.field(":method") == "HEAD")
          return origin.answer(asked.id, "200", {{"content-length", "1000"}});
        origin.head(asked.id, "103", {{"link", "</a.css>"}});
        origin.head(asked.id, "100");
      },
      [](H2Origin& origin, Asked& asked) {
        if (asked.field(":method") != "HEAD") origin.answer(asked.id, "204", {});
      });
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    auto head = get("/");
    head[0].second = "HEAD";
    EXPECT_EQ((co_await client.fetch(head)).field("content-length"), "1000");
    const int32_t id = client.ask(post("/", {{"expect", "100-continue"}}), {}, {}, true);
    co_await client.until([&] { return client.answers[id].interim.size() == 2; });
    EXPECT_THAT(client.answers[id].interim, ElementsAre("103", "100"));
    client.more(id, "abc", true);
    EXPECT_EQ((co_await client.answer(id)).status, "204");
  });
}

TEST_F(UpstreamHttp2Test, AClientThatLeavesResetsItsStreamAlone) {
  serve({}, [](H2Origin& origin, Asked& asked) {
    if (asked.field(":path") == "/ok") origin.answer(asked.id, "200", {}, "ok");
  });
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const int32_t id = client.ask(get("/never"));
    co_await client.flush();
    (void)co_await sleep_for(1s);
    client.reset(id);
    EXPECT_EQ((co_await client.fetch(get("/ok"))).body, "ok");
  });
  EXPECT_EQ(connections, 1);
  EXPECT_EQ(seen[0].reset, NGHTTP2_CANCEL);
}

TEST_F(UpstreamHttp2Test, AStreamThatIsResetIsABrokenAnswer) {
  serve({}, [](H2Origin& origin, Asked& asked) {
    if (asked.field(":path") == "/head") return origin.reset(asked.id, NGHTTP2_INTERNAL_ERROR);
    origin.answer(asked.id, "200", {}, "hello", {}, true);
    origin.reset(asked.id, NGHTTP2_INTERNAL_ERROR);
  });
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    EXPECT_EQ((co_await client.fetch(get("/head"))).status, "502");
    const Answer cut = co_await client.fetch(get("/content"));
    EXPECT_FALSE(cut.ended && cut.status == "200");
  });
  EXPECT_EQ(connections, 1);
}

// Nothing of it was looked at, so it may go again, even a POST.
TEST_F(UpstreamHttp2Test, WhatWasRefusedIsSentAgain) {
  int requests = 0;
  serve({}, [&](H2Origin& origin, Asked& asked) {
    if (++requests == 1) return origin.reset(asked.id, NGHTTP2_REFUSED_STREAM);
    origin.answer(asked.id, "200", {}, asked.body);
  });
  run(h2c(", retry: { attempts: 2, backoff: 10ms }"), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const Answer answer = co_await client.fetch(post("/"), "abc");
    EXPECT_EQ(answer.status, "200");
    EXPECT_EQ(answer.body, "abc");
  });
  EXPECT_EQ(requests, 2);
}

TEST_F(UpstreamHttp2Test, AFarewellMovesWhatIsNewToANewConnection) {
  serve({}, [](H2Origin& origin, Asked& asked) {
    origin.answer(asked.id, "200", {}, "ok");
    if (asked.id == 1) origin.goaway(1);
  });
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ((co_await client.fetch(get("/"))).body, "ok");
      (void)co_await sleep_for(10ms);
    }
  });
  EXPECT_EQ(connections, 3);
}

TEST_F(UpstreamHttp2Test, AnEndpointThatGoesEndsItsAnswers) {
  sim.serve("10.0.1.1:80", [this](Peer& peer) -> Task<> {
    ++connections;
    co_await peer.read_until("\r\n\r\nSM\r\n\r\n");
    (void)co_await sleep_for(1s);
    peer.reset();
  });
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const int32_t a = client.ask(get("/")), b = client.ask(post("/"), "abc");
    EXPECT_EQ((co_await client.answer(a)).status, "502");
    EXPECT_EQ((co_await client.answer(b)).status, "502");
  });
}

TEST_F(UpstreamHttp2Test, ServicesOfHttp1AreNotTaken) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_until("\r\n\r\n");
    co_await peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    EXPECT_EQ((co_await client.fetch(get("/"))).status, "502");
  });
}

TEST_F(UpstreamHttp2Test, WhatItAllowsAtOnceIsKept) {
  size_t most = 0, open = 0;
  std::vector<int32_t> waiting;
  serve({},
        [&](H2Origin& origin, Asked& asked) {
          most = std::max(most, ++open);
          waiting.push_back(asked.id);
          if (asked.field(":path") != "/go") return;
          for (int32_t id : waiting) origin.answer(id, "200", {});
          open = 0;
          waiting.clear();
        },
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}});
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    co_await client.fetch(get("/go"));
    const int32_t one = client.ask(get("/wait"));
    const int32_t two = client.ask(get("/go"));
    EXPECT_EQ((co_await client.answer(one)).status, "200");
    EXPECT_EQ((co_await client.answer(two)).status, "200");
    EXPECT_EQ(connections, 1);
    for (int i = 0; i < 4; ++i) client.ask(get(i % 2 == 0 ? "/wait" : "/go"));
    for (int i = 0; i < 4; ++i) EXPECT_EQ((co_await client.answer(two + 2 + 2 * i)).status, "200");
    EXPECT_EQ(connections, 2) << "what has no room gets another";
  });
  EXPECT_LE(most, 2u);
}

// Clients that take nothing of their answers, more than the window of a connection was made for
// once: the others do not wait for them.
TEST_F(UpstreamHttp2Test, SlowClientsStandInNobodysWay) {
  serve({}, [](H2Origin& origin, Asked& asked) {
    origin.answer(asked.id, "200", {},
                  std::string(asked.field(":path") == "/large" ? 1'000'000 : 10, 'x'));
  });
  run(h2c("", "limits: { send_timeout: 60s }"), [this](SimGateway&) -> Task<> {
    std::vector<Peer> slow;
    for (int i = 0; i < 40; ++i) {
      slow.push_back(co_await connect());
      co_await slow.back().send("GET /large HTTP/1.1\r\nHost: shop\r\n\r\n");
    }
    (void)co_await sleep_for(1s);
    EXPECT_THAT(co_await http1(plain_get), HasSubstr("xxxxxxxxxx"));
    EXPECT_EQ(sim.elapsed(), 1s);
    EXPECT_EQ(connections, 1);
  });
}

TEST_F(UpstreamHttp2Test, AnIdleConnectionEnds) {
  serve_echo();
  run(h2c(", pool: { idle_age: 5s }"), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    co_await client.fetch(get("/"));
    (void)co_await sleep_for(6s);
    EXPECT_EQ(seen.size(), 1u) << "the endpoint saw its end";
    co_await client.fetch(get("/"));
    EXPECT_EQ(connections, 2);
  });
}

TEST_F(UpstreamHttp2Test, AReloadEndsWhatTheNewVersionDoesNotKeep) {
  serve_echo();
  run(h2c(), [this](SimGateway& gateway) -> Task<> {
    H2Peer client(co_await connect());
    co_await client.fetch(get("/"));
    co_await gateway.use(load_text(h2c(", timeout: { request: 7s }")).model);
    (void)co_await sleep_for(1s);
    EXPECT_EQ(seen.size(), 1u) << "it was idle";
    EXPECT_EQ((co_await client.fetch(get("/"))).status, "200");
    EXPECT_EQ(connections, 2);
  });
}

TEST_F(UpstreamHttp2Test, HealthChecksSpeakIt) {
  std::vector<std::string> paths;
  serve({}, [&](H2Origin& origin, Asked& asked) {
    paths.push_back(asked.field(":path"));
    origin.answer(asked.id, "204", {});
  });
  run(h2c(", health: { path: /healthz, interval: 1s }"), [](SimGateway& gateway) -> Task<> {
    (void)co_await sleep_for(10s);
    EXPECT_TRUE(gateway.cluster("shop")->endpoints()[0]->health().healthy());
  });
  EXPECT_GE(paths.size(), 5u);
  EXPECT_EQ(paths[0], "/healthz");
}

TEST_F(UpstreamHttp2Test, AWebSocketOverHttp2) {
  serve(
      [](H2Origin& origin, Asked& asked) {
        origin.answer(asked.id, asked.field(":protocol") == "websocket" ? "200" : "400", {},
                      "hello", {}, true);
      },
      [](H2Origin& origin, Asked& asked) { origin.more(asked.id, asked.body, true); },
      {{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}});
  run(h2c(), [this](SimGateway&) -> Task<> {
    H2Peer first(co_await connect());
    co_await first.fetch(get("/warm"));  // its settings are known then
    Peer peer = co_await connect();
    co_await peer.send(
        "GET /chat HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    const std::string head = co_await peer.read_head();
    EXPECT_THAT(head, testing::StartsWith("HTTP/1.1 101 "));
    EXPECT_THAT(head, HasSubstr("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    co_await peer.expect("hello");
    co_await peer.send("ping");
    peer.shutdown_write();
    EXPECT_EQ(co_await peer.read_all(), "ping");
  });
}

}  // namespace
}  // namespace banyan
