#include "patterns/routing/regex.h"

#include <gtest/gtest.h>

#include "patterns/routing/regex_group.h"

namespace banyan {
namespace {

RegexPtr regex(std::string_view text) { return compile_regex(text).value(); }

TEST(Regex, TheWholeTextMatches) {
  EXPECT_TRUE(matches_whole(*regex("/a|/b"), "/a"));
  EXPECT_TRUE(matches_whole(*regex("/a|/ab"), "/ab"));
  EXPECT_FALSE(matches_whole(*regex("/a"), "/ab"));
  EXPECT_FALSE(matches_whole(*regex("/a"), "x/a"));
  EXPECT_TRUE(matches_whole(*regex("^/a$"), "/a"));
  EXPECT_FALSE(matches_whole(*regex("(?m)^/a$"), "/a\nb"));
  EXPECT_TRUE(matches_whole(*regex(""), ""));
  EXPECT_FALSE(matches_whole(*regex("."), "\n"));
  EXPECT_TRUE(matches_whole(*regex("(?i)/AB"), "/aB"));
}

TEST(Regex, WhatIsNoExpressionIsTold) {
  EXPECT_EQ(compile_regex("/(a").error(), "'/(a' is no regular expression (RE2): missing ): /(a");
  EXPECT_EQ(compile_regex("a**").error(),
            "'a**' is no regular expression (RE2): bad repetition operator: **");
  EXPECT_EQ(compile_regex("(a)\\1").error(),
            "'(a)\\1' is no regular expression (RE2): invalid escape sequence: \\1");
  EXPECT_EQ(compile_regex("a(?=b)").error(),
            "'a(?=b)' is no regular expression (RE2): invalid perl operator: (?=");
  EXPECT_EQ(compile_regex("a\xff").error(),
            "'a\\xff' is no regular expression (RE2): invalid UTF-8");
}

TEST(Regex, OneThatWantsTooMuchMemoryIsTold) {
  EXPECT_EQ(
      compile_regex("((a{100}){100}){100}").error(),
      "'((a{100}){100}){100}' is no regular expression (RE2): invalid repetition size: {100}");
  EXPECT_EQ(compile_regex("(\\pL{100}){10}").error(),
            "'(\\pL{100}){10}' is no regular expression (RE2): pattern too large - compile failed");
}

TEST(Regex, TheTimeIsLinearInTheText) {
  // What a backtracking engine needs 2^n steps for.
  const std::string text(50'000, 'a');
  EXPECT_FALSE(matches_whole(*regex("(a|aa|a*)*b"), text));
  EXPECT_FALSE(matches_whole(*regex("(.*)*=(.*)*;"), text));
}

TEST(Regex, NamedGroupsAreCaptures) {
  const RegexPtr r = regex("/(?P<year>[0-9]{4})(?:-(?P<month>[0-9]+))?/([a-z]+)/(?P<rest>.*)");
  const auto groups = named_groups(*r).value();
  ASSERT_EQ(groups.names, (std::vector<std::string>{"year", "month", "rest"}));
  std::string_view values[3] = {"x", "x", "x"};
  ASSERT_TRUE(match_groups(*r, groups, "/2026-11/shop/a/b", values));
  EXPECT_EQ(values[0], "2026");
  EXPECT_EQ(values[1], "11");
  EXPECT_EQ(values[2], "a/b");
  ASSERT_TRUE(match_groups(*r, groups, "/2026/shop/", values));
  EXPECT_EQ(values[1], "");
  EXPECT_EQ(values[2], "");
  EXPECT_FALSE(match_groups(*r, groups, "/26/shop/", values));
}

TEST(Regex, GroupsHaveBounds) {
  std::string many, far;
  for (int i = 0; i < 17; ++i) many += "(?P<n" + std::to_string(i) + ">a)";
  for (int i = 0; i < 63; ++i) far += "(a)";
  EXPECT_EQ(named_groups(*regex(many)).error(), "it has more than 16 named groups");
  EXPECT_EQ(named_groups(*regex(far + "(?P<last>a)")).error(),
            "group 'last' is not among the first 63; make others (?:...)");
  EXPECT_TRUE(named_groups(*regex(far.substr(3) + "(?P<last>a)")).has_value());
}

struct Beginning {
  std::string_view regex, prefix;
  bool may, always;
};

TEST(Regex, HowAMatchBegins) {
  for (const auto& [text, prefix, may, always] : {
           Beginning{"/api/.*", "/api/", true, true},
           {"^/api/.*", "/api/", true, true},
           {"^/api/.*$", "/api/", true, true},
           {"/api/v[12]/x", "/api/", true, true},
           {"/api/(?P<id>[0-9]+)", "/api/", true, true},
           {"^/api/(?P<id>[0-9]+)$", "/api/", true, true},
           {"/api/", "/api/", true, true},
           {"/api/x", "/api/", true, true},
           {"(/api/a|/api/b).*", "/api/", true, true},
           {"/api(/.*)?", "/api/", true, false},
           {"/api.*", "/api/", true, false},
           {"/(api|web)/.*", "/api/", true, false},
           {"/[a-z]+/x", "/api/", true, false},
           {".*", "/api/", true, false},
           {"(?i)/api/x", "/api/", true, false},
           {"/web/.*", "/api/", false, false},
           {"api/.*", "/", false, false},
           {"[a-z].*", "/", false, false},
           {"", "/", false, false},
           {".*", "/", true, false},
           {"[^/].*", "/", true, false},
           {"/.*", "/", true, true},
           {"\\x2f.*", "/", true, true},
       }) {
    EXPECT_EQ(may_begin_with(*regex(text), prefix), may) << text << " may " << prefix;
    EXPECT_EQ(always_begins_with(*regex(text), prefix), always) << text << " always " << prefix;
  }
}

TEST(RegexGroup, FewAndManyAnswerAlike) {
  for (size_t count :
       {size_t{1}, regexes_one_by_one_max, regexes_one_by_one_max + 1, size_t{200}}) {
    RegexGroup group;
    for (size_t i = 0; i < count; ++i)
      ASSERT_EQ(group.add(regex("/x" + std::to_string(i) + "(/.*)?")), i);
    ASSERT_EQ(group.add(regex("/x0(/.*)?")), 0u);
    ASSERT_TRUE(group.compile());
    const RegexGroup::Matches matches(group, "/x0/a"), none(group, "/y"), longer(group, "/x00");
    for (uint32_t i = 0; i < count; ++i) {
      EXPECT_EQ(matches.has(i), i == 0);
      EXPECT_FALSE(none.has(i));
      EXPECT_FALSE(longer.has(i));
    }
    if (matches.all() != nullptr) EXPECT_EQ(*matches.all(), std::vector<int>{0});
    EXPECT_EQ(matches.all() != nullptr, count > regexes_one_by_one_max);
  }
}

TEST(RegexGroup, TooLargeTogetherIsTold) {
  for (const auto& [megabytes, fits] : {std::pair{1, false}, {16, true}}) {
    RegexGroup group;
    for (int i = 0; i < 20; ++i) group.add(regex("/" + std::to_string(i) + "/\\pL{10}"));
    EXPECT_EQ(group.compile(int64_t{megabytes} << 20), fits);
  }
}

}  // namespace
}  // namespace banyan
