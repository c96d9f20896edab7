#include <fmt/format.h>

#include "http/h1_harness.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view at = "10.0.0.2:80";

// A body whose pieces come one after the other, each after a pause; with trailers if wanted.
class Pieces final : public Body {
 public:
  explicit Pieces(std::vector<std::string> pieces, const Headers* trailers = nullptr)
      : pieces_(std::move(pieces)), trailers_(trailers) {}
  Task<Result<Bytes>> read() override {
    TRY(co_await sleep_for(1ms));
    if (fault) co_return fail(*fault);
    co_return ended() ? Bytes{} : Bytes(pieces_[next_++]);
  }
  bool ended() const override { return next_ == pieces_.size() && !fault; }
  std::optional<uint64_t> length() const override { return told; }
  const Headers* trailers() const override { return trailers_; }

  std::optional<uint64_t> told;
  std::optional<Error> fault;  // instead of the next piece

 private:
  const std::vector<std::string> pieces_;
  const Headers* const trailers_;
  size_t next_ = 0;
};

// What became of an exchange.
struct Outcome {
  uint16_t status = 0;
  std::string fields;  // "name=value;"
  Content content;
  std::optional<Error> error;
  bool reusable = false;
  bool silent = false;
};

// One exchange with an endpoint that runs `script`.
template <class Script>
Outcome ask(TestClient::Asked asked, Script script, size_t read_max = SIZE_MAX,
            H1ClientLimits limits = {}) {
  Sim sim(1, "10.0.0.1");
  sim.world().link().read_max = read_max;
  sim.serve(at, script);
  Outcome out;
  TestClient client;
  client.limits = limits;
  sim.run([&]() -> Task<> {
    auto stream = co_await sim.engine().connect(*parse_address(at));
    CHECK(stream.has_value());
    auto use = [&](Reply reply) -> Task<> {
      if (!reply) out.error = reply.error();
      if (!reply) co_return;
      out.status = reply->status;
      for (const Field& f : *reply->headers) out.fields += fmt::format("{}={};", f.name, f.value);
      out.content = co_await read_content(reply->body.get());
    };
    co_await client.exchange(std::move(*stream), asked, use);
    EXPECT_TRUE(co_await sleep_for(10ms));  // the script sees the end
  });
  out.reusable = client.reusable;
  out.silent = client.silent;
  return out;
}

// An endpoint that takes one head and answers with these bytes, then closes, or stays.
auto endpoint(std::string bytes, bool stays = true) {
  return [bytes = std::move(bytes), stays](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    co_await peer.send(bytes);
    if (stays) (void)co_await peer.read_all();
  };
}

TEST(H1Client, EverySplitOfTheAnswer) {
  const std::string bytes =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
      "5;e\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n";
  for (size_t cut = 1; cut <= bytes.size(); ++cut) {
    const Outcome o = ask({}, endpoint(bytes), cut);
    ASSERT_FALSE(o.error) << cut << ": " << o.error->what;
    EXPECT_EQ(o.status, 200);
    EXPECT_EQ(o.fields, "Transfer-Encoding=chunked;X=y;");
    EXPECT_EQ(o.content.text, "hello world");
    EXPECT_EQ(o.content.trailers, "X-Sum=11;");
    EXPECT_EQ(o.content.fault, "");
    EXPECT_TRUE(o.reusable) << cut;
  }
}

struct Framed {
  std::string_view method;
  std::string bytes;
  std::string text;
  bool reusable;
};

TEST(H1Client, AnswersAreFramedInOneWay) {
  const Framed table[] = {
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", true},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true},
      {"GET", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "ok", true},
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", "ok", false},
      {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", false},
      {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", "ok",
       true},
      {"GET", "HTTP/1.1 204 No Content\r\n\r\n", "", true},
      {"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "", true},
      {"GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "", false},
      {"GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "", false},
      {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", true},
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "", true},
      {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", true},
      // Bytes behind the answer would be taken for the next one.
      {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", "ok", false},
      {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1",
       "ok", false},
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "", false},
      {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok", "", false},
      {"GET", "HTTP/1.1 204 No Content\r\n\r\nok", "", false},
  };
  for (const Framed& f : table) {
    const Outcome o = ask({.method = f.method}, endpoint(f.bytes));
    ASSERT_FALSE(o.error) << f.bytes << o.error->what;
    EXPECT_EQ(o.content.text, f.text) << f.bytes;
    EXPECT_EQ(o.content.fault, "") << f.bytes;
    EXPECT_EQ(o.reusable, f.reusable) << f.bytes;
  }
}

TEST(H1Client, AContentThatEndsWithTheConnection) {
  const Outcome o = ask({}, endpoint("HTTP/1.1 200 OK\r\n\r\nall of it", false));
  EXPECT_EQ(o.content.text, "all of it");
  EXPECT_EQ(o.content.fault, "");
  EXPECT_FALSE(o.reusable);
}

TEST(H1Client, MalformedAnswersAreNoAnswers) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string table[] = {
      ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
      ok + "Content-Length: 2, 2\r\n\r\nok",
      ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      ok + "Content-Length: +2\r\n\r\nok",
      ok + "Content-Length: 99999999999999999999\r\n\r\nok",
      ok + "Transfer-Encoding: gzip\r\n\r\nok",
      ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ok + "X : y\r\n\r\n",
      ok + "X: y\r\n folded\r\n\r\n",
      ok + "X: y\n\r\n",
      ok + "X: \x01\r\n\r\n",
      ok + "no colon\r\n\r\n",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/2 200 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 600 OK\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1  200 OK\r\n\r\n",
      "http/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 200 O\rK\r\n\r\n",
      "\r\nHTTP/1.1 200 OK\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      ok + "X: " + std::string(70'000, 'x') + "\r\n\r\n",
      std::string(70'000, 'x'),
      std::string("HTTP/1.1 100 Continue\r\n\r\n") + "HTTP/1.1 bad\r\n\r\n",
  };
  for (const std::string& bytes : table) {
    const Outcome o = ask({}, endpoint(bytes));
    ASSERT_TRUE(o.error) << printable(bytes);
    EXPECT_EQ(o.error->code, Code::protocol) << printable(bytes);
    EXPECT_EQ(o.error->side, Side::upstream) << printable(bytes);
    EXPECT_FALSE(o.reusable);
    EXPECT_FALSE(o.silent);
  }
}

TEST(H1Client, ContentsThatBreakOffAreFaults) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string table[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
      chunked,
      chunked + "4\r\nhalf",
      chunked + "4\r\nhalf\r\n",
      chunked + "4\r\nhalf\r\n0\r\n",
      chunked + "4\r\nhalf\r\n0\r\nX: y\r\n",
      chunked + "4\r\nhalfmore\r\n0\r\n\r\n",
      chunked + "4\r\nhalf\r\nz\r\n",
  };
  for (const std::string& bytes : table) {
    for (size_t cut : {size_t{1}, size_t{3}, SIZE_MAX}) {
      const Outcome o = ask({}, endpoint(bytes, false), cut);
      ASSERT_FALSE(o.error) << bytes;
      EXPECT_NE(o.content.fault, "") << bytes;
      EXPECT_FALSE(o.reusable) << bytes;
    }
  }
}

TEST(H1Client, AnEndThatSaysNothingIsSilent) {
  auto closes = [](Peer& peer) -> Task<> { (void)co_await peer.read_head(); };
  const Outcome o = ask({}, closes);
  EXPECT_EQ(o.error->code, Code::reset);
  EXPECT_TRUE(o.silent);
  // A single byte of an answer is none, but shows that the request was seen.
  const Outcome part = ask({}, endpoint("H", false));
  EXPECT_EQ(part.error->code, Code::reset);
  EXPECT_FALSE(part.silent);
}

TEST(H1Client, TooManyInterimAnswers) {
  std::string bytes;
  for (int i = 0; i < 16; ++i) bytes += "HTTP/1.1 102 Processing\r\n\r\n";
  const std::string final = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(ask({}, endpoint(bytes + final)).status, 200);
  const Outcome o = ask({}, endpoint(bytes + "HTTP/1.1 100 Continue\r\n\r\n" + final));
  ASSERT_TRUE(o.error);
  EXPECT_EQ(o.error->code, Code::protocol);
}

constexpr std::string_view put_head = "PUT / HTTP/1.1\r\nhost: origin\r\n";
constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST(H1Client, ContentsGoOutAsTheyCome) {
  for (size_t cut : {size_t{1}, size_t{7}, SIZE_MAX}) {
    Arena arena;
    Headers trailers(arena);
    trailers.add("x-sum", "9");
    trailers.add(Name::content_length, "99");  // the writer's own business
    Pieces chunked({"Wiki", "pedia"}, &trailers);
    auto takes_chunks = [](Peer& peer) -> Task<> {
      co_await peer.expect(put_head);
      co_await peer.expect(
          "transfer-encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\nx-sum: 9\r\n\r\n");
      co_await peer.send(fine);
      (void)co_await peer.read_all();
    };
    const Outcome o = ask({.method = "PUT", .body = &chunked}, takes_chunks, cut);
    EXPECT_EQ(o.status, 200);
    EXPECT_TRUE(o.reusable);

    Pieces plain({"Wiki", "pedia"});
    plain.told = 9;
    auto takes_bytes = [](Peer& peer) -> Task<> {
      co_await peer.expect(put_head);
      co_await peer.expect("content-length: 9\r\n\r\nWikipedia");
      co_await peer.send(fine);
      (void)co_await peer.read_all();
    };
    EXPECT_TRUE(ask({.method = "PUT", .body = &plain}, takes_bytes, cut).reusable);
  }
}

TEST(H1Client, AnEarlyAnswerCounts) {
  Pieces body({"a", "b", "c", "d"});
  body.told = 4;
  auto answers_early = [](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    co_await peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    (void)co_await peer.read_all();
  };
  const Outcome o = ask({.method = "PUT", .body = &body}, answers_early);
  EXPECT_EQ(o.status, 403);
  EXPECT_EQ(o.content.text, "no");
  EXPECT_FALSE(o.reusable) << "the content was not all sent";
}

// An endpoint that answers and closes while it takes nothing more of the content.
TEST(H1Client, AnAnswerBeforeAResetCounts) {
  Pieces body({std::string(200'000, 'x'), std::string(200'000, 'y'), "z"});
  auto refuses = [](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    co_await peer.send(
        "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
  };
  const Outcome o = ask({.method = "PUT", .body = &body}, refuses);
  EXPECT_EQ(o.status, 413);
  EXPECT_FALSE(o.reusable);
}

TEST(H1Client, AContentThatFailsEndsTheExchange) {
  Pieces body({"a"});
  body.fault = Error{Code::too_large, Side::client, false, 413, "too much"};
  const Outcome o = ask({.method = "PUT", .body = &body}, endpoint("", true));
  ASSERT_TRUE(o.error);
  EXPECT_EQ(*o.error, *body.fault);
  EXPECT_FALSE(o.reusable);
}

// When the answer has begun, and ends with the connection, the end that we make ourselves must not
// pass for its own.
TEST(H1Client, AContentThatFailsCutsTheAnswerVisibly) {
  Pieces body({"a"});
  auto answers_early = [&body](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    co_await peer.send("HTTP/1.1 200 OK\r\n\r\nhalf");
    body.fault = Error{Code::reset, Side::client, false, 400, "the client broke off"};
    (void)co_await peer.read_all();
  };
  const Outcome o = ask({.method = "PUT", .body = &body}, answers_early);
  EXPECT_EQ(o.status, 200);
  EXPECT_EQ(o.content.text, "half");
  EXPECT_EQ(o.content.fault, "the client broke off");
  EXPECT_FALSE(o.reusable);
}

TEST(H1Client, WaitsForContinueASecond) {
  for (bool told : {true, false}) {
    Pieces body({"ab"});
    body.told = 2;
    Duration waited{};
    auto script = [&](Peer& peer) -> Task<> {
      Loop& loop = (co_await current_context()).loop;
      (void)co_await peer.read_head();
      const Time began = loop.now();
      if (told) {
        EXPECT_TRUE(co_await sleep_for(300ms));
        co_await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
      }
      co_await peer.expect("ab");
      waited = loop.now() - began;
      co_await peer.send(fine);
      (void)co_await peer.read_all();
    };
    const Outcome o = ask({.method = "PUT", .body = &body, .expects_continue = true}, script);
    EXPECT_EQ(o.status, 200);
    EXPECT_TRUE(o.reusable);
    EXPECT_EQ(waited, told ? Duration(301ms) : Duration(1001ms));
  }
}

TEST(H1Client, ARefusalSavesTheContent) {
  Pieces body({"ab"});
  auto refuses = [](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    co_await peer.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(co_await peer.read_all(), "");
  };
  const Outcome o = ask({.method = "PUT", .body = &body, .expects_continue = true}, refuses);
  EXPECT_EQ(o.status, 417);
  EXPECT_FALSE(o.reusable);
}

TEST(H1Client, InterimAnswersArePassedOnWithoutTheirHop) {
  class Heard final : public Interim {
   public:
    Task<Result<>> send(uint16_t status, const Headers& headers) override {
      text += std::to_string(status) + ":";
      for (const Field& f : headers) text += fmt::format("{}={};", f.name, f.value);
      co_return Result<>{};
    }
    std::string text;
  } heard;
  const Outcome o =
      ask({.interim = &heard},
          endpoint("HTTP/1.1 103 Early Hints\r\nLink: x\r\nConnection: y\r\nY: 1\r\n\r\n"
                   "HTTP/1.1 100 Continue\r\n\r\n" +
                   std::string(fine)));
  EXPECT_EQ(o.status, 200);
  EXPECT_EQ(heard.text, "103:Link=x;");
}

// One connection, one exchange after the other, as the pool does it; between them it holds nothing.
TEST(H1Client, ManyExchangesOnOneConnection) {
  Sim sim(1, "10.0.0.1");
  sim.serve(at, [](Peer& peer) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      (void)co_await peer.read_head();
      co_await peer.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", i));
    }
    (void)co_await peer.read_all();
  });
  TestClient client;
  std::string got;
  sim.run([&]() -> Task<> {
    auto stream = co_await sim.engine().connect(*parse_address(at));
    CHECK(stream.has_value());
    auto use = [&](Reply reply) -> Task<> {
      CHECK(reply.has_value());
      got += (co_await read_content(reply->body.get())).text;
    };
    client.connection = std::make_unique<H1Client>(std::move(*stream), client.limits);
    for (uint32_t i = 1; i <= 3; ++i) {
      co_await client.again({}, use);
      EXPECT_TRUE(client.reusable);
      EXPECT_TRUE(client.connection->quiet());
      EXPECT_EQ(client.connection->exchanges(), i);
      EXPECT_EQ(Buffer::held_bytes(), 0u);
    }
    client.connection.reset();
    EXPECT_TRUE(co_await sleep_for(1ms));
  });
  EXPECT_EQ(got, "012");
}

TEST(H1Client, TheProtocolOfATunnelIsTheAnswers) {
  std::string protocol, early;
  Sim sim(1, "10.0.0.1");
  sim.serve(at, endpoint("HTTP/1.1 101 Switching Protocols\r\nUpgrade: b\r\nConnection: upgrade\r\n"
                         "X: y\r\nZ: z\r\n\r\nearly"));
  TestClient client;
  sim.run([&]() -> Task<> {
    auto stream = co_await sim.engine().connect(*parse_address(at));
    CHECK(stream.has_value());
    auto use = [&](Reply reply) -> Task<> {
      CHECK(reply.has_value() && reply->tunnel != nullptr);
      remove_hop_by_hop(*reply->headers);
      protocol = reply->tunnel->protocol();
      early = reply->tunnel->early().data();
      co_return;
    };
    co_await client.exchange(std::move(*stream), {.upgrade = "a, b"}, use);
    EXPECT_TRUE(co_await sleep_for(1ms));
  });
  EXPECT_EQ(protocol, "b");
  EXPECT_EQ(early, "early");
  EXPECT_FALSE(client.reusable);
}

}  // namespace
}  // namespace banyan
