#include "http/h1_body.h"

#include <fmt/format.h>

#include "http/h1_harness.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view at = "10.0.0.2:80";

struct Pieces {
  std::vector<std::string> all;
  std::string text;
  std::string trailers;
  std::optional<Error> fault;
  std::string behind;  // what is left in the buffer
};

// Reads a content that arrives as `parts`, 1 ms apart, in reads of at most `read_max`.
Pieces read(Framing framing, std::vector<std::string> parts, size_t read_max = SIZE_MAX,
            BodyLimits limits = {}) {
  Sim sim(1, "10.0.0.1");
  sim.world().link().read_max = read_max;
  sim.serve(at, [&](Peer& peer) -> Task<> {
    for (const std::string& part : parts) {
      co_await peer.send(part);
      EXPECT_TRUE(co_await sleep_for(1ms));
    }
  });
  Pieces out;
  sim.run([&]() -> Task<> {
    auto stream = co_await sim.engine().connect(*parse_address(at));
    CHECK(stream.has_value());
    Arena arena;
    Buffer buffer;
    H1BodyReader reader(**stream, buffer, framing, limits, arena);
    while (!reader.ended()) {
      auto piece = co_await reader.read();
      if (!piece) out.fault = piece.error();
      if (!piece) break;
      if (piece->empty()) continue;
      out.all.emplace_back(*piece);
      out.text += *piece;
    }
    if (reader.trailers() != nullptr)
      for (const Field& f : *reader.trailers())
        out.trailers += fmt::format("{}={};", f.name, f.value);
    out.behind = buffer.data();
    EXPECT_TRUE(co_await sleep_for(1s));
  });
  return out;
}

const Framing chunked{Framing::Kind::chunked, 0};
Framing length(uint64_t n) { return {Framing::Kind::length, n}; }

TEST(H1Body, EverySplitGivesTheSame) {
  const std::string bytes =
      "1\r\na\r\n00b;x=1\r\nhello world\r\n3\r\n\r\n\r\r\n0;last\r\nX-A: 1\r\nX-B: 2\r\n\r\nnext";
  for (size_t cut = 1; cut <= bytes.size(); ++cut) {
    const Pieces p = read(chunked, {bytes}, cut);
    ASSERT_FALSE(p.fault) << cut;
    EXPECT_EQ(p.text, "ahello world\r\n\r");
    EXPECT_EQ(p.trailers, "X-A=1;X-B=2;");
    EXPECT_TRUE(std::string_view("next").starts_with(p.behind)) << p.behind;
    const Pieces q = read(chunked, {bytes.substr(0, cut), bytes.substr(cut)});
    ASSERT_FALSE(q.fault) << cut;
    EXPECT_EQ(q.text, p.text);
    EXPECT_EQ(q.trailers, p.trailers);
  }
  for (size_t cut = 1; cut <= 12; ++cut) {
    EXPECT_EQ(read(length(11), {"hello worldnext"}, cut).text, "hello world");
    EXPECT_EQ(read({Framing::Kind::until_close, 0}, {"hello world"}, cut).text, "hello world");
  }
}

// A sender of tiny chunks must not cost a write for each of them.
TEST(H1Body, ChunksThatAreHereTogetherComeAsOne) {
  std::string bytes, text;
  for (int i = 0; i < 1000; ++i) {
    const std::string chunk(1 + static_cast<size_t>(i % 3), static_cast<char>('a' + i % 26));
    bytes += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
    text += chunk;
  }
  const Pieces p = read(chunked, {bytes + "0\r\nX: y\r\n\r\n"});
  ASSERT_EQ(p.all.size(), 1u);
  EXPECT_EQ(p.text, text);
  EXPECT_EQ(p.trailers, "X=y;");
  // The end is known with the last piece, also when the pieces are large.
  const std::string big(20'000, 'x');
  const Pieces large =
      read(chunked, {"1\r\na\r\n" + fmt::format("{:x}\r\n", big.size()) + big + "\r\n0\r\n\r\n"});
  EXPECT_EQ(large.text, "a" + big);
}

TEST(H1Body, ALimitCountsContentOnly) {
  const BodyLimits ten{.limit_bytes = 10};
  EXPECT_EQ(read(chunked, {"5\r\nhello\r\n5;ext=1\r\nworld\r\n0\r\nX: y\r\n\r\n"}, 3, ten).text,
            "helloworld");
  for (size_t cut : {size_t{1}, SIZE_MAX}) {
    const Pieces p = read(chunked, {"5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n"}, cut, ten);
    ASSERT_TRUE(p.fault);
    EXPECT_EQ(p.fault->code, Code::too_large);
    EXPECT_LE(p.text.size(), 10u) << "what came before the fault is given out, no more";
  }
}

TEST(H1Body, SilenceAndSlownessEndIt) {
  const BodyLimits limits{.gap_max = 5s, .rate_min = 100};
  Sim sim(1, "10.0.0.1");
  sim.serve(at, [](Peer& peer) -> Task<> {
    for (int i = 0; i < 100; ++i) {
      co_await peer.send("0123456789");
      if (!co_await sleep_for(1s)) break;
    }
  });
  sim.run([&]() -> Task<> {
    auto stream = co_await sim.engine().connect(*parse_address(at));
    CHECK(stream.has_value());
    Arena arena;
    Buffer buffer;
    H1BodyReader reader(**stream, buffer, length(1000), limits, arena);
    Loop& loop = (co_await current_context()).loop;
    const Time began = loop.now();
    std::optional<Error> fault;
    while (!fault) {
      auto piece = co_await reader.read();
      if (!piece) fault = piece.error();
    }
    EXPECT_EQ(fault->code, Code::timeout);
    // 10 bytes a second earn 0.1 s each second: five seconds of credit last about five and a half.
    EXPECT_EQ(reader.taken(), 60u);
    EXPECT_EQ(loop.now() - began, 5600ms);
    // The fault stays.
    EXPECT_FALSE(co_await reader.read());
    // Time that nobody asked it to send is not counted: only the waits are.
    stream->reset();
  });
}

TEST(H1Body, DropsWhatIsHereOnly) {
  Sim sim(1, "10.0.0.1");
  sim.serve(at, [](Peer& peer) -> Task<> { (void)co_await peer.read_until("never"); });
  sim.run([&]() -> Task<> {
    auto stream = co_await sim.engine().connect(*parse_address(at));
    CHECK(stream.has_value());
    struct Case {
      Framing framing;
      std::string_view here;
      bool whole;
      std::string_view behind;
    };
    for (const Case& c :
         {Case{length(3), "abcGET", true, "GET"}, Case{length(3), "ab", false, ""},
          Case{length(0), "GET", true, "GET"}, Case{chunked, "1\r\na\r\n0\r\n\r\nGET", true, "GET"},
          Case{chunked, "1\r\na\r\n0\r\n\r", false, ""}, Case{chunked, "1\r\na\r\nz", false, ""},
          Case{chunked, "", false, ""}, Case{{}, "GET", true, "GET"}}) {
      Arena arena;
      Buffer buffer;
      const BodyLimits limits;
      std::copy(c.here.begin(), c.here.end(), buffer.space().begin());
      buffer.added(c.here.size());
      H1BodyReader reader(**stream, buffer, c.framing, limits, arena);
      EXPECT_EQ(reader.rest_is_here(), c.whole) << c.here;
      EXPECT_EQ(buffer.data(), c.here) << "asking takes nothing";
      EXPECT_EQ(reader.drop_rest(), c.whole) << c.here;
      if (c.whole) {
        EXPECT_EQ(buffer.data(), c.behind);
      }
    }
  });
}

}  // namespace
}  // namespace banyan
