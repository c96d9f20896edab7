#include "base/text.h"

#include <gtest/gtest.h>

#include <random>

namespace banyan {
namespace {

std::string escaped(std::string_view s) {
  std::string out = "x";  // what is there stays
  append_json_escaped(out, s);
  return out.substr(1);
}

TEST(TextTest, CaseOfAsciiLettersAlone) {
  EXPECT_TRUE(iequal("", ""));
  EXPECT_TRUE(iequal("Content-LENGTH", "content-length"));
  EXPECT_FALSE(iequal("a", "ab"));
  EXPECT_FALSE(iequal("\xc3\xa9", "\xc3\x89"));  // é, É
  EXPECT_FALSE(iequal("[", "{"));                // 0x20 apart, but no letters
  EXPECT_FALSE(iequal("@", "`"));
}

TEST(TextTest, TrimTakesSpacesAndTabsAlone) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\n\r\va\f\n"), "\n\r\va\f\n");
}

TEST(TextTest, NumbersAreStrict) {
  EXPECT_EQ(parse_u64("0"), 0u);
  EXPECT_EQ(parse_u64("007"), 7u);
  EXPECT_EQ(parse_u64("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", "+1", "-1", " 1", "1 ", "1_000", "0x10", "1.0", "1e3",
                          "18446744073709551616", "99999999999999999999", "184467440737095516150"})
    EXPECT_EQ(parse_u64(bad), std::nullopt) << bad;
  EXPECT_EQ(parse_u64(std::string_view("1\0", 2)), std::nullopt);
}

TEST(TextTest, HexadecimalDigits) {
  std::string_view digits = "0123456789abcdef";
  for (int c = 0; c < 256; ++c) {
    const auto at = digits.find(lower(static_cast<char>(c)));
    EXPECT_EQ(hex_value(static_cast<char>(c)),
              at == std::string_view::npos ? -1 : static_cast<int>(at))
        << c;
  }
}

TEST(TextTest, PrintableIsAscii) {
  EXPECT_EQ(printable("a b~"), "a b~");
  EXPECT_EQ(printable({"\0\n\x7f\xff", 4}), R"(\x00\x0a\x7f\xff)");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
}

// Every sequence of up to two bytes, and the borders of the longer ones (RFC 3629, section 4).
TEST(TextTest, Utf8LengthOfShortSequences) {
  EXPECT_EQ(utf8_length(""), 0u);
  for (unsigned a = 0; a < 256; ++a) {
    const char one[] = {static_cast<char>(a)};
    EXPECT_EQ(utf8_length({one, 1}), a < 0x80 ? 1u : 0u) << a;
    for (unsigned b = 0; b < 256; ++b) {
      const char two[] = {static_cast<char>(a), static_cast<char>(b)};
      const bool pair = a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF;
      EXPECT_EQ(utf8_length({two, 2}), a < 0x80 ? 1u : pair ? 2u : 0u) << a << " " << b;
    }
  }
}

TEST(TextTest, Utf8LengthAtTheBorders) {
  const std::pair<std::string_view, size_t> cases[] = {
      {"\xE0\xA0\x80", 3},      // U+0800
      {"\xE0\x9F\xBF", 0},      // overlong
      {"\xED\x9F\xBF", 3},      // U+D7FF
      {"\xED\xA0\x80", 0},      // a surrogate
      {"\xEF\xBF\xBF", 3},      // U+FFFF
      {"\xF0\x90\x80\x80", 4},  // U+10000
      {"\xF0\x8F\xBF\xBF", 0},  // overlong
      {"\xF4\x8F\xBF\xBF", 4},  // U+10FFFF
      {"\xF4\x90\x80\x80", 0},  // above
      {"\xF5\x80\x80\x80", 0}, {"\xE2\x82", 0},     {"\xE2\x82 ", 0},
      {"\xF0\x9F\x8C", 0},     {"\xE2\x28\xA1", 0}, {"\xE2\x82\xAC and more", 3},
  };
  for (const auto& [text, length] : cases) EXPECT_EQ(utf8_length(text), length) << printable(text);
}

TEST(TextTest, JsonEscapesOfEveryByte) {
  for (int c = 0; c < 0x80; ++c) {
    const char one[] = {static_cast<char>(c)};
    const std::string got = escaped({one, 1});
    if (c == '"' || c == '\\')
      EXPECT_EQ(got, std::string("\\") + one[0]);
    else if (c < 0x20 || c == 0x7F)
      EXPECT_EQ(got,
                std::string("\\u00") + "0123456789abcdef"[c >> 4] + "0123456789abcdef"[c & 15]);
    else
      EXPECT_EQ(got, std::string(1, one[0]));
  }
}

TEST(TextTest, JsonEscapesOfWhatIsNotAscii) {
  EXPECT_EQ(escaped("\xc2\x80\xc2\x9f"), R"(\u0080\u009f)");
  EXPECT_EQ(escaped("\xc2\xa0\xe2\x82\xac\xf0\x9f\x8c\xb3"),
            "\xc2\xa0\xe2\x82\xac\xf0\x9f\x8c\xb3");
  EXPECT_EQ(escaped("a\xff\x80z"), "a\xef\xbf\xbd\xef\xbf\xbdz");
  EXPECT_EQ(escaped("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
}

// Whatever comes in, what goes out is UTF-8 without a control character, and bounded.
TEST(TextTest, JsonEscapesOfAnything) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string in(random() % 40, '\0');
    for (char& c : in) c = static_cast<char>(random());
    const std::string out = escaped(in);
    EXPECT_LE(out.size(), 6 * in.size());
    for (std::string_view rest = out; !rest.empty();) {
      const size_t n = utf8_length(rest);
      ASSERT_NE(n, 0u) << printable(out);
      ASSERT_GE(static_cast<unsigned char>(rest.front()), 0x20) << printable(out);
      rest.remove_prefix(n);
    }
  }
}

TEST(TextTest, DistanceOfEdits) {
  const std::tuple<const char*, const char*, size_t> cases[] = {
      {"", "", 0},
      {"", "abc", 3},
      {"timeout", "timeout", 0},
      {"tiemout", "timeout", 1},
      {"host", "hosts", 1},
      {"kitten", "sitting", 3},
      {"ca", "abc", 3},
  };
  for (const auto& [a, b, distance] : cases) {
    EXPECT_EQ(edit_distance(a, b), distance) << a << " " << b;
    EXPECT_EQ(edit_distance(b, a), distance) << b << " " << a;
  }
}

}  // namespace
}  // namespace banyan
