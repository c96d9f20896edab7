#include "app/access_log.h"

#include <gtest/gtest.h>

#include <random>

#include "app/json_line.h"
#include "base/line_queue.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr Time at(Duration d) { return Time(1000s) + d; }
// 2026-03-01T12:34:56.789Z
constexpr WallTime wall{1'772'368'496'789ms};

struct Exchange {
  Exchange() {
    record.started = at(0ms);
    record.ended = at(12'345'678ns);
    request.host = "shop.example";
    request.target.path = "/catalog/7";
  }
  std::string line(AccessLine& format, bool with_request = true) {
    return std::string(format.format(with_request ? &request : nullptr, client, record, wall));
  }
  std::string line(bool with_query = false) {
    AccessLine format("public", with_query);
    return line(format);
  }

  Arena arena;
  Headers headers{arena};
  Address client = *parse_address("192.0.2.7:41000");
  Record record;
  Request request{.arena = arena, .headers = headers, .client = client, .record = record};
};

// One that a service answered.
struct Answered : Exchange {
  Answered() {
    record.route = "catalog";
    record.service = "catalog-v2";
    record.endpoint = "10.0.0.3:9001";
    record.route_index = 1;
    record.head_read = at(250us);
    record.connected = at(1ms);
    record.answered = at(11ms);
    record.status = 200;
    record.attempts = 1;
    record.reused = true;
    record.bytes_in = 17;
    record.bytes_out = 4711;
    headers.add(Name::user_agent, "curl/8.5.0");
    headers.add(Name::x_request_id, "0af7651916cd43dd8448eb211c80319c");
  }
};

TEST(AccessLogTest, EveryFieldOfAnAnsweredExchange) {
  Answered x;
  EXPECT_EQ(x.line(),
            R"({"time":"2026-03-01T12:34:56.789Z","client":"192.0.2.7","listener":"public",)"
            R"("method":"GET","host":"shop.example","path":"/catalog/7","protocol":"HTTP/1.1",)"
            R"("route":"catalog","service":"catalog-v2","endpoint":"10.0.0.3:9001",)"
            R"("status":200,"bytes_in":17,"bytes_out":4711,"attempts":1,"reused":true,)"
            R"("duration_ms":12.345,"phases":{"head_ms":0.250,"wait_ms":0.750,"answer_ms":10.000,)"
            R"("content_ms":1.345},"user_agent":"curl/8.5.0",)"
            R"("request_id":"0af7651916cd43dd8448eb211c80319c"})"
            "\n");
}

TEST(AccessLogTest, AHeadThatCouldNotBeRead) {
  Exchange x;
  x.record.status = 400;
  x.record.blame({Code::protocol, Side::client, false, 400, "an LF without its CR"});
  AccessLine format("public", false);
  EXPECT_EQ(x.line(format, false),
            R"({"time":"2026-03-01T12:34:56.789Z","client":"192.0.2.7","listener":"public",)"
            R"("status":400,"bytes_in":0,"bytes_out":0,"duration_ms":12.345,)"
            R"("error":{"side":"client","code":"protocol","reason":"an LF without its CR"}})"
            "\n");
}

// Whose fault it was and why, for every side and code.
TEST(AccessLogTest, EveryFailureNamesSideCodeAndReason) {
  const Code last = Code::bug;
  for (Side side : {Side::client, Side::upstream, Side::self})
    for (int c = 0; c <= static_cast<int>(last); ++c) {
      Answered x;
      const auto code = static_cast<Code>(c);
      x.record.blame({code, side, false, 0, "the first"});
      x.record.blame({Code::bug, Side::self, false, 0, "what followed from it"});
      const JsonLine line(x.line());
      ASSERT_EQ(line.fault(), "");
      EXPECT_EQ(line["error.side"], name(side));
      EXPECT_EQ(line["error.code"], name(code));
      EXPECT_EQ(line["error.reason"], "the first");
    }
}

// A phase that was not reached is left out; so is the status when there was no answer.
TEST(AccessLogTest, OnlyWhatHappenedIsSaid) {
  Answered x;
  x.record.answered = {};
  x.record.status = 504;
  JsonLine silent(x.line());
  EXPECT_EQ(silent["phases.wait_ms"], "0.750");
  EXPECT_FALSE(silent.has("phases.answer_ms"));
  EXPECT_FALSE(silent.has("phases.content_ms"));

  x.record.connected = {};
  x.record.attempts = 0;
  JsonLine refused(x.line());
  EXPECT_EQ(refused["phases.head_ms"], "0.250");
  EXPECT_FALSE(refused.has("phases.wait_ms"));
  EXPECT_FALSE(refused.has("attempts"));
  EXPECT_FALSE(refused.has("reused"));

  x.record = {.started = at(0ms), .ended = at(1ms)};
  JsonLine left(x.line());
  for (const char* absent :
       {"status", "route", "service", "endpoint", "phases.head_ms", "error.code"})
    EXPECT_FALSE(left.has(absent)) << absent;
  EXPECT_EQ(left["duration_ms"], "1.000");
  EXPECT_EQ(left.fault(), "");
}

TEST(AccessLogTest, PhasesAddUpToTheDuration) {
  Answered x;
  x.record.ended = at(13ms);
  const JsonLine line(x.line());
  double sum = 0;
  for (const char* phase : {"head_ms", "wait_ms", "answer_ms", "content_ms"})
    sum += std::stod(line[std::string("phases.") + phase]);
  EXPECT_DOUBLE_EQ(sum, std::stod(line["duration_ms"]));
}

TEST(AccessLogTest, DurationsAtTheirEnds) {
  const std::pair<Duration, const char*> cases[] = {
      {0ns, "0.000"},
      {999ns, "0.000"},
      {1us, "0.001"},
      {1ms, "1.000"},
      {59'999'999'999ns, "59999.999"},
      {-5ms, "0.000"},
      {876'000h, "3153600000000.000"},
  };
  for (const auto& [took, text] : cases) {
    Exchange x;
    x.record.ended = x.record.started + took;
    EXPECT_EQ(JsonLine(x.line())["duration_ms"], text);
  }
}

TEST(AccessLogTest, TimeStampsFollowTheClockInBothDirections) {
  const std::pair<WallTime, const char*> cases[] = {
      {WallTime(0s), "1970-01-01T00:00:00.000Z"},
      {WallTime(1'709'210'096'999'999'999ns), "2024-02-29T12:34:56.999Z"},
      {WallTime(1'709'210'097s), "2024-02-29T12:34:57.000Z"},
      {WallTime(1'709'210'096s), "2024-02-29T12:34:56.000Z"},
      {WallTime(4'102'444'799'001ms), "2099-12-31T23:59:59.001Z"},
      {WallTime(-1ms), "1969-12-31T23:59:59.999Z"},
  };
  Exchange x;
  AccessLine format("public", false);
  for (const auto& [now, text] : cases)
    EXPECT_EQ(JsonLine(format.format(&x.request, x.client, x.record, now))["time"], text);
  AccessLine first("public", false);
  EXPECT_EQ(JsonLine(first.format(&x.request, x.client, x.record, WallTime(-1s)))["time"],
            "1969-12-31T23:59:59.000Z");
}

TEST(AccessLogTest, ClientsOfEveryKind) {
  const std::pair<const char*, const char*> cases[] = {
      {"0.0.0.0:1", "0.0.0.0"},
      {"255.255.255.255:65535", "255.255.255.255"},
      {"[2001:db8::1]:80", "2001:db8::1"},
      {"unix:/run/x.sock", "unix:"},
  };
  for (const auto& [address, text] : cases) {
    Exchange x;
    x.client = *parse_address(address);
    EXPECT_EQ(JsonLine(x.line())["client"], text);
  }
}

TEST(AccessLogTest, TheProtocolIsTheClients) {
  Exchange x;
  EXPECT_EQ(JsonLine(x.line())["protocol"], "HTTP/1.1");
  x.request.minor_version = 0;
  EXPECT_EQ(JsonLine(x.line())["protocol"], "HTTP/1.0");
}

TEST(AccessLogTest, ThePathIsWhatTheClientAskedForNotWhatARouteMadeOfIt) {
  Exchange x;
  x.record.path = "/shop/7";
  EXPECT_EQ(JsonLine(x.line())["path"], "/shop/7");
}

// ---- What must never get in.

TEST(AccessLogTest, SecretsOfARequestAreNotInTheLine) {
  Answered x;
  for (const auto& [key, value] :
       {std::pair<std::string_view, std::string_view>{"authorization", "Bearer hidden-1"},
        {"proxy-authorization", "Basic hidden-2"},
        {"cookie", "sid=hidden-3"},
        {"x-api-key", "hidden-4"},
        {"referer", "/?token=hidden-5"},
        {"set-cookie", "sid=hidden-6"},
        {"x-forwarded-for", "hidden-7"}})
    x.headers.add(key, value);
  x.request.target.query = "token=hidden-8";
  x.request.target.has_query = true;
  x.request.target.forward = "/catalog/7?token=hidden-9";
  x.request.authority = "user:hidden-10@shop.example";
  EXPECT_EQ(x.line().find("hidden"), std::string::npos) << x.line();
}

TEST(AccessLogTest, TheQueryIsThereWhenItIsAskedFor) {
  Exchange x;
  EXPECT_FALSE(JsonLine(x.line(true)).has("query"));
  x.request.target.has_query = true;
  EXPECT_EQ(JsonLine(x.line(true))["query"], "") << "`/path?` has an empty one";
  x.request.target.query = "a=1&b=\"2\"";
  EXPECT_EQ(JsonLine(x.line(true))["query"], "a=1&b=\"2\"");
  EXPECT_FALSE(JsonLine(x.line(false)).has("query"));
}

TEST(AccessLogTest, HostileBytesAreEscaped) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a\"b\\c", R"(a\"b\\c)"},
      {"\r\n{\"status\":200}\n", R"(\u000d\u000a{\"status\":200}\u000a)"},
      {{"\0\x1f", 2}, R"(\u0000\u001f)"},
      {"\x1b[2J\x7f", R"(\u001b[2J\u007f)"},
      {"\xc2\x9b\x32J", R"(\u009b2J)"},  // CSI, as UTF-8
      {"\xc2\xa0\xc3\xa9\xf0\x9f\x8c\xb3", "\xc2\xa0\xc3\xa9\xf0\x9f\x8c\xb3"},
      {"\xff\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // overlong
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // a surrogate
      {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},                  // cut off
  };
  for (const auto& [agent, text] : cases) {
    Exchange x;
    x.headers.add(Name::user_agent, agent);
    const std::string line = x.line();
    EXPECT_NE(line.find(std::string("\"user_agent\":\"").append(text) + "\"}"), std::string::npos)
        << line;
    EXPECT_EQ(JsonLine(line).fault(), "");
  }
}

TEST(AccessLogTest, TextsAreCutAtTheirBoundsButNotInACharacter) {
  Exchange x;
  const std::string agent = std::string(AccessLine::agent_max - 1, 'x') + "\xc3\xa9";
  x.headers.add(Name::user_agent, agent);
  EXPECT_EQ(JsonLine(x.line())["user_agent"], std::string(AccessLine::agent_max - 1, 'x'));
  const std::string path(AccessLine::path_max + 5, 'p');
  x.request.target.path = path;
  EXPECT_EQ(JsonLine(x.line())["path"], path.substr(5));
  x.request.target.path = std::string_view(path).substr(5);
  EXPECT_EQ(JsonLine(x.line())["path"], path.substr(5));
}

// Everything as long and as bad as it can be, and more.
TEST(AccessLogTest, TheLongestLineFitsItsBoundAndTheQueue) {
  const std::string bad(100'000, '\x01');
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  Exchange x;
  x.client = *parse_address("[2001:db8:1111:2222:3333:4444:5555:6666]:80");
  x.request.method_text = x.request.host = x.request.target.path = x.request.target.query = bad;
  x.request.target.has_query = true;
  x.headers.add(Name::user_agent, bad);
  x.headers.add(Name::x_request_id, bad);
  x.record = {.route = bad,
              .service = bad,
              .endpoint = bad,
              .started = at(0ns),
              .head_read = at(1ns),
              .connected = at(2ns),
              .answered = at(3ns),
              .ended = never,
              .bytes_in = most,
              .bytes_out = most,
              .status = 65535,
              .attempts = 65535,
              .decision = bad,
              .error = Error{Code::unavailable, Side::upstream, false, 0, bad.c_str()}};
  AccessLine format(bad, true);
  const std::string line(format.format(&x.request, x.client, x.record, wall));
  EXPECT_LE(line.size(), AccessLine::line_max);
  EXPECT_GT(line.size(), AccessLine::line_max - AccessLine::fixed_max) << "the bound is not loose";
  EXPECT_EQ(JsonLine(line).fault(), "");
  LineQueue queue(2 * LineQueue::chunk_bytes);
  EXPECT_EQ(queue.push(line), LineQueue::Push::kept);
}

TEST(AccessLogTest, WhateverAClientSendsALineIsALine) {
  std::mt19937_64 random(7);
  AccessLine format("public", true);
  for (int i = 0; i < 3000; ++i) {
    std::string texts[5];
    for (auto& text : texts) {
      text.resize(random() % 700);
      for (char& c : text) c = static_cast<char>(i % 2 ? random() : 0xC0 + random() % 64);
    }
    Answered x;
    x.request.method_text = texts[0];
    x.request.host = texts[1];
    x.request.target.path = texts[2];
    x.request.target.query = texts[3];
    x.request.target.has_query = true;
    x.headers.remove(Name::user_agent);
    x.headers.add(Name::user_agent, texts[4]);
    const std::string line = x.line(format);
    ASSERT_EQ(JsonLine(line).fault(), "") << printable(line, 2000);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    ASSERT_LE(line.size(), AccessLine::line_max);
  }
}

// The reader that these tests rely on finds what is wrong.
TEST(JsonLineTest, RefusesWhatIsNoLine) {
  EXPECT_EQ(JsonLine("{\"a\":{\"b\":1.5},\"c\":true}\n").fault(), "");
  EXPECT_EQ(JsonLine("{\"a\":{\"b\":1.5}}\n")["a.b"], "1.5");
  for (const char* bad :
       {"", "{}", "{\"a\":1}", "{\"a\":1}\n\n", "{\"a\":1,}\n", "{\"a\"1}\n", "{\"a\":01}\n",
        "{\"a\":-1}\n", "{\"a\":1.}\n", "{\"a\":x}\n", "{\"a\":\"\n\"}\n", "{\"a\":\"\\x\"}\n",
        "{\"a\":\"\xff\"}\n", "{\"a\":\"\x7f\"}\n", "{\"a\":\"\xc2\x80\"}\n", "{\"a\":1,\"a\":2}\n",
        "{\"a\":\"b}\n", "{\"a\":{\"b\":1}\n"})
    EXPECT_NE(JsonLine(bad).fault(), "") << bad;
}

}  // namespace
}  // namespace banyan
