#include "http/framing.h"

#include <gtest/gtest.h>

#include <vector>

namespace banyan {
namespace {

using Kind = Framing::Kind;
using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

Headers headers_of(Arena& arena, const Fields& fields) {
  Headers h(arena);
  for (const auto& [name, value] : fields) h.add(name, value);
  return h;
}

std::string shown(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields)
    out += std::string(name) + ": " + std::string(value) + " | ";
  return out;
}

struct Good {
  Fields fields;
  Kind kind;
  uint64_t length;
};

TEST(Framing, OfRequests) {
  const Good rows[] = {
      {{}, Kind::none, 0},
      {{{"content-length", "0"}}, Kind::length, 0},
      {{{"Content-Length", "17"}}, Kind::length, 17},
      {{{"content-length", "0017"}}, Kind::length, 17},
      {{{"content-length", "9223372036854775807"}}, Kind::length, INT64_MAX},
      {{{"transfer-encoding", "chunked"}}, Kind::chunked, 0},
      {{{"Transfer-Encoding", "Chunked"}}, Kind::chunked, 0},
  };
  for (const Good& row : rows) {
    Arena arena;
    const auto framing = request_framing(1, headers_of(arena, row.fields));
    ASSERT_TRUE(framing.has_value()) << shown(row.fields) << framing.error().what;
    EXPECT_EQ(framing->kind, row.kind) << shown(row.fields);
    EXPECT_EQ(framing->length, row.length) << shown(row.fields);
  }
}

struct Bad {
  Fields fields;
  uint16_t status = 400;
  uint8_t minor_version = 1;
};

// What smuggling is made of: anything that two readers could measure in two ways.
const Bad smuggling[] = {
    {{{"content-length", "5"}, {"transfer-encoding", "chunked"}}},
    {{{"transfer-encoding", "chunked"}, {"content-length", "0"}}},
    {{{"content-length", "5"}, {"content-length", "5"}}},
    {{{"content-length", "5"}, {"Content-Length", "6"}}},
    {{{"content-length", ""}}},
    {{{"content-length", "5, 5"}}},
    {{{"content-length", "5,6"}}},
    {{{"content-length", "+5"}}},
    {{{"content-length", "-5"}}},
    {{{"content-length", "-0"}}},
    {{{"content-length", "5 "}}},
    {{{"content-length", " 5"}}},
    {{{"content-length", "1 2"}}},
    {{{"content-length", "0x5"}}},
    {{{"content-length", "5a"}}},
    {{{"content-length", "5.0"}}},
    {{{"content-length", "1e3"}}},
    {{{"content-length", "1_000"}}},
    {{{"content-length", "\"5\""}}},
    {{{"content-length", "9223372036854775808"}}},
    {{{"content-length", "18446744073709551616"}}},
    {{{"content-length", "99999999999999999999999999"}}},
    {{{"transfer-encoding", ""}}},
    {{{"transfer-encoding", "chunked, chunked"}}},
    {{{"transfer-encoding", "gzip, chunked"}}},
    {{{"transfer-encoding", "chunked, gzip"}}},
    {{{"transfer-encoding", "chunked,"}}},
    {{{"transfer-encoding", ",chunked"}}},
    {{{"transfer-encoding", "chunked;q=1"}}},
    {{{"transfer-encoding", "chunked "}}},
    {{{"transfer-encoding", "chunked"}, {"transfer-encoding", "chunked"}}},
    {{{"transfer-encoding", "chunked"}, {"transfer-encoding", "identity"}}},
    {{{"transfer-encoding", "identity"}, {"transfer-encoding", "chunked"}}},
    {{{"transfer-encoding", "gzip"}}, 501},
    {{{"transfer-encoding", "identity"}}, 501},
    {{{"transfer-encoding", "xchunked"}}, 501},
    {{{"transfer-encoding", "chunke"}}, 501},
    {{{"transfer-encoding", "\"chunked\""}}, 501},
    {{{"transfer-encoding", "chunked"}}, 400, 0},
    {{{"transfer-encoding", "gzip"}}, 400, 0},
};

TEST(Framing, RefusesWhatCouldBeReadInTwoWays) {
  for (const Bad& row : smuggling) {
    Arena arena;
    const auto framing = request_framing(row.minor_version, headers_of(arena, row.fields));
    ASSERT_FALSE(framing.has_value()) << shown(row.fields);
    EXPECT_EQ(framing.error().status, row.status) << shown(row.fields);
    EXPECT_EQ(framing.error().side, Side::client);
    EXPECT_EQ(framing.error().code, Code::protocol);
  }
}

TEST(Framing, AnAnswersFaultsAreTheUpstreams) {
  for (const Bad& row : smuggling) {
    for (Method method : {Method::get, Method::head}) {
      Arena arena;
      const auto framing =
          response_framing(method, 200, row.minor_version, headers_of(arena, row.fields));
      ASSERT_FALSE(framing.has_value()) << shown(row.fields);
      EXPECT_EQ(framing.error().side, Side::upstream);
      EXPECT_EQ(framing.error().code, Code::protocol);
      EXPECT_EQ(framing.error().status, 0);
    }
  }
}

struct Answer {
  Method method;
  uint16_t status;
  Fields fields;
  Kind kind;
  uint64_t length = 0;
};

TEST(Framing, OfAnswers) {
  const Fields five = {{"content-length", "5"}};
  const Fields chunked = {{"transfer-encoding", "chunked"}};
  const Answer rows[] = {
      {Method::get, 200, five, Kind::length, 5},
      {Method::get, 200, chunked, Kind::chunked},
      {Method::get, 200, {}, Kind::until_close},
      {Method::get, 404, {}, Kind::until_close},
      {Method::post, 205, five, Kind::length, 5},
      {Method::head, 200, five, Kind::none},
      {Method::head, 200, chunked, Kind::none},
      {Method::head, 200, {}, Kind::none},
      {Method::get, 100, five, Kind::none},
      {Method::get, 101, {}, Kind::none},
      {Method::get, 103, chunked, Kind::none},
      {Method::get, 204, five, Kind::none},
      {Method::get, 204, {}, Kind::none},
      {Method::get, 304, five, Kind::none},
      {Method::connect, 200, {}, Kind::none},
      {Method::connect, 200, five, Kind::none},
      {Method::connect, 299, chunked, Kind::none},
      {Method::connect, 403, five, Kind::length, 5},
      {Method::connect, 502, {}, Kind::until_close},
  };
  for (const Answer& row : rows) {
    Arena arena;
    const auto framing = response_framing(row.method, row.status, 1, headers_of(arena, row.fields));
    ASSERT_TRUE(framing.has_value()) << row.status << shown(row.fields);
    EXPECT_EQ(framing->kind, row.kind) << text(row.method) << row.status << shown(row.fields);
    EXPECT_EQ(framing->length, row.length) << row.status << shown(row.fields);
  }
}

TEST(Framing, AnnouncedLength) {
  Arena arena;
  EXPECT_EQ(announced_length(headers_of(arena, {})), std::nullopt);
  EXPECT_EQ(announced_length(headers_of(arena, {{"content-length", "12"}})), 12u);
}

TEST(Framing, KeepAlive) {
  struct Row {
    Fields fields;
    uint8_t version;
    bool keep;
  };
  const Row rows[] = {
      {{}, 1, true},
      {{}, 0, false},
      {{{"connection", "close"}}, 1, false},
      {{{"Connection", "Close"}}, 1, false},
      {{{"connection", "keep-alive"}}, 0, true},
      {{{"connection", "keep-alive"}}, 1, true},
      {{{"connection", "keep-alive, close"}}, 0, false},
      {{{"connection", "x, \tclose ,y"}}, 1, false},
      {{{"connection", "x"}, {"connection", "close"}}, 1, false},
      {{{"connection", "closed"}}, 1, true},
      {{{"connection", "upgrade"}}, 0, false},
  };
  for (const Row& row : rows) {
    Arena arena;
    EXPECT_EQ(keep_alive(row.version, headers_of(arena, row.fields)), row.keep)
        << shown(row.fields) << +row.version;
  }
}

TEST(Framing, Lists) {
  Arena arena;
  const auto h = headers_of(arena, {{"te", "deflate;q=0.5, Trailers"}, {"te", ",,gzip"}});
  EXPECT_TRUE(lists(h, Name::te, "trailers"));
  EXPECT_TRUE(lists(h, Name::te, "gzip"));
  EXPECT_FALSE(lists(h, Name::te, "deflate"));
  EXPECT_FALSE(lists(h, Name::via, "gzip"));
}

}  // namespace
}  // namespace banyan
