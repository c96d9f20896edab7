#include "http/method.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

struct Row {
  std::string_view text;
  Method method;
  bool safe, idempotent;
};
// RFC 9110, section 9.2, and RFC 5789 for PATCH.
constexpr Row rows[] = {
    {"GET", Method::get, true, true},          {"HEAD", Method::head, true, true},
    {"OPTIONS", Method::options, true, true},  {"TRACE", Method::trace, true, true},
    {"PUT", Method::put, false, true},         {"DELETE", Method::delete_, false, true},
    {"POST", Method::post, false, false},      {"PATCH", Method::patch, false, false},
    {"CONNECT", Method::connect, false, false}};

TEST(MethodTest, TextAndProperties) {
  for (const Row& row : rows) {
    EXPECT_EQ(parse_method(row.text), row.method) << row.text;
    EXPECT_EQ(text(row.method), row.text);
    EXPECT_EQ(is_safe(row.method), row.safe) << row.text;
    EXPECT_EQ(is_idempotent(row.method), row.idempotent) << row.text;
  }
}

TEST(MethodTest, AnythingElseIsOther) {
  for (std::string_view s : {"", "get", "GETS", "GE", "PROPFIND", "Post", "PRI"})
    EXPECT_EQ(parse_method(s), Method::other) << s;
  EXPECT_FALSE(is_safe(Method::other));
  EXPECT_FALSE(is_idempotent(Method::other));
}

}  // namespace
}  // namespace banyan
