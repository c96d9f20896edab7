#include "patterns/ambassador/retry_after.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

using namespace std::chrono_literals;

// 1994-11-06 08:49:37, the date of RFC 9110's examples.
constexpr WallTime example{784'111'777s};

TEST(HttpDate, TheFormThatMayBeSent) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), example);
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT"), WallTime{});
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT"), WallTime{1'709'251'199s});
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT"), WallTime{1'483'228'800s});
}

TEST(HttpDate, AnythingElseIsNone) {
  for (const char* text : {"",
                           "soon",
                           "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Foo 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT",
                           "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun. 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06-Nov-1994 08:49:37 GMT",
                           "Sun, +6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 9999 08:49:37 GMT",
                           "123, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT "})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

TEST(RetryAfter, SecondsOrADate) {
  struct {
    const char* text;
    std::optional<Duration> expected;
  } const rows[] = {
      {"0", 0s},
      {"120", 120s},
      {"99999999999999999999999", 1'000'000s},
      {"Sun, 06 Nov 1994 08:49:40 GMT", 3s},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 0s},
      {"Sun, 06 Nov 1994 08:00:00 GMT", 0s},
      {"-1", std::nullopt},
      {"1.5", std::nullopt},
      {"1 s", std::nullopt},
  };
  for (const auto& row : rows) {
    Arena arena;
    Headers headers(arena);
    headers.add(Name::retry_after, row.text);
    EXPECT_EQ(retry_after(headers, example), row.expected) << row.text;
  }
}

TEST(RetryAfter, NotSaid) {
  Arena arena;
  EXPECT_EQ(retry_after(Headers(arena), example), std::nullopt);
}

}  // namespace
}  // namespace banyan
