#include "base/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace banyan {
namespace {

// From the authors' lists. A change would move every user and every key.
TEST(HashTest, NeverChanges) {
  EXPECT_EQ(hash_bytes(hash_start, ""), 0xcbf29ce484222325u);
  EXPECT_EQ(hash_bytes(hash_start, "a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(hash_bytes(hash_start, "foobar"), 0x85944171f73967e8u);
  EXPECT_EQ(spread(0), 0u);
  EXPECT_EQ(spread(1), 0xb456bcfc34c2cb2cu);
  EXPECT_EQ(hash_text("a"), spread(0xaf63dc4c8601ec8cu));
}

TEST(HashTest, GoesOnWhereItWas) {
  EXPECT_EQ(hash_bytes(hash_bytes(hash_start, "foo"), "bar"), hash_bytes(hash_start, "foobar"));
}

TEST(HashTest, TheUnitHasNeitherEnd) {
  EXPECT_GT(unit_of(0), 0);
  EXPECT_LT(unit_of(~uint64_t{0}), 1);
  EXPECT_NEAR(unit_of(uint64_t{1} << 63), 0.5, 1e-9);
}

// Also of texts that are alike but for their last byte.
TEST(HashTest, FillsTheUnitEvenly) {
  std::array<int, 10> tenths{};
  for (int i = 0; i < 10'000; ++i)
    ++tenths[static_cast<size_t>(unit_of(hash_text("user-" + std::to_string(i))) * 10)];
  for (int n : tenths) EXPECT_NEAR(n, 1000, 100);
}

}  // namespace
}  // namespace banyan
