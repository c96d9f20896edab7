#include "http/h1_parse.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace banyan {
namespace {

using namespace std::string_literals;

constexpr HeadLimits small{.head_bytes = 400, .target_bytes = 40, .fields = 5};

Result<size_t> at_once(const std::string& text, Side side) {
  HeadScanner scanner(side);
  return scanner.find_end(text);
}

// The head's length, or 0, or the fault, as the bytes come one by one.
Result<size_t> byte_by_byte(const std::string& text, Side side) {
  HeadScanner scanner(side);
  for (size_t n = 1; n <= text.size(); ++n) {
    const auto end = scanner.find_end(Bytes(text).substr(0, n));
    if (!end || *end != 0) return end;
  }
  return 0;
}

struct ParsedRequest {
  std::string text;  // what the head's views point into
  Arena arena;
  RequestHead head{arena};
  Result<> result;
};

void parse(const std::string& text, ParsedRequest& out) {
  out.text = text;
  out.result = parse_request_head(out.text, small, out.head);
}

struct Refusal {
  std::string text;
  uint16_t status = 400;
};

std::string get_with(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> rows = {
      // The request line.
      {"\r\n\r\n"},
      {"GET\r\nHost: a\r\n\r\n"},
      {"GET /\r\nHost: a\r\n\r\n"},
      {"GET  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET / x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {"G\"T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET: / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"s},
      {"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s},
      {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"},
      // The version.
      {"GET / HTTP/1.\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/11\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/01.1\r\nHost: a\r\n\r\n"},
      {"GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1,1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/x.1\r\nHost: a\r\n\r\n"},
      {"GET / ICY/1.1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\n", 505},
      // Fields.
      {get_with("A : b\r\n")},
      {get_with("A\t: b\r\n")},
      {get_with(" A: b\r\n")},
      {get_with("A: b\r\n c\r\n")},
      {get_with("A: b\r\n\tc\r\n")},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {get_with("A\r\n")},
      {get_with("A b\r\n")},
      {get_with(": b\r\n")},
      {get_with("A(: b\r\n")},
      {get_with("\xc3\xa9: b\r\n")},
      {get_with("A\0: b\r\n"s)},
      {get_with("A: b\0c\r\n"s)},
      {get_with("A: b\x01\r\n")},
      {get_with("A: b\x7f\r\n")},
      {get_with("A: b\x0b"
                "c\r\n")},
      {get_with("A: b\rc\r\n")},
      {get_with("A: b\r\r\n")},
      {get_with("A: \r \r\n")},
      {get_with("A: b\nC: d\r\n")},
      {get_with("A: b\n\r\n")},
      {get_with("Content-Length : 5\r\n")},
      {get_with("Transfer-Encoding\x0b: chunked\r\n")},
      {get_with("Transfer-Encoding: \x0b"
                "chunked\r\n")},
      // Host.
      {"GET / HTTP/1.1\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: [12]\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: :80\r\n\r\n"},
      // Limits.
      {"GET /" + std::string(40, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {get_with("A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\n"), 431},
      {get_with("A: " + std::string(400, 'a') + "\r\n"), 431},
  };
  return rows;
}

TEST(RequestHead, RefusalsHaveTheirStatus) {
  for (const Refusal& row : refusals()) {
    ParsedRequest parsed;
    parse(row.text, parsed);
    ASSERT_FALSE(parsed.result.has_value()) << row.text;
    EXPECT_EQ(parsed.result.error().status, row.status) << row.text << parsed.result.error().what;
    EXPECT_EQ(parsed.result.error().side, Side::client);
    EXPECT_FALSE(parsed.result.error().retryable);
  }
}

TEST(RequestHead, IsReadAsItCame) {
  ParsedRequest p;
  parse(
      "PoST /a%20b?c=d HTTP/1.1\r\nHOST:a.b:80\r\nX-Empty:\r\nx:  two words \t\r\nX: "
      "\xe9\t!\r\n\r\n",
      p);
  ASSERT_TRUE(p.result.has_value()) << p.result.error().what;
  EXPECT_EQ(p.head.method, Method::other);
  EXPECT_EQ(p.head.method_text, "PoST");
  EXPECT_EQ(p.head.target, "/a%20b?c=d");
  EXPECT_EQ(p.head.minor_version, 1);
  ASSERT_EQ(p.head.headers.size(), 4u);
  const Field* f = p.head.headers.begin();
  EXPECT_EQ(f[0].name, "HOST");
  EXPECT_EQ(f[0].value, "a.b:80");
  EXPECT_EQ(f[0].id, Name::host);
  EXPECT_EQ(f[1].value, "");
  EXPECT_EQ(f[2].value, "two words");
  EXPECT_EQ(f[3].value, "\xe9\t!");
}

TEST(RequestHead, AcceptedVariants) {
  for (const std::string& text : {
           "GET / HTTP/1.0\r\n\r\n"s,                    // no Host in 1.0
           "GET / HTTP/1.1\r\nHost:\r\n\r\n"s,           // empty Host
           "GET / HTTP/1.9\r\nHost: a\r\n\r\n"s,         // a later minor version
           "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"s,     // one empty line before
           "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"s,  // IPv6
           "M-SEARCH * HTTP/1.1\r\nHost: a_b\r\n\r\n"s,  // unknown method
           "GET /" + std::string(39, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",  // at the limit
           get_with("A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n"),                     // at the limit
       }) {
    ParsedRequest p;
    parse(text, p);
    EXPECT_TRUE(p.result.has_value()) << text << p.result.error().what;
  }
  ParsedRequest later;
  parse("GET / HTTP/1.9\r\nHost: a\r\n\r\n", later);
  EXPECT_EQ(later.head.minor_version, 1);
}

TEST(RequestHead, WantsExactlyOneHead) {
  ParsedRequest more, fewer;
  parse(get_with("") + "x", more);
  EXPECT_FALSE(more.result.has_value());
  parse("GET / HTTP/1.1\r\nHost: a\r\n", fewer);
  EXPECT_FALSE(fewer.result.has_value());
}

// No prefix of a head is a head, and none may be read beyond its end (the sanitizer watches).
TEST(RequestHead, EveryPrefixIsRefused) {
  const std::string whole = get_with("A: b\r\nContent-Length: 5\r\n");
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<long>(n));
    Arena arena;
    RequestHead head(arena);
    EXPECT_FALSE(parse_request_head({exact.data(), exact.size()}, small, head).has_value()) << n;
  }
}

TEST(HeadScanner, ByteByByteEqualsAtOnce) {
  std::vector<std::string> texts = {get_with(""),
                                    get_with("A: b\r\n"),
                                    "\r\n" + get_with(""),
                                    "\n",
                                    "\r\n\n",
                                    "\r\n\r\n",
                                    "\r",
                                    "a\r\nb\n",
                                    "a\n\r\n",
                                    "\r\r\n\r\n",
                                    "GET / HTTP/1.1\r\n\r\r\n\r\n",
                                    ""};
  for (const Refusal& row : refusals()) texts.push_back(row.text);
  for (const std::string& text : texts) {
    for (Side side : {Side::client, Side::upstream}) {
      const auto once = at_once(text, side), bytes = byte_by_byte(text, side);
      ASSERT_EQ(once.has_value(), bytes.has_value()) << text;
      if (once) EXPECT_EQ(*once, *bytes) << text;
      if (!once) EXPECT_EQ(once.error(), bytes.error()) << text;
    }
  }
}

TEST(HeadScanner, MeasuresTheHeadAlone) {
  EXPECT_EQ(at_once("GET / HTTP/1.1\r\n\r\nrest\n", Side::client), 18u);
  EXPECT_EQ(at_once("\r\nGET / HTTP/1.1\r\n\r\nrest", Side::client), 20u);
  EXPECT_EQ(at_once("GET / HTTP/1.1\r\n", Side::client), 0u);
  // Before an answer there is no empty line to be skipped.
  EXPECT_EQ(at_once("\r\nHTTP/1.1 200 OK\r\n\r\n", Side::upstream), 2u);
}

TEST(HeadScanner, ABareLfIsRefusedAtOnce) {
  for (const char* text : {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nA: b\n", "a\r\n\n"}) {
    const auto end = at_once(text, Side::client);
    ASSERT_FALSE(end.has_value()) << text;
    EXPECT_EQ(end.error().status, 400);
  }
  EXPECT_EQ(at_once("a\nb", Side::upstream).error().side, Side::upstream);
}

struct ParsedResponse {
  Arena arena;
  ResponseHead head{arena};
  Result<> result;
};

TEST(ResponseHead, IsReadAsItCame) {
  ParsedResponse p;
  p.result = parse_response_head("HTTP/1.0 404 Not \xe9 Found\r\nA: b\r\n\r\n", small, p.head);
  ASSERT_TRUE(p.result.has_value());
  EXPECT_EQ(p.head.status, 404);
  EXPECT_EQ(p.head.reason, "Not \xe9 Found");
  EXPECT_EQ(p.head.minor_version, 0);
  EXPECT_EQ(p.head.headers.get("a"), "b");
}

TEST(ResponseHead, ThePhraseMayBeAbsent) {
  for (const char* text : {"HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n"}) {
    ParsedResponse p;
    p.result = parse_response_head(text, small, p.head);
    ASSERT_TRUE(p.result.has_value()) << text;
    EXPECT_EQ(p.head.reason, "");
  }
}

TEST(ResponseHead, GarbageIsTheUpstreamsFault) {
  for (const std::string& text :
       {"HTTP/1.1 20\r\n\r\n"s,
        "HTTP/1.1 2000 OK\r\n\r\n"s,
        "HTTP/1.1 099 OK\r\n\r\n"s,
        "HTTP/1.1 600 OK\r\n\r\n"s,
        "HTTP/1.1 2x0 OK\r\n\r\n"s,
        "HTTP/1.1  200 OK\r\n\r\n"s,
        "HTTP/1.1\t200 OK\r\n\r\n"s,
        "HTTP/1.1 200OK\r\n\r\n"s,
        "HTTP/2.0 200 OK\r\n\r\n"s,
        "HTTP/1.12 200 OK\r\n\r\n"s,
        "ICY 200 OK\r\n\r\n"s,
        "\r\n\r\n"s,
        "SSH-2.0-x\r\n\r\n"s,
        "HTTP/1.1 200 O\0K\r\n\r\n"s,
        "HTTP/1.1 200 O\rK\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nA: b\r\n"s,
        "HTTP/1.1 200 OK\r\nA\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nA: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\nA: 6\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nA: " + std::string(400, 'a') + "\r\n\r\n"}) {
    ParsedResponse p;
    p.result = parse_response_head(text, small, p.head);
    ASSERT_FALSE(p.result.has_value()) << text;
    EXPECT_EQ(p.result.error().code, Code::protocol) << text;
    EXPECT_EQ(p.result.error().side, Side::upstream);
    EXPECT_EQ(p.result.error().status, 0);
  }
}

}  // namespace
}  // namespace banyan
