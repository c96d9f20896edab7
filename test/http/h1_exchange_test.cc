#include <fmt/format.h>

#include "http/h1_harness.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view at = "10.0.0.1:80";

// Reads all of the content, then answers with what it was.
Task<Reply> echo(Request& request) {
  const Content content = co_await read_content(request.body);
  if (!content.fault.empty())
    co_return fail({content.code, Side::client, false, 400, "the content was cut"});
  co_return make_response(request, 200, "text/plain",
                          fmt::format("{} {} [{}] {}", request.method_text, request.target.forward,
                                      content.text, content.trailers));
}

Task<Reply> ok(Request& request) { co_return make_response(request, 200); }

std::string answer(std::string_view text, std::string_view more = "") {
  return fmt::format(
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: now\r\ncontent-length: {}\r\n{}\r\n{}",
      text.size(), more, text);
}

// Sends the bytes, all at once, and gives what comes back until the end.
std::string talk(TestServer& server, std::string_view bytes, size_t read_max = SIZE_MAX,
                 Duration latency = {}) {
  Sim sim(1, "10.0.0.1");
  sim.world().link().read_max = read_max;
  sim.world().link().latency = latency;
  server.serve(sim, std::string(at));
  return sim.run([&]() -> Task<std::string> {
    Peer client = co_await dial(sim.host("10.0.0.9"), at);
    co_await client.send(bytes);
    co_return co_await client.read_all();
  });
}

constexpr std::string_view session =
    "POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
    "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4;x=\"y\"\r\nWiki\r\n5\r\npedia\r\n0000\r\nX-Sum: 9\r\n\r\n"
    "\r\nGET /a%7eb?c HTTP/1.1\r\nHost: a\r\n\r\n"
    "PUT /empty HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    "HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n"
    "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::string session_answers() {
  const std::string head = answer("HEAD /head [] ");
  return answer("POST /length [hello world] ") + answer("POST /chunked [Wikipedia] X-Sum=9;") +
         answer("GET /a~b?c [] ") + answer("PUT /empty [] ") +
         head.substr(0, head.find("\r\n\r\n") + 4) +
         answer("GET /last [] ", "connection: close\r\n");
}

// However the bytes arrive, the conversation is the same.
TEST(H1Exchange, EverySplitOfTheStream) {
  for (size_t cut = 1; cut < session.size() + 2; ++cut) {
    TestServer server(echo);
    ASSERT_EQ(talk(server, session, cut), session_answers()) << "reads of " << cut;
    EXPECT_EQ(server.records.size(), 6u);
  }
}

TEST(H1Exchange, TwoPartsCutAnywhere) {
  for (size_t cut = 1; cut < session.size(); ++cut) {
    TestServer server(echo);
    Sim sim(1, "10.0.0.1");
    server.serve(sim, std::string(at));
    const std::string got = sim.run([&]() -> Task<std::string> {
      Peer client = co_await dial(sim.host("10.0.0.9"), at);
      co_await client.send(session.substr(0, cut));
      EXPECT_TRUE(co_await sleep_for(1ms));
      co_await client.send(session.substr(cut));
      co_return co_await client.read_all();
    });
    ASSERT_EQ(got, session_answers()) << "cut at " << cut;
  }
}

// Each of these ends the connection with its status, reaches no service, and nothing behind it is
// taken for a request.
struct Refused {
  uint16_t status;
  std::string bytes;
};

std::string with(std::string_view fields) {
  return fmt::format("POST / HTTP/1.1\r\nHost: a\r\n{}\r\n", fields);
}

TEST(H1Exchange, WhatCannotBeReadInOneWayIsRefused) {
  const std::string big = "18446744073709551616";
  const Refused table[] = {
      {400, with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")},
      {400, with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")},
      {400, with("Content-Length: 3\r\nContent-Length: 3\r\n")},
      {400, with("Content-Length: 3\r\ncontent-LENGTH: 4\r\n")},
      {400, with("Content-Length: 3, 3\r\n")},
      {400, with("Content-Length: +3\r\n")},
      {400, with("Content-Length: -3\r\n")},
      {400, with("Content-Length: 3 3\r\n")},
      {400, with("Content-Length: 0x3\r\n")},
      {400, with("Content-Length: \r\n")},
      {400, with("Content-Length: 3;\r\n")},
      {400, with("Content-Length: 9223372036854775808\r\n")},
      {400, with("Content-Length: " + big + "\r\n")},
      {400, with("Content-Length : 3\r\n")},
      {400, with("Content-Length\t: 3\r\n")},
      {400, with(" Content-Length: 3\r\n")},
      {400, with("X: 1\r\n Content-Length: 3\r\n")},
      {400, with("X: 1\r\n\tfolded\r\n")},
      {400, with("Transfer-Encoding: chunked, chunked\r\n")},
      {400, with("Transfer-Encoding: gzip, chunked\r\n")},
      {400, with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      {400, with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")},
      {400, with("Transfer-Encoding: \r\n")},
      {400, with("Transfer-Encoding: chunked;q=1\r\n")},
      {400, with("Transfer-Encoding: \"chunked\"x y\r\n")},
      {400, with("Transfer-Encoding: \vchunked\r\n")},
      {400, with("Transfer-Encoding : chunked\r\n")},
      {501, with("Transfer-Encoding: gzip\r\n")},
      {501, with("Transfer-Encoding: identity\r\n")},
      {501, with("Transfer-Encoding: xchunked\r\n")},
      {400, "GET / HTTP/1.1\nHost: a\n\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"},
      {400, "GET / HTTP/1.1\rHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\n\rHost: a\r\n\r\n"},
      {400, with(std::string("X: a\0b\r\n", 8))},
      {400, with(std::string("X\0: b\r\n", 7))},
      {400, with("X: a\x01\r\n")},
      {400, with("X: a\x7f\r\n")},
      {400, with("X\x80: a\r\n")},
      {400, with("X y: a\r\n")},
      {400, with(": a\r\n")},
      {400, with("no colon\r\n")},
      {400, std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 29)},
      {400, "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /\ta HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {400, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET\r\nHost: a\r\n\r\n"},
      {400, "GET /\r\nHost: a\r\n\r\n"},
      {400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"},
      {400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /%2e%2E/x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"},
      {400, "GET / HTTP/1.1x\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/11\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
      {400, "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/ 1.1\r\nHost: a\r\n\r\n"},
      {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
      {400, std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15)},
      {417, with("Content-Length: 1\r\nExpect: 200-ok\r\n")},
      {413, with("Content-Length: 10485761\r\n")},
      {414, "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"},
      {414, "GET /" + std::string(40000, 'a')},
      {431, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40000, 'a')},
      {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
  };
  for (const Refused& r : table) {
    TestServer server([](Request& request) -> Task<Reply> {
      ADD_FAILURE() << "the service was reached";
      return ok(request);
    });
    const std::string got = talk(server, r.bytes + "xyGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(got.starts_with(fmt::format("HTTP/1.1 {} ", r.status)))
        << printable(r.bytes) << "\n"
        << got;
    EXPECT_NE(got.find("connection: close\r\n"), std::string::npos) << printable(r.bytes);
    EXPECT_EQ(got.find("HTTP/1.1", 8), std::string::npos) << "answered twice: " << got;
    ASSERT_EQ(server.records.size(), 1u);
    EXPECT_EQ(server.records[0].status, r.status);
    EXPECT_EQ(server.records[0].error->side, Side::client);
  }
}

// A content that breaks the rules: the service sees the fault, and the connection ends.
TEST(H1Exchange, BadChunksAreRefused) {
  const std::string_view table[] = {
      "x\r\n",
      "\r\n",
      "-1\r\na\r\n0\r\n\r\n",
      "+1\r\na\r\n0\r\n\r\n",
      "0x1\r\na\r\n0\r\n\r\n",
      "1 \r\na\r\n0\r\n\r\n",
      "1\na\r\n0\r\n\r\n",
      "1\r\nab\r\n0\r\n\r\n",
      "1\r\na\n0\r\n\r\n",
      "1\r\na\r0\r\n\r\n",
      "1;a=\x01\r\na\r\n0\r\n\r\n",
      "1;a\nb\r\na\r\n0\r\n\r\n",
      "10000000000000000\r\n",
      "ffffffffffffffff\r\n",
      "0\r\nX : 1\r\n\r\n",
      "0\r\nX\r\n\r\n",
      "0\r\nX: 1\n\r\n",
      "0\r\n X: 1\r\n\r\n",
      "0\r\nX: \x01\r\n\r\n",
      "0\n\n",
  };
  for (std::string_view chunks : table) {
    TestServer server(echo);
    const std::string got =
        talk(server, fmt::format("{}{}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
                                 with("Transfer-Encoding: chunked\r\n"), chunks));
    EXPECT_TRUE(got.starts_with("HTTP/1.1 400 ")) << printable(chunks) << "\n" << got;
    EXPECT_NE(got.find("connection: close\r\n"), std::string::npos) << printable(chunks);
    EXPECT_EQ(got.find("smuggled"), std::string::npos) << got;
  }
  TestServer server(echo);
  const std::string long_extension = "1;" + std::string(5000, 'e') + "\r\na\r\n0\r\n\r\n";
  EXPECT_TRUE(talk(server, with("Transfer-Encoding: chunked\r\n") + long_extension)
                  .starts_with("HTTP/1.1 400 "));
}

TEST(H1Exchange, AServiceThatReadsNothing) {
  // The content is here: it is dropped, and the next request is answered.
  TestServer all(ok);
  const std::string two =
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::string empty = "HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 0\r\n";
  EXPECT_EQ(talk(all, two), empty + "\r\n" + empty + "connection: close\r\n\r\n");
  // It is not: nobody waits for it, and it is never taken for a request.
  TestServer part(ok);
  EXPECT_EQ(talk(part,
                 "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n"
                 "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
            empty + "connection: close\r\n\r\n");
  EXPECT_EQ(part.records.size(), 1u);
}

// The 100 goes out once, when somebody asks for the content; never behind the answer's head.
TEST(H1Exchange, ContinueIsSentWhenTheContentIsAskedFor) {
  TestServer server(echo);
  EXPECT_EQ(talk(server,
                 "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n"
                 "Connection: close\r\n\r\nab"),
            "HTTP/1.1 100 Continue\r\n\r\n" + answer("PUT / [ab] ", "connection: close\r\n"));
  TestServer refuses(ok);
  EXPECT_EQ(talk(refuses,
                 "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                 "Content-Length: 2\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  TestServer none(echo);
  EXPECT_EQ(talk(none,
                 "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n"
                 "Connection: close\r\n\r\n"),
            answer("PUT / [] ", "connection: close\r\n"));
}

// The answer is sent first and the content asked for behind it, by a task in the background: its
// 100 would stand in the middle of the answer.
TEST(H1Exchange, NoContinueBehindTheAnswer) {
  class Late final : public Body {
   public:
    explicit Late(Request& request) : request_(request) {}
    Task<Result<Bytes>> read() override {
      request_.background->start([this] { return ask(); });
      EXPECT_TRUE(co_await sleep_for(1ms));
      ended_ = true;
      co_return "late";
    }
    bool ended() const override { return ended_; }
    std::optional<uint64_t> length() const override { return 4; }

   private:
    Task<> ask() { EXPECT_FALSE(co_await request_.body->read()); }
    Request& request_;
    bool ended_ = false;
  };
  TestServer server([](Request& request) -> Task<Reply> {
    Response rsp = make_response(request, 200);
    rsp.body = std::make_unique<Late>(request);
    co_return rsp;
  });
  EXPECT_EQ(talk(server,
                 "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                 "Content-Length: 2\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 4\r\nconnection: close\r\n\r\nlate");
}

TEST(H1Exchange, SlowHeadsAndContentsAreCut) {
  struct Slow {
    std::string_view first, rest;
    Duration after;
    std::string_view status;
  };
  for (const Slow& s :
       {Slow{"GET / HT", "TP/1.1\r\nHost: a\r\n\r\n", 10s, "HTTP/1.1 408 "},
        Slow{"GET / HT", "TP/1.1\r\nHost: a\r\n\r\n", 9s, "HTTP/1.1 200 "},
        Slow{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na", "b", 31s, "HTTP/1.1 400 "},
        Slow{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na", "b", 29s,
             "HTTP/1.1 200 "}}) {
    TestServer server(echo);
    Sim sim(1, "10.0.0.1");
    server.serve(sim, std::string(at));
    const std::string got = sim.run([&]() -> Task<std::string> {
      Peer client = co_await dial(sim.host("10.0.0.9"), at);
      co_await client.send(s.first);
      EXPECT_TRUE(co_await sleep_for(s.after));
      co_await client.send(s.rest);
      co_return co_await client.read_head();
    });
    EXPECT_TRUE(got.starts_with(s.status)) << got;
  }
}

// A connection that waits holds no buffer: not between requests, not for an answer, not for a
// content that trickles, not as a tunnel.
TEST(H1Exchange, WhoWaitsHoldsNoBuffer) {
  size_t while_answering = 1;
  TestServer server([&](Request& request) -> Task<Reply> {
    if (request.body == nullptr) {
      EXPECT_TRUE(co_await sleep_for(1s));
      while_answering = Buffer::held_bytes();
    }
    co_return co_await echo(request);
  });
  Sim sim(1, "10.0.0.1");
  server.serve(sim, std::string(at));
  sim.run([&]() -> Task<> {
    Peer client = co_await dial(sim.host("10.0.0.9"), at);
    co_await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    (void)co_await client.read_until("[] ");
    EXPECT_EQ(while_answering, 0u);
    EXPECT_TRUE(co_await sleep_for(1s));
    EXPECT_EQ(Buffer::held_bytes(), 0u) << "between two requests";
    co_await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3; ++i) {
      co_await client.send("1\r\nx\r\n");
      EXPECT_TRUE(co_await sleep_for(1s));
      EXPECT_EQ(Buffer::held_bytes(), 0u) << "within a content";
    }
  });
  EXPECT_EQ(Buffer::held_bytes(), 0u);
}

TEST(H1Exchange, AHalfCloseRightBehindTheRequestIsServed) {
  TestServer server([](Request& request) -> Task<Reply> {
    TRY(co_await sleep_for(20s));
    co_return make_response(request, 200);
  });
  Sim sim(1, "10.0.0.1");
  server.serve(sim, std::string(at));
  const std::string got = sim.run([&]() -> Task<std::string> {
    Peer client = co_await dial(sim.host("10.0.0.9"), at);
    co_await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.shutdown_write();
    co_return co_await client.read_all();
  });
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 ")) << got;
}

TEST(H1Exchange, AClientThatLeavesCallsTheWorkOff) {
  for (bool reset : {false, true}) {
    Code seen{};
    TestServer server([&](Request& request) -> Task<Reply> {
      const auto slept = co_await sleep_for(20s);
      seen = slept ? Code::bug : slept.error().code;
      TRY(slept);
      co_return make_response(request, 200);
    });
    Sim sim(1, "10.0.0.1");
    server.serve(sim, std::string(at));
    sim.run([&]() -> Task<> {
      Peer client = co_await dial(sim.host("10.0.0.9"), at);
      co_await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      EXPECT_TRUE(co_await sleep_for(1s));
      if (reset)
        client.reset();
      else
        client.close();
      EXPECT_TRUE(co_await sleep_for(1ms));
      EXPECT_EQ(server.records.size(), 1u);
    });
    EXPECT_EQ(seen, Code::cancelled);
    ASSERT_EQ(server.records.size(), 1u);
    EXPECT_EQ(server.records[0].error->side, Side::client);
    EXPECT_EQ(server.records[0].status, 0);
  }
}

// Drain closes an idle connection in the moment its next request is there: it is answered.
TEST(H1Exchange, ARequestThatMeetsTheDrainIsAnswered) {
  TestServer server([](Request& request) -> Task<Reply> {
    TRY(co_await sleep_for(5s));
    co_return make_response(request, 200);
  });
  Sim sim(1, "10.0.0.1");
  server.serve(sim, std::string(at));
  const std::string got = sim.run([&]() -> Task<std::string> {
    Peer client = co_await dial(sim.host("10.0.0.9"), at);
    EXPECT_TRUE(co_await sleep_for(1s));
    server.drains = true;
    co_await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.last->close_if_idle();
    co_return co_await client.read_all();
  });
  EXPECT_EQ(got, "HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

// The last answer of a connection survives bytes that nobody reads: a close would reset it.
TEST(H1Exchange, TheLastAnswerIsNotOvertakenByAReset) {
  TestServer server([](Request& request) -> Task<Reply> {
    TRY(co_await sleep_for(1ms));  // the rest arrives meanwhile, and stays with the kernel
    co_return make_response(request, 200);
  });
  Sim sim(1, "10.0.0.1");
  const std::string_view last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  sim.world().link().read_max = last.size();
  server.serve(sim, std::string(at));
  sim.run([&]() -> Task<> {
    Peer client = co_await dial(sim.host("10.0.0.9"), at);
    co_await client.send(last);
    co_await client.send("GET /more HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string got = co_await client.read_all();
    EXPECT_TRUE(got.ends_with("connection: close\r\n\r\n")) << got;
  });
  EXPECT_EQ(server.records.size(), 1u);
}

TEST(H1Exchange, AServiceThatLiesAboutALengthIsCutOff) {
  class Liar final : public Body {
   public:
    explicit Liar(uint64_t told) : told_(told) {}
    Task<Result<Bytes>> read() override { co_return ready(); }
    Bytes ready() override { return std::exchange(text_, {}); }
    bool ended() const override { return text_.empty(); }
    std::optional<uint64_t> length() const override { return told_; }

   private:
    uint64_t told_;
    std::string_view text_ = "12345";
  };
  for (uint64_t told : {3u, 9u}) {
    TestServer server([told](Request& request) -> Task<Reply> {
      Response rsp = make_response(request, 200);
      rsp.body = std::make_unique<Liar>(told);
      co_return rsp;
    });
    const std::string got = talk(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_FALSE(got.ends_with("12345") && told == 3);
    ASSERT_EQ(server.records.size(), 1u);
    EXPECT_EQ(server.records[0].error->code, Code::bug);
  }
}

}  // namespace
}  // namespace banyan
