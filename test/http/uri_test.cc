#include "http/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace banyan {
namespace {

struct Path {
  std::string_view raw;
  std::string_view normal;
};

class UriTest : public testing::Test {
 protected:
  Result<Target> target(std::string_view raw, Method method = Method::get) {
    return parse_target(method, raw, rules, arena);
  }
  Arena arena;
  PathRules rules;
};

constexpr Path paths[] = {
    {"/", "/"},
    {"/a", "/a"},
    {"/a/", "/a/"},
    {"/a/b.c~d-e_f", "/a/b.c~d-e_f"},
    {"/!$&'()*+,;=:@", "/!$&'()*+,;=:@"},
    // Escapes: unreserved ones decoded, the others in upper case.
    {"/%61", "/a"},
    {"/%7euser", "/~user"},
    {"/%2d%2E%5f", "/-._"},
    {"/%e9%C3", "/%E9%C3"},
    {"/a%2fb", "/a%2Fb"},
    {"/a%5cb", "/a%5Cb"},
    {"/%25", "/%25"},
    {"/%2561", "/%2561"},
    {"/%20", "/%20"},
    {"/%3f%23", "/%3F%23"},
    {"/%21", "/%21"},
    // What should have been escaped.
    {"/\"<>^`{|}", "/%22%3C%3E%5E%60%7B%7C%7D"},
    {"/[a]", "/%5Ba%5D"},
    // Dot segments.
    {"/.", "/"},
    {"/./", "/"},
    {"/a/.", "/a/"},
    {"/a/./b", "/a/b"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/../b", "/b"},
    {"/a/b/../../c", "/c"},
    {"/a/%2e%2E/b", "/b"},
    {"/a/.%2e/b", "/b"},
    {"/a/...", "/a/..."},
    {"/.a", "/.a"},
    {"/..a", "/..a"},
    {"/a..", "/a.."},
    {"/a/..;x/b", "/a/..;x/b"},
    {"/a/..%2fb", "/a/..%2Fb"},
    // Slashes.
    {"//", "/"},
    {"///", "/"},
    {"//a", "/a"},
    {"/a//b", "/a/b"},
    {"/a//", "/a/"},
    {"/a//../b", "/b"},
    {"/a/.//b", "/a/b"},
};

TEST_F(UriTest, PathsHaveOneForm) {
  for (const Path& row : paths) {
    const auto t = target(row.raw);
    ASSERT_TRUE(t.has_value()) << row.raw << t.error().what;
    EXPECT_EQ(t->path, row.normal) << row.raw;
    EXPECT_EQ(t->forward, row.normal) << row.raw;
    EXPECT_FALSE(t->has_query);
  }
}

TEST_F(UriTest, DoingItTwiceChangesNothing) {
  for (bool merge : {true, false}) {
    rules.merge_slashes = merge;
    for (const Path& row : paths) {
      const auto once = target(row.raw);
      ASSERT_TRUE(once.has_value()) << row.raw;
      const auto twice = target(once->path);
      ASSERT_TRUE(twice.has_value()) << once->path;
      EXPECT_EQ(twice->path, once->path) << row.raw;
    }
  }
}

TEST_F(UriTest, SlashesAreKeptIfAsked) {
  rules.merge_slashes = false;
  for (const auto& [raw, normal] :
       {Path{"//", "//"}, Path{"/a//b", "/a//b"}, Path{"/a//../b", "/a/b"}, Path{"//..", "/"},
        Path{"/a/..//b", "//b"}}) {
    const auto t = target(raw);
    ASSERT_TRUE(t.has_value()) << raw;
    EXPECT_EQ(t->path, normal) << raw;
  }
}

TEST_F(UriTest, RefusedTargets) {
  for (std::string_view raw : {"/..",
                               "/../",
                               "/../a",
                               "/a/../..",
                               "/a/../../b",
                               "/%2e%2e",
                               "/./..",
                               "/%",
                               "/%4",
                               "/%zz",
                               "/%g1",
                               "/%1g",
                               "/a%",
                               "/%00",
                               "/a%0d%0ab",
                               "/%7f",
                               "/%1f",
                               "/a\\b",
                               "/#",
                               "/a#b",
                               "/?a#b",
                               "",
                               "a",
                               "a/b",
                               "*",
                               "?",
                               "http:",
                               "http:/",
                               "http://",
                               "http:///a",
                               "http://u@a/",
                               "http://a b/",
                               "http://a:x/",
                               "http://a:99999/",
                               "ftp://a/",
                               "//../a",
                               "http://a/..",
                               "http://[::1/",
                               "http://[1]/",
                               "a:80",
                               "javascript://a/"}) {
    const auto t = target(raw);
    ASSERT_FALSE(t.has_value()) << raw;
    EXPECT_EQ(t.error().status, 400) << raw;
    EXPECT_EQ(t.error().side, Side::client);
  }
}

TEST_F(UriTest, EscapedSlashesAreRefusedIfAsked) {
  rules.encoded_slash = PathRules::EncodedSlash::refuse;
  for (std::string_view raw : {"/a%2fb", "/a%2Fb", "/a%5cb"})
    EXPECT_FALSE(target(raw).has_value()) << raw;
  EXPECT_TRUE(target("/a%20b?c=%2f").has_value()) << "a query may have them";
}

TEST_F(UriTest, TheQueryIsNeverChanged) {
  for (std::string_view query : {"", "a=b", "a=%zz&..//?", "/../", "%2e", "a=b?c"}) {
    for (std::string_view path : {"/p", "/x/../p", "//p", "/%70"}) {
      const std::string raw = std::string(path) + "?" + std::string(query);
      const auto t = target(raw);
      ASSERT_TRUE(t.has_value()) << raw;
      EXPECT_EQ(t->path, "/p");
      EXPECT_TRUE(t->has_query);
      EXPECT_EQ(t->query, query);
      EXPECT_EQ(t->forward, "/p?" + std::string(query));
    }
  }
}

TEST_F(UriTest, AbsoluteForm) {
  struct Row {
    std::string_view raw, authority, path, forward;
  };
  for (const Row& row :
       {Row{"http://a", "a", "/", "/"}, Row{"HTTP://A:80/b/../c?d", "A:80", "/c", "/c?d"},
        Row{"https://[::1]:8/x", "[::1]:8", "/x", "/x"}, Row{"http://a?b", "a", "/", "/?b"},
        Row{"http://a/?b=http://c/", "a", "/", "/?b=http://c/"}}) {
    const auto t = target(row.raw);
    ASSERT_TRUE(t.has_value()) << row.raw;
    EXPECT_EQ(t->form, Target::Form::absolute);
    EXPECT_EQ(t->authority, row.authority);
    EXPECT_EQ(t->path, row.path);
    EXPECT_EQ(t->forward, row.forward);
  }
}

TEST_F(UriTest, AsteriskAndAuthorityForms) {
  const auto star = target("*", Method::options);
  ASSERT_TRUE(star.has_value());
  EXPECT_EQ(star->form, Target::Form::asterisk);
  EXPECT_EQ(star->forward, "*");
  // What a proxy is sent instead of it (RFC 9112, section 3.2.4).
  const auto whole = target("http://a.example:80", Method::options);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->form, Target::Form::asterisk);
  EXPECT_EQ(whole->authority, "a.example:80");
  EXPECT_EQ(whole->forward, "*");
  for (std::string_view raw : {"http://a/", "http://a?q"})
    EXPECT_EQ(target(raw, Method::options)->form, Target::Form::absolute) << raw;
  EXPECT_EQ(target("http://a", Method::get)->forward, "/");
  const auto connect = target("a.example:443", Method::connect);
  ASSERT_TRUE(connect.has_value());
  EXPECT_EQ(connect->form, Target::Form::authority);
  EXPECT_EQ(connect->authority, "a.example:443");
  for (std::string_view raw : {"/", "a", "a:", "http://a:80/", "*", "a:b", ":443"})
    EXPECT_FALSE(target(raw, Method::connect).has_value()) << raw;
}

TEST_F(UriTest, AnotherPathKeepsTheQuery) {
  const auto t = target("/a?b=c");
  ASSERT_TRUE(t.has_value());
  EXPECT_EQ(with_path(*t, "/x/y", arena).forward, "/x/y?b=c");
  EXPECT_EQ(with_path(*target("/a"), "/x", arena).forward, "/x");
  EXPECT_EQ(with_path(*target("/a?"), "/x", arena).forward, "/x?");
}

TEST_F(UriTest, Authorities) {
  struct Row {
    std::string_view text, host, port;
  };
  for (const Row& row :
       {Row{"a", "a", ""}, Row{"a:80", "a", "80"}, Row{"a:", "a", ""},
        Row{"1.2.3.4:0", "1.2.3.4", "0"}, Row{"[::1]", "[::1]", ""},
        Row{"[fe80::1]:65535", "[fe80::1]", "65535"},
        Row{"[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]", "1"}, Row{"a_b-c.d~", "a_b-c.d~", ""}}) {
    const auto a = parse_authority(row.text);
    ASSERT_TRUE(a.has_value()) << row.text;
    EXPECT_EQ(a->host, row.host);
    EXPECT_EQ(a->port, row.port);
  }
  for (std::string_view text :
       {"",    ":",   ":80", "a:b",       "a:65536",    "a:000080", "a:-1",   "a:+1",
        "a b", "u@a", "a/b", "a?b",       "[::1",       "::1",      "[::1]x", "[::1]x:80",
        "[]",  "[:]", "[1]", "[1.2.3.4]", "[::1%eth0]", "[::g]",    "a%41",   "a\xe9"})
    EXPECT_FALSE(parse_authority(text).has_value()) << text;
}

TEST_F(UriTest, HostsInLowerCase) {
  EXPECT_EQ(lower_host("A.Example:80", arena), "a.example");
  EXPECT_EQ(lower_host("a.example.", arena), "a.example");
  EXPECT_EQ(lower_host("[FE80::A]:1", arena), "[fe80::a]");
  EXPECT_EQ(lower_host("", arena), "");
  EXPECT_EQ(lower_host("a b", arena), "");
}

}  // namespace
}  // namespace banyan
