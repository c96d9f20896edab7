#include "base/error.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "base/check.h"

namespace banyan {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Code::protocol, Side::client, "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  const int once = TRY_RETURN(half(n));
  return TRY_RETURN(half(once));
}
Result<std::unique_ptr<int>> boxed(int n) { return std::make_unique<int>(TRY_RETURN(half(n))); }
Result<> odd_is_refused(int n) {
  TRY_RETURN(half(n));
  return {};
}

TEST(ErrorTest, TryGivesTheValueOrLeavesWithTheError) {
  EXPECT_EQ(quarter(8), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error(), (Error{Code::protocol, Side::client, false, 0, "odd"}));
  EXPECT_TRUE(odd_is_refused(2));
  EXPECT_FALSE(odd_is_refused(1));
}

TEST(ErrorTest, TryMovesWhatCannotBeCopied) {
  auto twice = [](int n) -> Result<std::unique_ptr<int>> {
    auto box = TRY_RETURN(boxed(n));
    *box *= 2;
    return box;
  };
  EXPECT_EQ(**twice(10), 10);
}

TEST(ErrorTest, EqualByTextNotByPlace) {
  const std::string here = "why", there = "why";
  Error a{Code::timeout, Side::upstream, true, 504, here.c_str()};
  EXPECT_EQ(a, (Error{Code::timeout, Side::upstream, true, 504, there.c_str()}));
  EXPECT_NE(a, (Error{Code::timeout, Side::upstream, true, 504, "other"}));
  EXPECT_NE(a, (Error{Code::timeout, Side::upstream, false, 504, "why"}));
  EXPECT_NE(a, (Error{Code::timeout, Side::client, true, 504, "why"}));
  EXPECT_NE(a, (Error{Code::reset, Side::upstream, true, 504, "why"}));
  EXPECT_NE(a, (Error{Code::timeout, Side::upstream, true, 0, "why"}));
}

TEST(ErrorTest, EveryCodeAndSideHasItsName) {
  std::set<std::string_view> names;
  for (int c = 0; c <= static_cast<int>(Code::bug); ++c) names.insert(name(static_cast<Code>(c)));
  for (Side side : {Side::client, Side::upstream, Side::self}) names.insert(name(side));
  EXPECT_EQ(names.size(), 11u);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(CheckDeathTest, EndsWithTheExpressionAndItsPlace) {
  CHECK(1 + 1 == 2);
  EXPECT_DEATH(CHECK(1 + 1 == 3), "1 \\+ 1 == 3 does not hold .*error_test.cc:");
}

}  // namespace
}  // namespace banyan
