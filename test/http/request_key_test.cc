#include "http/request_key.h"

#include <gtest/gtest.h>

#include "http/cookie.h"

namespace banyan {
namespace {

class RequestKeyTest : public testing::Test {
 protected:
  std::string of(std::string_view rule) {
    Request request{.arena = arena,
                    .target = {.path = "/a/b"},
                    .headers = headers,
                    .client = client,
                    .record = record};
    return std::string(RequestKey::parse(rule)->of(request));
  }

  Arena arena;
  Headers headers{arena};
  Address client;
  Record record;
};

TEST_F(RequestKeyTest, ReadsItsRules) {
  using Kind = RequestKey::Kind;
  const std::pair<std::string_view, Kind> table[] = {{"ip", Kind::ip},
                                                     {"path", Kind::path},
                                                     {"cookie:sid", Kind::cookie},
                                                     {"header:x-user", Kind::header}};
  for (const auto& [text, kind] : table) EXPECT_EQ(RequestKey::parse(text)->kind(), kind) << text;
  for (std::string_view text : {"", "IP", "ip:", "header", "header:", "header:x user", "cookie:",
                                "cookie:a=b", "query:a", "claim:tenant", " ip", "headers:x"})
    EXPECT_FALSE(RequestKey::parse(text)) << text;
}

TEST_F(RequestKeyTest, EqualWhenTheyReadTheSame) {
  EXPECT_EQ(RequestKey::parse("header:a"), RequestKey::parse("header:a"));
  EXPECT_NE(RequestKey::parse("header:a"), RequestKey::parse("header:b"));
  EXPECT_NE(RequestKey::parse("header:a"), RequestKey::parse("cookie:a"));
}

TEST_F(RequestKeyTest, OfARequest) {
  headers.add("X-User", "ann");
  headers.add("x-user", "bob");
  headers.add("Cookie", "a=1; sid=s1");
  client = *parse_address("10.1.2.3:4567");
  EXPECT_EQ(of("header:x-user"), "ann") << "the first";
  EXPECT_EQ(of("cookie:sid"), "s1");
  EXPECT_EQ(of("path"), "/a/b");
  const std::string ip = of("ip");
  EXPECT_EQ(ip.size(), 16u);
  client = *parse_address("10.1.2.3:999");
  EXPECT_EQ(of("ip"), ip) << "whatever the port";
  client = *parse_address("10.1.2.4:999");
  EXPECT_NE(of("ip"), ip);
}

TEST_F(RequestKeyTest, EmptyWhenThereIsNone) {
  client = *parse_address("unix:/run/x.sock");
  for (std::string_view rule : {"header:x-user", "cookie:sid", "ip"})
    EXPECT_EQ(of(rule), "") << rule;
}

TEST_F(RequestKeyTest, Cookies) {
  EXPECT_EQ(find_cookie(headers, "a"), std::nullopt);
  headers.add("cookie", "a=1;b=\"2\" ;; c ; =5; A=6");
  headers.add("cookie", "a=7; d=8=9; e=");
  const std::pair<std::string_view, std::optional<std::string_view>> table[] = {
      {"a", "1"},   {"b", "\"2\""}, {"c", std::nullopt}, {"A", "6"},
      {"d", "8=9"}, {"e", ""},      {"f", std::nullopt}};
  for (const auto& [name, value] : table) EXPECT_EQ(find_cookie(headers, name), value) << name;
}

}  // namespace
}  // namespace banyan
