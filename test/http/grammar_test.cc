#include "http/grammar.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace banyan {
namespace {

bool alphanumeric(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool one_of(int c, std::string_view list) {
  return c != 0 && c < 128 && list.find(static_cast<char>(c)) != std::string_view::npos;
}

// Each class against its definition in the RFC, for every byte.
TEST(Grammar, ClassesAreThoseOfTheRfc) {
  constexpr std::string_view sub_delims = "!$&'()*+,;=";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool unreserved = alphanumeric(i) || one_of(i, "-._~");
    EXPECT_EQ(is(c, token_char), alphanumeric(i) || one_of(i, "!#$%&'*+-.^_`|~")) << i;
    EXPECT_EQ(is(c, target_char), i > 0x20 && i < 0x7f) << i;
    EXPECT_EQ(is(c, unreserved_char), unreserved) << i;
    EXPECT_EQ(is(c, path_char), unreserved || one_of(i, sub_delims) || one_of(i, ":@/")) << i;
    EXPECT_EQ(is(c, host_char), unreserved || one_of(i, sub_delims)) << i;
    EXPECT_EQ(is_control(c), (i < 0x20 && i != '\t') || i == 0x7f) << i;
  }
}

TEST(Grammar, TargetsHaveVisibleBytesOnly) {
  EXPECT_FALSE(is_target(""));
  for (int i = 0; i < 256; ++i)
    for (size_t at : {0u, 3u, 19u}) {
      std::string s(20, 'a');
      s[at] = static_cast<char>(i);
      EXPECT_EQ(is_target(s), i > 0x20 && i < 0x7f) << i << " at " << at;
    }
}

// The vector loop and the plain one must agree: every byte at every offset around sixteen.
TEST(Grammar, FindsTheFirstControlByteAtAnyOffset) {
  for (size_t size : {0u, 1u, 15u, 16u, 17u, 31u, 32u, 33u, 50u}) {
    const std::string clean(size, '\x80');
    EXPECT_EQ(find_control(clean), size);
    EXPECT_TRUE(is_field_value(clean));
    for (size_t at = 0; at < size; ++at)
      for (int byte = 0; byte < 256; ++byte) {
        std::string s = clean;
        s[at] = static_cast<char>(byte);
        const bool control = is_control(s[at]);
        ASSERT_EQ(find_control(s), control ? at : size) << size << ' ' << at << ' ' << byte;
      }
  }
}

TEST(Grammar, TabsBeforeAControlByteAreSkipped) {
  std::string s = "\t\t\ta\tb\t\t\t\t\t\t\t\t\t\t\t\t\t\n";
  EXPECT_EQ(find_control(s), s.size() - 1);
  EXPECT_EQ(find_control("\t"), 1u);
}

TEST(Grammar, Tokens) {
  EXPECT_TRUE(is_token("X-A_b.1!"));
  for (std::string_view s : {"", "a b", "a:", "a\t", "(a)", "\xe9", "a/b", "\"a\""})
    EXPECT_FALSE(is_token(s)) << s;
}

}  // namespace
}  // namespace banyan
