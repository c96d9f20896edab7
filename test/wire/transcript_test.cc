#include "wire/transcript.h"

#include <gtest/gtest.h>

#include "wire/play.h"

namespace banyan::wire {
namespace {

constexpr std::string_view hello =
    "# Says hello.\n"
    "config:\n"
    "  routes: [ { respond: { status: 200, body: hi } } ]\n"
    "\n"
    "client > \"GET / HTTP/1.0\\r\\n\\r\\n\"\n";

TEST(Transcript, Parses) {
  const Parsed p = parse(
      "# a\nconfig:\n  x: 1\n    y: 2\n\n# b\n@ 1.5s client > \"a\\r\\n\"\n         \"b\" * 3 "
      "\"\\x00\\t\\\\\\\"\"\norigin < \"gone\"\n@ 2s\nclient > end\n# last\n");
  ASSERT_EQ(p.error, "");
  const Transcript& t = p.transcript;
  EXPECT_EQ(t.head, "# a\nconfig:\n  x: 1\n    y: 2\n");
  EXPECT_EQ(t.config, "x: 1\n  y: 2\n");
  ASSERT_EQ(t.lines.size(), 3u);
  EXPECT_EQ(t.lines[0].at, Duration(std::chrono::milliseconds(1500)));
  EXPECT_EQ(t.lines[0].party, "client");
  EXPECT_EQ(t.lines[0].bytes, std::string("a\r\nbbb\0\t\\\"", 10));
  EXPECT_TRUE(t.lines[0].source.starts_with("\n# b\n@ 1.5s client"));
  EXPECT_EQ(t.lines[1].party, "");
  EXPECT_EQ(t.lines[2].event, "end");
  EXPECT_EQ(t.tail, "# last\n");
}

TEST(Transcript, TellsWhatIsWrong) {
  EXPECT_EQ(parse("\nclient > \"a").error, "line 2: a quote is not closed");
  EXPECT_EQ(parse("client \"a\"").error, "line 1: wants: party > \"bytes\", or party < \"bytes\"");
  EXPECT_EQ(parse("client > \"\\q\"").error,
            "line 1: an escape is none of \\r \\n \\t \\\\ \\\" \\xNN");
  EXPECT_EQ(parse("client > \"a\" b").error, "line 1: wants bytes in quotes");
  EXPECT_EQ(parse("client > \"a\" * b").error, "line 1: '*' wants a number");
  EXPECT_EQ(parse("@ soon client > end").error, "line 1: '@' wants a time: @ 10s");
}

// The comment on a wait stands before what is seen meanwhile.
TEST(Transcript, AWaitIsExplainedFirst) {
  const std::string text = play(parse("client > connect\n\n# It idles.\n@ 70s\n").transcript);
  EXPECT_EQ(text, "client > connect\n\n# It idles.\n@ 60s client < end\n@ 70s\n");
  EXPECT_EQ(play(parse(text).transcript), text);
}

TEST(Transcript, QuotesReadBack) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  all += std::string(100, 'x') + "\r\nafter" + std::string(39, 'y') + std::string(70000, '\n');
  const std::string text = quote("client > ", all);
  const Parsed p = parse(text);
  ASSERT_EQ(p.error, "");
  ASSERT_EQ(p.transcript.lines.size(), 1u);
  EXPECT_TRUE(p.transcript.lines[0].bytes == all);
  EXPECT_LT(text.size(), 1500u);
  EXPECT_EQ(quote("a < ", "x\r\ny"), "a < \"x\\r\\n\"\n    \"y\"\n");
}

// What was seen is found out anew, so that a run with another outcome gives another text.
TEST(Transcript, IsPlayed) {
  const std::string text = play(parse(hello).transcript);
  EXPECT_EQ(text, std::string(hello) +
                      "client < \"HTTP/1.1 200 OK\\r\\n\"\n"
                      "         \"content-type: text/plain; charset=utf-8\\r\\n\"\n"
                      "         \"date: Thu, 01 Jan 2026 00:00:00 GMT\\r\\n\"\n"
                      "         \"content-length: 2\\r\\n\"\n"
                      "         \"connection: close\\r\\n\"\n"
                      "         \"\\r\\n\"\n"
                      "         \"hi\"\n"
                      "client < end\n"
                      "banyan < 200\n");
  EXPECT_EQ(play(parse(text).transcript), text);
  std::string other = text;
  other.replace(other.find("200 OK"), 6, "404 No");
  EXPECT_EQ(play(parse(other).transcript), text);
}

TEST(Transcript, ABadConfigIsTold) {
  const std::string text = play(parse("config:\n  ofload: {}\n").transcript);
  EXPECT_NE(text.find("did you mean 'offload'"), std::string::npos) << text;
}

}  // namespace
}  // namespace banyan::wire
