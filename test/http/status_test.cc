#include "http/status.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

TEST(Status, RegisteredCodesHaveTheirPhrase) {
  EXPECT_EQ(reason(100), "Continue");
  EXPECT_EQ(reason(200), "OK");
  EXPECT_EQ(reason(304), "Not Modified");
  EXPECT_EQ(reason(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason(507), "Insufficient Storage");
}

TEST(Status, OthersHaveThatOfTheirClass) {
  EXPECT_EQ(reason(199), "Informational");
  EXPECT_EQ(reason(299), "Success");
  EXPECT_EQ(reason(399), "Redirection");
  EXPECT_EQ(reason(499), "Client Error");
  EXPECT_EQ(reason(599), "Server Error");
  EXPECT_EQ(reason(600), "Unknown");
  EXPECT_EQ(reason(0), "Unknown");
  EXPECT_EQ(reason(65535), "Unknown");
}

// The table is searched by halves: every code must be reachable.
TEST(Status, EveryCodeHasAPhrase) {
  for (uint16_t s = 100; s < 600; ++s) EXPECT_FALSE(reason(s).empty()) << s;
  for (uint16_t s : {101, 102, 103, 201, 207, 308, 400, 418, 421, 428, 451, 500, 505})
    EXPECT_NE(reason(s), reason(static_cast<uint16_t>(s / 100 * 100 + 99))) << s;
}

}  // namespace
}  // namespace banyan
