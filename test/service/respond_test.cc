#include "service/respond.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace banyan {
namespace {

using testing::HasSubstr;

constexpr std::pair<Code, std::array<uint16_t, 3>> statuses[] = {
    // the fault of:      client, upstream, self
    {Code::cancelled, {400, 502, 503}},  {Code::timeout, {408, 504, 504}},
    {Code::overloaded, {400, 503, 503}}, {Code::unavailable, {400, 503, 503}},
    {Code::reset, {400, 502, 503}},      {Code::protocol, {400, 502, 500}},
    {Code::too_large, {413, 502, 503}},  {Code::bug, {400, 502, 500}},
};
constexpr Side sides[] = {Side::client, Side::upstream, Side::self};

TEST(RespondTest, EveryCodeOfEverySideHasItsStatus) {
  ASSERT_EQ(std::size(statuses), static_cast<size_t>(Code::bug) + 1) << "a new code is here too";
  for (const auto& [code, expected] : statuses)
    for (size_t i = 0; i < std::size(sides); ++i)
      EXPECT_EQ(status_of({code, sides[i]}), expected[i]) << name(code) << " " << name(sides[i]);
}

TEST(RespondTest, WhatTheProtocolNamesExactlyWins) {
  for (const Side side : sides)
    EXPECT_EQ(status_of({.code = Code::bug, .side = side, .status = 431, .what = ""}), 431);
}

TEST(RespondTest, TheAnswerSaysWhatHappenedAndWhoseFaultItIs) {
  Arena arena;
  Response rsp =
      respond(arena, {.code = Code::timeout, .side = Side::upstream, .what = "too slow"});
  EXPECT_EQ(rsp.status, 504);
  ASSERT_NE(rsp.headers, nullptr);
  ASSERT_EQ(rsp.headers->size(), 1u);
  EXPECT_EQ(rsp.headers->get(Name::content_type), "application/problem+json");
  const std::string_view expected =
      "{\"title\":\"Gateway Timeout\",\"status\":504,\"detail\":\"too slow\","
      "\"side\":\"upstream\"}\n";
  EXPECT_EQ(rsp.body->length(), expected.size());
  EXPECT_EQ(rsp.body->ready(), expected);
  EXPECT_EQ(rsp.tunnel, nullptr);
}

// The framing and Connection are the connection's, and no cache may keep what is no more than now.
TEST(RespondTest, OnlyAnAnswerThatMayBeTriedAgainSaysWhen) {
  for (const auto& [code, expected] : statuses)
    for (const Side side : sides) {
      Arena arena;
      const Response rsp = respond(arena, {.code = code, .side = side, .what = "x"});
      EXPECT_EQ(rsp.headers->get(Name::retry_after), rsp.status == 503 ? "1" : "");
      EXPECT_EQ(rsp.headers->size(), rsp.status == 503 ? 2u : 1u) << rsp.status;
    }
}

TEST(RespondTest, AnAnswerThatIsNoError) {
  Arena arena;
  Response rsp = respond(arena, 404, "no route takes this path", Side::client);
  EXPECT_EQ(rsp.status, 404);
  EXPECT_THAT(rsp.body->ready(), testing::StartsWith("{\"title\":\"Not Found\",\"status\":404,"));
  EXPECT_THAT(respond(arena, 599, "x", Side::self).body->ready(), HasSubstr("\"status\":599"));
}

}  // namespace
}  // namespace banyan
