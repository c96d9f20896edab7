#include "service/tell.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

class TellTest : public testing::Test {
 protected:
  TellTest() {
    record.attempts = 3;
    record.endpoint = "10.0.0.2:80";
  }
  std::string told(std::vector<std::pair<Name, std::string_view>> before = {}) {
    Headers answer(arena);
    for (const auto& [name, value] : before) answer.add(name, value);
    tell(record, answer);
    std::string out;
    for (const Field& field : answer)
      out += std::string(field.name) + ": " + std::string(field.value) + "\n";
    return out;
  }
  Arena arena;
  Record record;
};

TEST_F(TellTest, NothingUnlessItIsSaid) { EXPECT_EQ(told(), ""); }

TEST_F(TellTest, EachByItself) {
  record.decision = "not sent again";
  record.tells = {.attempts = true};
  EXPECT_EQ(told(), "banyan-attempts: 3\n");
  record.tells = {.served_by = true};
  EXPECT_EQ(told(), "banyan-served-by: 10.0.0.2:80\n");
  record.tells = {.reason = true};
  EXPECT_EQ(told(), "banyan-reason: not sent again\n");
}

TEST_F(TellTest, TheErrorIsTheReasonWhenNothingWasDecided) {
  record.tells = {.attempts = true, .served_by = true, .reason = true};
  EXPECT_EQ(told(), "banyan-attempts: 3\nbanyan-served-by: 10.0.0.2:80\n");
  record.error = Error{Code::reset, Side::upstream, false, 0, "broke off"};
  EXPECT_EQ(told(),
            "banyan-attempts: 3\nbanyan-served-by: 10.0.0.2:80\nbanyan-reason: broke off\n");
}

TEST_F(TellTest, WithoutAnEndpointNobodyServedIt) {
  record = {};
  record.tells = {.attempts = true, .served_by = true, .reason = true};
  EXPECT_EQ(told(), "banyan-attempts: 0\n");
}

TEST_F(TellTest, WhatAnotherHasToldIsGone) {
  const auto inner =
      std::vector<std::pair<Name, std::string_view>>{{Name::banyan_attempts, "7"},
                                                     {Name::date, "now"},
                                                     {Name::banyan_served_by, "10.77.0.1:80"},
                                                     {Name::banyan_reason, "theirs"}};
  EXPECT_EQ(told(inner), "date: now\n");
  record.tells = {.served_by = true};
  EXPECT_EQ(told(inner), "date: now\nbanyan-served-by: 10.0.0.2:80\n");
}

}  // namespace
}  // namespace banyan
