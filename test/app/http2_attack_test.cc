// HTTP/2 under attack: what is malformed is refused and reaches no service, what is a flood ends
// with its connection, and memory and work stay bounded meanwhile.
#include "app/http2_gateway.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using h2::Answer;
using h2::Fields;
using h2::frame;
using h2::get;
using h2::H2Peer;
using h2::literals;
using h2::post;
using testing::ElementsAre;
using testing::HasSubstr;

class Http2AttackTest : public Http2GatewayTest {
 protected:
  Http2AttackTest() {
    sim.serve("10.0.1.1:80", [this](Peer& peer) -> Task<> {
      while (!(co_await peer.read_head()).empty()) {
        ++served;
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      }
    });
  }
  // Sends these bytes behind the preface; gives the frames that came back, as far as they matter.
  struct Outcome {
    std::optional<uint32_t> goaway, reset;
    size_t sent = 0;
  };
  Task<Outcome> attack(std::string first, std::function<std::string(int)> more, int times) {
    Peer peer = co_await connect();
    Outcome out;
    std::string came;
    co_await peer.send(std::string(h2::preface) + frame(NGHTTP2_SETTINGS, 0, 0, "") + first);
    for (int i = 0; i < times; ++i) {
      const std::string next = more(i);
      if (!co_await peer.send(next)) break;
      out.sent += next.size();
    }
    peer.shutdown_write();
    char buffer[4096];
    for (;;) {
      const auto n = co_await peer.stream().read(buffer);
      if (!n || *n == 0) break;
      came.append(buffer, *n);
    }
    take(came, out);
    co_return out;
  }
  static void take(std::string_view came, Outcome& out) {
    const auto number = [&](size_t at) {
      uint32_t n = 0;
      for (size_t i = at; i < at + 4; ++i) n = n << 8 | static_cast<unsigned char>(came[i]);
      return n;
    };
    while (came.size() >= 9) {
      const size_t size = number(0) >> 8;
      if (came.size() < 9 + size) break;
      if (came[3] == NGHTTP2_GOAWAY) out.goaway = number(13);
      if (came[3] == NGHTTP2_RST_STREAM) out.reset = number(9);
      came.remove_prefix(9 + size);
    }
  }
  int served = 0;
};

struct Malformed {
  const char* name;
  Fields fields;
  bool answered = false;  // with a 400 of ours; else the stream is reset
  friend void PrintTo(const Malformed& m, std::ostream* out) { *out << m.name; }
};

Fields with(Fields base, size_t at, std::string name, std::string value) {
  base.insert(base.begin() + static_cast<std::ptrdiff_t>(at), {std::move(name), std::move(value)});
  return base;
}
Fields without(Fields base, size_t at) {
  base.erase(base.begin() + static_cast<std::ptrdiff_t>(at));
  return base;
}
Fields changed(size_t at, std::string value) {
  Fields out = get("/");
  out[at].second = std::move(value);
  return out;
}

class Http2MalformedTest : public Http2AttackTest, public testing::WithParamInterface<Malformed> {};

TEST_P(Http2MalformedTest, ReachesNoService) {
  const Malformed& m = GetParam();
  run(config(), [&](SimGateway&) -> Task<> {
    const Outcome out =
        co_await attack(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                              1, literals(m.fields)),
                        {}, 0);
    if (m.answered)
      EXPECT_FALSE(out.reset);
    else
      EXPECT_EQ(out.reset, NGHTTP2_PROTOCOL_ERROR);
    EXPECT_EQ(served, 0);
  });
  ASSERT_EQ(finished.size(), 1u) << "it is told to the log";
  if (m.answered) EXPECT_THAT(finished[0], testing::StartsWith("400 ?"));
}

INSTANTIATE_TEST_SUITE_P(
    All, Http2MalformedTest,
    testing::Values(
        Malformed{"a_line_break_in_a_value", get("/", {{"x", "a\r\nTransfer-Encoding: chunked"}})},
        Malformed{"a_null_in_a_value", get("/", {{"x", std::string("a\0b", 3)}})},
        Malformed{"a_line_break_in_a_name", get("/", {{"x\r\ny", "a"}})},
        Malformed{"a_colon_in_a_name", get("/", {{"x:y", "a"}})},
        Malformed{"upper_case", get("/", {{"X-Upper", "a"}})},
        Malformed{"an_empty_name", get("/", {{"", "a"}})},
        Malformed{"connection", get("/", {{"connection", "keep-alive"}})},
        Malformed{"transfer_encoding", get("/", {{"transfer-encoding", "chunked"}})},
        Malformed{"upgrade", get("/", {{"upgrade", "websocket"}})},
        Malformed{"te_other_than_trailers", get("/", {{"te", "gzip"}})},
        Malformed{"a_length_of_nothing", get("/", {{"content-length", "5"}})},
        Malformed{"a_length_that_is_none", get("/", {{"content-length", "+0"}})},
        Malformed{"two_lengths", get("/", {{"content-length", "0"}, {"content-length", "0"}})},
        Malformed{"no_method", without(get("/"), 0)}, Malformed{"no_scheme", without(get("/"), 1)},
        Malformed{"no_path", without(get("/"), 3)}, Malformed{"no_authority", without(get("/"), 2)},
        Malformed{"two_paths", with(get("/"), 4, ":path", "/x")},
        Malformed{"a_pseudo_field_behind_others", with(get("/", {{"a", "b"}}), 5, ":path", "/")},
        Malformed{"an_unknown_pseudo_field", with(get("/"), 4, ":proto", "x")},
        Malformed{"a_status", with(get("/"), 4, ":status", "200")},
        Malformed{"an_empty_path", changed(3, "")},
        Malformed{"a_path_without_slash", changed(3, "x")},
        Malformed{"a_space_in_the_path", changed(3, "/ HTTP/1.1\r\nX: y")},
        Malformed{"a_blank_in_the_path", changed(3, "/a b")},
        Malformed{"a_blank_in_the_method", changed(0, "GET /x HTTP/1.1")},
        Malformed{"a_bad_authority", changed(2, "a@b"), true},
        Malformed{"another_host", get("/", {{"host", "other"}}), true},
        Malformed{"protocol_without_connect", with(get("/"), 4, ":protocol", "websocket")}),
    [](const auto& info) { return info.param.name; });

TEST_F(Http2AttackTest, RapidReset) {
  run(config(), [this](SimGateway&) -> Task<> {
    const auto one = [](int i) {
      const uint32_t id = 2 * static_cast<uint32_t>(i) + 1;
      return frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id,
                   literals(get("/"))) +
             frame(NGHTTP2_RST_STREAM, 0, id, h2::number(NGHTTP2_CANCEL));
    };
    const Outcome out = co_await attack("", one, 2000);
    EXPECT_EQ(out.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
  });
  EXPECT_LE(finished.size(), 450u);
  EXPECT_THAT(finished.back(), HasSubstr("too much that has no use"));
}

TEST_F(Http2AttackTest, Floods) {
  const std::string eight(8, 'x');
  const std::pair<const char*, std::string> floods[] = {
      {"ping", frame(NGHTTP2_PING, 0, 0, eight)},
      {"settings", frame(NGHTTP2_SETTINGS, 0, 0, "")},
      {"priority", frame(NGHTTP2_PRIORITY, 0, 5, std::string("\0\0\0\3\x10", 5))},
      {"tiny windows", frame(NGHTTP2_WINDOW_UPDATE, 0, 0, h2::number(1))}};
  run(config(), [&](SimGateway&) -> Task<> {
    for (const auto& [name, bytes] : floods) {
      const Outcome out = co_await attack("", [&](int) { return bytes; }, 2000);
      EXPECT_EQ(out.goaway, NGHTTP2_ENHANCE_YOUR_CALM) << name;
    }
  });
}

TEST_F(Http2AttackTest, EmptyPieces) {
  run(config(), [this](SimGateway&) -> Task<> {
    const std::string head =
        frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, literals(post("/")));
    const Outcome out =
        co_await attack(head, [](int) { return frame(NGHTTP2_DATA, 0, 1, ""); }, 2000);
    EXPECT_EQ(out.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
  });
}

// CVE-2024-28182: a head that never ends, in small frames or in large ones.
TEST_F(Http2AttackTest, Continuations) {
  for (const size_t size : {1u, 16000u}) {
    run(config(), [&](SimGateway&) -> Task<> {
      const std::string head = frame(NGHTTP2_HEADERS, 0, 1, literals(get("/")));
      const std::string field = literals({{"x", std::string(size, 'a')}});
      const Outcome out = co_await attack(
          head, [&](int) { return frame(NGHTTP2_CONTINUATION, 0, 1, field); }, 2000);
      EXPECT_EQ(out.goaway, NGHTTP2_ENHANCE_YOUR_CALM) << size;
      EXPECT_LE(out.sent, 500'000u);
    });
  }
}

// A field of 4 KiB in the table, named by one byte again and again (HPACK bomb).
TEST_F(Http2AttackTest, TheBombOfTheTable) {
  const size_t before = Buffer::held_bytes();
  run(config(), [&](SimGateway&) -> Task<> {
    const auto bomb = [](int i) {
      std::string head = literals(get("/"));
      if (i == 0) {
        const std::string large = literals({{"x", std::string(3000, 'a')}});
        head += '\x40' + large.substr(1);
      }
      return frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                   2 * static_cast<uint32_t>(i) + 1, head + std::string(12'000, '\xbe'));
    };
    const Outcome out = co_await attack("", bomb, 1000);
    EXPECT_EQ(out.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_EQ(served, 0);
  });
  EXPECT_EQ(Buffer::held_bytes(), before);
}

TEST_F(Http2AttackTest, WhatIsNoHttp2) {
  run(config(), [this](SimGateway&) -> Task<> {
    Peer raw = co_await connect();
    co_await raw.send("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n and more");
    (void)co_await raw.read_all();
    const Outcome data = co_await attack(frame(NGHTTP2_DATA, 0, 1, "x"), {}, 0);
    EXPECT_EQ(data.goaway, NGHTTP2_PROTOCOL_ERROR);
    const Outcome large =
        co_await attack(frame(NGHTTP2_PING, 0, 0, std::string(20'000, 'x')), {}, 0);
    EXPECT_EQ(large.goaway, NGHTTP2_FRAME_SIZE_ERROR);
    const Outcome hpack = co_await attack(
        frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\xff\xff\xff\xff\xff"), {}, 0);
    EXPECT_EQ(hpack.goaway, NGHTTP2_COMPRESSION_ERROR);
  });
}

TEST_F(Http2AttackTest, AWindowThatOverflows) {
  run(config(), [this](SimGateway&) -> Task<> {
    const Outcome out =
        co_await attack(frame(NGHTTP2_WINDOW_UPDATE, 0, 0, h2::number(0x7fffffff)), {}, 0);
    EXPECT_EQ(out.goaway, NGHTTP2_FLOW_CONTROL_ERROR);
  });
}

// What a client sends beyond the windows it was given.
TEST_F(Http2AttackTest, MoreThanTheWindow) {
  run(config("http2: { window: 16KiB }"), [this](SimGateway&) -> Task<> {
    const std::string head =
        frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, literals(post("/")));
    const Outcome out = co_await attack(
        head, [](int) { return frame(NGHTTP2_DATA, 0, 1, std::string(16'000, 'x')); }, 100);
    EXPECT_TRUE(out.goaway || out.reset);
  });
}

}  // namespace
}  // namespace banyan
