// HTTP/2 to clients, as users meet it: requests of every kind, at the same time, on one connection;
// what it makes of contents, trailers and interim answers; its bounds, its ends, and its tunnels.
#include <openssl/evp.h>

#include "app/http2_gateway.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using h2::Answer;
using h2::get;
using h2::H2Peer;
using h2::post;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

std::string content_of(const std::string& head) {
  const size_t at = head.find("content-length: ");
  return at == std::string::npos ? "" : head.substr(at + 16, head.find('\r', at) - at - 16);
}

// RFC 6455, section 4.2.2.
std::string accept_of(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[20], out[32];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  EVP_EncodeBlock(out, digest, 20);
  return reinterpret_cast<const char*>(out);
}

class Http2Test : public Http2GatewayTest {
 protected:
  // Answers with what was asked: its head, and its content.
  void serve_echo() {
    sim.serve("10.0.1.1:80", [this](Peer& peer) -> Task<> {
      std::string head;
      while (!(head = co_await peer.read_head()).empty()) {
        asked.push_back(head);
        std::string content;
        if (const std::string length = content_of(head); !length.empty())
          content = co_await peer.read_until(std::string(std::stoul(length), 'x'));
        if (head.find("chunked") != std::string::npos)
          content = co_await peer.read_until("\r\n\r\n");
        const std::string body = head.substr(0, head.find("\r\n")) + "|" + content;
        co_await peer.send("HTTP/1.1 200 OK\r\nX-Seen: Yes\r\nContent-Length: " +
                           std::to_string(body.size()) + "\r\n\r\n" + body);
      }
    });
  }
  std::vector<std::string> asked;
};

TEST_F(Http2Test, ARequestAndItsAnswer) {
  serve_echo();
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const Answer answer = co_await client.fetch(
        get("/a/b?c=d", {{"x-one", "1"}, {"cookie", "a=1"}, {"cookie", "b=2"}}));
    EXPECT_EQ(answer.status, "200");
    EXPECT_EQ(answer.body, "GET /a/b?c=d HTTP/1.1|");
    EXPECT_EQ(answer.field("x-seen"), "Yes");
    EXPECT_EQ(answer.field("content-length"), "22");
    EXPECT_NE(answer.field("date"), "-");
    EXPECT_TRUE(answer.ended);
  });
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_THAT(asked[0], HasSubstr("\r\nhost: shop\r\n"));
  EXPECT_THAT(asked[0], HasSubstr("\r\nx-one: 1\r\n"));
  EXPECT_THAT(asked[0], HasSubstr("\r\ncookie: a=1; b=2\r\n")) << "crumbs are one field";
  EXPECT_THAT(asked[0], HasSubstr("\r\nvia: 2.0 banyan\r\n"));
  EXPECT_THAT(asked[0], HasSubstr("\r\nx-forwarded-for: 10.0.0.9\r\n"));
  EXPECT_THAT(finished, ElementsAre("200 /a/b"));
}

TEST_F(Http2Test, ContentsOfKnownAndUnknownLength) {
  serve_echo();
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const std::string xs(5000, 'x');
    const Answer known = co_await client.fetch(post("/", {{"content-length", "5000"}}), xs);
    EXPECT_EQ(known.body, "POST / HTTP/1.1|" + xs);
    const Answer unknown = co_await client.fetch(post("/"), "abc");
    EXPECT_EQ(unknown.body, "POST / HTTP/1.1|3\r\nabc\r\n0\r\n\r\n");
    const Answer none = co_await client.fetch(post("/"));
    EXPECT_EQ(none.body, "POST / HTTP/1.1|");
    EXPECT_THAT(asked[2], HasSubstr("content-length: 0\r\n"));
  });
}

TEST_F(Http2Test, AnswersComeInTheOrderInWhichTheyAreReady) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    const std::string head = co_await peer.read_head();
    (void)co_await sleep_for(head.starts_with("GET /slow") ? 500ms : 100ms);
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const int32_t slow = client.ask(get("/slow"));
    const int32_t fast = client.ask(get("/fast"));
    EXPECT_EQ((co_await client.answer(fast)).status, "200");
    EXPECT_EQ(sim.elapsed(), 100ms);
    EXPECT_FALSE(client.answers[slow].closed);
    EXPECT_EQ((co_await client.answer(slow)).status, "200");
    EXPECT_EQ(sim.elapsed(), 500ms);
  });
}

TEST_F(Http2Test, LargeContentsBothWaysThroughSmallWindows) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    const std::string content = co_await peer.read_until(std::string(300'000, 'x'));
    co_await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 30; ++i)
      co_await peer.send("2710\r\n" + std::string(10'000, static_cast<char>('a' + i % 26)) +
                         "\r\n");
    co_await peer.send("0\r\nX-Sum: 7\r\n\r\n");
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect(), {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}});
    const Answer answer =
        co_await client.fetch(post("/", {{"content-length", "300000"}}), std::string(300'000, 'x'));
    EXPECT_EQ(answer.body.size(), 300'000u);
    EXPECT_EQ(answer.body.substr(10'000, 3), "bbb");
    EXPECT_THAT(answer.trailers, ElementsAre(Pair("x-sum", "7")));
    EXPECT_FALSE(answer.reset);
  });
  EXPECT_EQ(finished.size(), 1u);
}

TEST_F(Http2Test, BackpressureHoldsWhatTheServiceDoesNotTake) {
  sim.world().link().pipe_bytes = 10'000;
  size_t taken = 0;
  sim.serve("10.0.1.1:80", [&](Peer& peer) -> Task<> {
    (void)co_await sleep_for(5s);
    co_await peer.read_head();
    taken = (co_await peer.read_until("the end")).size();
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  run(config("http2: { window: 16KiB }"), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const int32_t id = client.ask(post("/"), std::string(200'000, 'x') + "the end");
    bool waited = false;
    co_await client.until([&] {
      if (sim.elapsed() < 5s)
        waited = nghttp2_session_get_stream_remote_window_size(client.session(), id) == 0;
      return client.answers[id].closed;
    });
    EXPECT_TRUE(waited) << "the window was closed while the service took nothing";
    EXPECT_EQ(client.answers[id].status, "200");
  });
  EXPECT_GT(taken, 200'000u);
}

TEST_F(Http2Test, TrailersOfARequestReachTheService) {
  serve_echo();
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const Answer answer = co_await client.answer(
        client.ask(post("/", {{"te", "trailers"}}), "abc", {{"x-checksum", "42"}}));
    EXPECT_THAT(answer.body, HasSubstr("0\r\nx-checksum: 42\r\n\r\n"));
  });
  EXPECT_THAT(asked[0], HasSubstr("te: trailers\r\n"));
}

TEST_F(Http2Test, TrailersThatComeBehindAPause) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n");
    (void)co_await sleep_for(1s);
    co_await peer.send("0\r\nX-Sum: 7\r\n\r\n");
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const Answer answer = co_await client.fetch(get("/"));
    EXPECT_EQ(answer.body, "ok");
    EXPECT_THAT(answer.trailers, ElementsAre(Pair("x-sum", "7")));
    EXPECT_TRUE(answer.ended);
    EXPECT_EQ(sim.elapsed(), 1s);
  });
}

TEST_F(Http2Test, HeadAndAnswersWithoutContent) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    std::string head;
    while (!(head = co_await peer.read_head()).empty())
      co_await peer.send(head.starts_with("HEAD")
                             ? "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
                             : "HTTP/1.1 204 No Content\r\n\r\n");
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    auto head = get("/");
    head[0].second = "HEAD";
    const Answer to_head = co_await client.fetch(head);
    EXPECT_EQ(to_head.status, "200");
    EXPECT_EQ(to_head.field("content-length"), "1000");
    EXPECT_EQ(to_head.body, "");
    EXPECT_FALSE(to_head.reset);
    const Answer empty = co_await client.fetch(get("/"));
    EXPECT_EQ(empty.status, "204");
    EXPECT_EQ(empty.field("content-length"), "-");
  });
}

TEST_F(Http2Test, InterimAnswersPassAndAContinueIsOursToSay) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
    co_await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    co_await peer.read_until("abc");
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const int32_t id = client.ask(post("/", {{"expect", "100-continue"}}), {}, {}, true);
    co_await client.until([&] { return client.answers[id].interim.size() == 2; });
    EXPECT_THAT(client.answers[id].interim, ElementsAre("103", "100"));
    client.more(id, "abc", true);
    EXPECT_EQ((co_await client.answer(id)).status, "200");
  });
}

TEST_F(Http2Test, AnAnswerBeforeTheContentEndsTheStream) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    (void)co_await peer.read_all();
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const int32_t id = client.ask(post("/"), "abc", {}, true);
    const Answer answer = co_await client.answer(id);
    EXPECT_EQ(answer.status, "403");
    EXPECT_EQ(answer.body, "no");
    EXPECT_TRUE(answer.ended);
    EXPECT_FALSE(answer.reset) << "NO_ERROR: the answer counts";
    EXPECT_FALSE(client.ended);
  });
}

TEST_F(Http2Test, TrailersBeforeTheContentIsThere) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                       std::string("9c40\r\n") + std::string(40'000, 'x') +
                       "\r\n0\r\ngrpc-status: 8\r\n\r\n");
    (void)co_await peer.read_all();
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    for (int i = 0; i < 5; ++i) client.ask(post("/"), "abc", {}, true);
    for (int i = 0; i < 5; ++i) {
      const Answer answer = co_await client.answer(2 * i + 1);
      EXPECT_EQ(answer.body.size(), 40'000u);
      EXPECT_THAT(answer.trailers, ElementsAre(Pair("grpc-status", "8")));
      EXPECT_FALSE(answer.reset);
    }
  });
}

TEST_F(Http2Test, AClientThatResetsCallsTheServiceOff) {
  bool called_off = false;
  sim.serve("10.0.1.1:80", [&](Peer& peer) -> Task<> {
    co_await peer.read_head();
    called_off = co_await peer.expect_end();
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const int32_t id = client.ask(get("/"));
    co_await client.flush();
    (void)co_await sleep_for(1s);
    client.reset(id);
    co_await client.flush();
    (void)co_await sleep_for(1s);
  });
  EXPECT_TRUE(called_off);
  EXPECT_THAT(finished, ElementsAre("0 / the client left"));
}

TEST_F(Http2Test, AClientThatLeavesEndsAllItsRequests) {
  sim.serve("10.0.1.1:80", [&](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.expect_end();
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    for (int i = 0; i < 3; ++i) client.ask(get("/"));
    co_await client.flush();
    (void)co_await sleep_for(1s);
    client.peer().close();
    (void)co_await sleep_for(1s);
  });
  EXPECT_THAT(finished,
              ElementsAre("0 / the client left", "0 / the client left", "0 / the client left"));
}

TEST_F(Http2Test, ABrokenAnswerDoesNotLookWhole) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    (void)co_await sleep_for(1s);
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    const Answer answer = co_await client.fetch(get("/"));
    EXPECT_EQ(answer.body, "hello");
    EXPECT_FALSE(answer.ended);
    EXPECT_EQ(answer.reset, NGHTTP2_INTERNAL_ERROR);
    EXPECT_EQ((co_await client.fetch(get("/"))).status, "200") << "the others live on";
  });
}

TEST_F(Http2Test, WhatIsTooLarge) {
  serve_echo();
  run(config("limits: { head: 1KiB, target: 100, body: 10, fields: 8 }"),
      [this](SimGateway&) -> Task<> {
        H2Peer client(co_await connect());
        EXPECT_EQ((co_await client.fetch(get("/", {{"a", std::string(1000, 'a')}}))).status, "431");
        EXPECT_EQ((co_await client.fetch(get("/" + std::string(100, 'a')))).status, "414");
        EXPECT_EQ(
            (co_await client.fetch(post("/", {{"content-length", "11"}}), "01234567890")).status,
            "413");
        EXPECT_EQ((co_await client.fetch(post("/"), "01234567890")).status, "413");
        h2::Fields many = get("/");
        for (int i = 0; i < 9; ++i) many.emplace_back("x-" + std::to_string(i), "1");
        EXPECT_EQ((co_await client.fetch(many)).status, "431");
        EXPECT_EQ((co_await client.fetch(get("/ok"))).status, "200");
      });
  EXPECT_EQ(asked.size(), 2u) << "the content of unknown length had begun";
}

TEST_F(Http2Test, MoreStreamsThanAllowedAreRefused) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    (void)co_await sleep_for(1s);
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  run(config("http2: { streams: 2 }"), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    // Before our settings have come a client may believe what it wants.
    for (int i = 0; i < 3; ++i) client.ask(get("/"));
    EXPECT_EQ((co_await client.answer(5)).reset, NGHTTP2_REFUSED_STREAM);
    EXPECT_EQ((co_await client.answer(1)).status, "200");
    EXPECT_EQ((co_await client.answer(3)).status, "200");
  });
}

TEST_F(Http2Test, ClientsThatAreSlow) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    const std::string head = co_await peer.read_head();
    if (head.starts_with("GET"))
      co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" +
                         std::string(100'000, 'x'));
    (void)co_await peer.read_slowly(1000, 1ms);
  });
  const auto limits = "limits: { body_timeout: 2s, send_timeout: 3s, idle_timeout: 20s }";
  run(config(limits), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect(), {}, true);
    const int32_t silent = client.ask(post("/"), "abc", {}, true);
    const Answer answer = co_await client.answer(silent);
    EXPECT_EQ(answer.status, "408");
    EXPECT_EQ(sim.elapsed(), 2s);
    const int32_t greedy = client.ask(get("/"));
    EXPECT_EQ((co_await client.answer(greedy)).reset, NGHTTP2_CANCEL);
    EXPECT_EQ(sim.elapsed(), 8s) << "it took a window full in the first 3 s, and then nothing";
    co_await client.until([&] { return client.goaway.has_value(); });
    EXPECT_EQ(client.goaway, NGHTTP2_NO_ERROR);
    EXPECT_EQ(sim.elapsed(), 28s) << "and then it was idle";
  });
}

TEST_F(Http2Test, AHeadThatDoesNotEnd) {
  run(config("limits: { head_timeout: 2s }"), [this](SimGateway&) -> Task<> {
    Peer raw = co_await connect();
    co_await raw.send(h2::preface);
    co_await raw.send(h2::frame(NGHTTP2_SETTINGS, 0, 0, ""));
    co_await raw.send(h2::frame(NGHTTP2_HEADERS, 0, 1, h2::literals(get("/"))));
    (void)co_await raw.read_all();
    EXPECT_EQ(sim.elapsed(), 2s);
  });
  EXPECT_THAT(finished, ElementsAre("0 ? the request's head did not arrive in time"));
}

TEST_F(Http2Test, DrainingTellsClientsAndFinishesWhatRuns) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    (void)co_await sleep_for(3s);
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  run(config(), [this](SimGateway& gateway) -> Task<> {
    H2Peer client(co_await connect()), idle(co_await connect());
    const int32_t id = client.ask(get("/"));
    co_await client.flush();
    co_await idle.flush();
    (void)co_await sleep_for(1s);
    gateway.server().drain();
    co_await client.until([&] { return client.goaway.has_value(); });
    EXPECT_EQ(client.goaway, NGHTTP2_NO_ERROR);
    EXPECT_EQ((co_await client.answer(id)).body, "ok");
    EXPECT_EQ(sim.elapsed(), 3s);
    co_await client.until([] { return false; });
    EXPECT_TRUE(client.ended) << "after the last answer";
    co_await idle.until([] { return false; });
    EXPECT_TRUE(idle.ended);
    EXPECT_EQ(sim.elapsed(), 3s);
  });
}

TEST_F(Http2Test, AConnectionCarriesSoManyRequests) {
  serve_echo();
  run(config("limits: { requests: 2 }"), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    EXPECT_EQ((co_await client.fetch(get("/"))).status, "200");
    EXPECT_EQ((co_await client.fetch(get("/"))).status, "200");
    co_await client.until([] { return false; });
    EXPECT_EQ(client.goaway, NGHTTP2_NO_ERROR);
  });
}

TEST_F(Http2Test, AWebSocketIsAnUpgradeForTheService) {
  sim.serve("10.0.1.1:80", [this](Peer& peer) -> Task<> {
    asked.push_back(co_await peer.read_head());
    const size_t at = asked[0].find("sec-websocket-key: ") + 19;
    const std::string key = asked[0].substr(at, asked[0].find('\r', at) - at);
    co_await peer.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: " +
        accept_of(key) + "\r\n\r\nhello");
    co_await peer.expect("ping");
    co_await peer.send("pong");
    co_await peer.expect_end();
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    h2::Fields fields = get("/chat", {{"sec-websocket-protocol", "chat"}});
    fields[0].second = "CONNECT";
    fields.insert(fields.begin() + 1, {":protocol", "websocket"});
    co_await client.until([&] {
      return nghttp2_session_get_remote_settings(client.session(),
                                                 NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
    });
    const int32_t id = client.ask(fields, {}, {}, true);
    co_await client.until([&] { return client.answers[id].body == "hello"; });
    EXPECT_EQ(client.answers[id].status, "200");
    EXPECT_EQ(client.answers[id].field("sec-websocket-protocol"), "chat");
    EXPECT_EQ(client.answers[id].field("sec-websocket-accept"), "-");
    client.more(id, "ping", false);
    co_await client.until([&] { return client.answers[id].body == "hellopong"; });
    client.more(id, "", true);
    EXPECT_FALSE((co_await client.answer(id)).reset);
  });
  EXPECT_THAT(asked[0], testing::StartsWith("GET /chat HTTP/1.1\r\n"));
  EXPECT_THAT(asked[0], HasSubstr("connection: upgrade\r\nupgrade: websocket\r\n"));
  EXPECT_THAT(finished, ElementsAre("200 /chat"));
}

TEST_F(Http2Test, AWrongAcceptIsNoWebSocket) {
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    co_await peer.read_head();
    co_await peer.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\nSec-WebSocket-Accept: x\r\n\r\n");
    co_await peer.expect_end();
  });
  run(config(), [this](SimGateway&) -> Task<> {
    H2Peer client(co_await connect());
    h2::Fields fields = get("/chat");
    fields[0].second = "CONNECT";
    fields.insert(fields.begin() + 1, {":protocol", "websocket"});
    co_await client.until([&] {
      return nghttp2_session_get_remote_settings(client.session(),
                                                 NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
    });
    EXPECT_EQ((co_await client.answer(client.ask(fields, {}, {}, true))).status, "502");
  });
}

TEST_F(Http2Test, SwitchedOffItIsUnknown) {
  run(config("http2: false"), [this](SimGateway&) -> Task<> {
    Peer raw = co_await connect();
    co_await raw.send(h2::preface);
    EXPECT_THAT(co_await raw.read_head(), testing::StartsWith("HTTP/1.1 505"));
    (void)co_await raw.read_all();
  });
}

TEST_F(Http2Test, Http1IsStillThere) {
  serve_echo();
  run(config(), [this](SimGateway&) -> Task<> {
    Peer raw = co_await connect();
    co_await raw.send("GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(co_await raw.read_all(), testing::StartsWith("HTTP/1.1 200"));
    Peer late = co_await connect();
    co_await late.send("GET / HTTP/1.1\r\nHost: shop\r\n\r\n");
    co_await late.read_until("HTTP/1.1|");
    co_await late.send(h2::preface);
    EXPECT_THAT(co_await late.read_head(), testing::StartsWith("HTTP/1.1 505"))
        << "a connection is of one protocol from its first byte";
    (void)co_await late.read_all();
  });
}

}  // namespace
}  // namespace banyan
