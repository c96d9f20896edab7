#include "http/h1_write.h"

#include <gtest/gtest.h>

#include "http/h1_parse.h"

namespace banyan {
namespace {

class H1WriteTest : public testing::Test {
 protected:
  Arena arena;
  Headers h{arena};
};

TEST_F(H1WriteTest, RequestsReadBackAsTheyWere) {
  h.add("Host", "a.example");
  h.add("X-Empty", "");
  h.add("x-two", "1 \t 2\xe9");
  h.add("X-Two", "3");
  const Bytes text = write_request_head(arena, "PATCH", "/a?b", h, {});
  EXPECT_EQ(text,
            "PATCH /a?b HTTP/1.1\r\nHost: a.example\r\nX-Empty: \r\nx-two: 1 \t 2\xe9\r\n"
            "X-Two: 3\r\n\r\n");
  RequestHead head(arena);
  ASSERT_TRUE(parse_request_head(text, {}, head).has_value());
  EXPECT_EQ(head.method, Method::patch);
  EXPECT_EQ(head.target, "/a?b");
  ASSERT_EQ(head.headers.size(), h.size());
  for (size_t i = 0; i < h.size(); ++i) {
    EXPECT_EQ(head.headers.begin()[i].name, h.begin()[i].name);
    EXPECT_EQ(head.headers.begin()[i].value, h.begin()[i].value);
  }
  // What was read is written as it was: one form.
  EXPECT_EQ(write_request_head(arena, head.method_text, head.target, head.headers, {}), text);
}

// Framing comes from the options alone, whatever the fields say.
TEST_F(H1WriteTest, TheWriterAloneSaysHowAMessageIsFramed) {
  h.add("Content-Length", "7");
  h.add("Transfer-Encoding", "gzip");
  h.add("Connection", "x");
  h.add("A", "b");
  struct Row {
    HeadOptions options;
    std::string_view expected;
  };
  for (const Row& row :
       {Row{{}, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
        Row{{.framing = {Framing::Kind::length, 0}},
            "HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 0\r\n\r\n"},
        Row{{.framing = {Framing::Kind::length, UINT64_MAX}},
            "HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 18446744073709551615\r\n\r\n"},
        Row{{.framing = {Framing::Kind::chunked}, .close = true},
            "HTTP/1.1 200 OK\r\nA: b\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"},
        Row{{.framing = {Framing::Kind::until_close}, .date = "today"},
            "HTTP/1.1 200 OK\r\nA: b\r\ndate: today\r\n\r\n"},
        Row{{.keep_alive = true}, "HTTP/1.1 200 OK\r\nA: b\r\nconnection: keep-alive\r\n\r\n"},
        Row{{.upgrade = "websocket"},
            "HTTP/1.1 200 OK\r\nA: b\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"}})
    EXPECT_EQ(write_response_head(arena, 200, h, row.options), row.expected);
}

TEST_F(H1WriteTest, AnswersReadBackAsTheyWere) {
  h.add("Set-Cookie", "a=b");
  h.add("Set-Cookie", "c=d");
  for (uint16_t status : {100, 204, 299, 404, 599}) {
    const Bytes text =
        write_response_head(arena, status, h, {.framing = {Framing::Kind::length, 12}});
    ResponseHead head(arena);
    ASSERT_TRUE(parse_response_head(text, {}, head).has_value());
    EXPECT_EQ(head.status, status);
    EXPECT_EQ(head.headers.count(Name::set_cookie), 2u);
    EXPECT_EQ(announced_length(head.headers), 12u);
  }
}

TEST_F(H1WriteTest, TheLastChunk) {
  EXPECT_EQ(write_last_chunk(arena, nullptr), "0\r\n\r\n");
  h.add("X-Sum", "1");
  h.add("Content-Length", "5");
  EXPECT_EQ(write_last_chunk(arena, &h), "0\r\nX-Sum: 1\r\n\r\n");
}

// The parser never gives such a value, but a filter could make one out of decoded data: it must not
// become a line of its own, on either side.
TEST_F(H1WriteTest, AFieldThatWouldSmuggleALineIsLeftOut) {
  using namespace std::string_view_literals;
  h.add("A", "b");
  h.add("X", "1\r\nEvil: yes");
  h.add("X", "1\n");
  h.add("X", "nul\0"sv);
  h.add("Na me", "1");
  h.add("Na\r\nEvil", "1");
  h.add("", "1");
  h.add("C", "d");
  EXPECT_EQ(write_response_head(arena, 200, h, {}), "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n");
  EXPECT_EQ(write_request_head(arena, "GET", "/", h, {}), "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n");
  EXPECT_EQ(write_last_chunk(arena, &h), "0\r\nA: b\r\nC: d\r\n\r\n");
}

using H1WriteDeathTest = H1WriteTest;
TEST_F(H1WriteDeathTest, ATargetThatWouldSmuggleALineEndsTheProcess) {
  EXPECT_DEATH(write_request_head(arena, "GET", "/a HTTP/1.1\r\nX: y", h, {}), "");
  EXPECT_DEATH(write_request_head(arena, "G T", "/", h, {}), "");
}

}  // namespace
}  // namespace banyan
