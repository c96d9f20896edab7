#include "http/names.h"

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

namespace banyan {
namespace {

constexpr int known = static_cast<int>(Name::count);

std::string upper(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

TEST(Names, EveryNameIsFoundInAnyCase) {
  std::set<std::string_view> seen;
  for (int i = 1; i < known; ++i) {
    const auto id = static_cast<Name>(i);
    const std::string lower_case(text(id));
    ASSERT_FALSE(lower_case.empty());
    EXPECT_TRUE(seen.insert(text(id)).second) << lower_case << " is in the list twice";
    EXPECT_EQ(known_name(lower_case), id) << lower_case;
    EXPECT_EQ(known_name(upper(lower_case)), id) << lower_case;
    std::string mixed = lower_case;
    for (size_t at = 0; at < mixed.size(); at += 2)
      mixed[at] = static_cast<char>(std::toupper(static_cast<unsigned char>(mixed[at])));
    EXPECT_EQ(known_name(mixed), id) << mixed;
  }
}

// The parser trusts that a known name is a token, so nothing that only looks like one may pass:
// every single byte of every name, changed to every other value.
TEST(Names, NoOtherBytePassesForALetterOrADash) {
  for (int i = 1; i < known; ++i) {
    const std::string name(text(static_cast<Name>(i)));
    for (size_t at = 0; at < name.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string other = name;
        other[at] = static_cast<char>(byte);
        const bool same = std::tolower(byte) == static_cast<unsigned char>(name[at]);
        const Name found = known_name(other);
        EXPECT_EQ(found == static_cast<Name>(i), same) << name << " at " << at << ": " << byte;
      }
    }
  }
}

TEST(Names, OthersAreOther) {
  for (std::string_view name : {"", "x", "hos", "hosts", "host ", " host", "content_length",
                                "content-length-", "transfer-encodin", "x-forwarded-foo"})
    EXPECT_EQ(known_name(name), Name::other) << name;
  EXPECT_EQ(text(Name::other), "");
}

}  // namespace
}  // namespace banyan
