#include "patterns/routing/cohort.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

// A change would move every user of every split.
TEST(CohortTest, PlacesNeverChange) {
  EXPECT_DOUBLE_EQ(cohort_place("ann", "catalog"), 0.4231780762463933);
  EXPECT_DOUBLE_EQ(cohort_place("", "catalog"), 0.33267216076163525);
  EXPECT_DOUBLE_EQ(cohort_place("ann", "catalog-v3"), 0.3367570258348333);
}

TEST(CohortTest, Rules) {
  Problems problems;
  for (const char* text : {"ip", "cookie:sid", "header:x-user"})
    EXPECT_TRUE(Cohort::parse(text, {}, problems)) << text;
  EXPECT_FALSE(problems.failed());
  for (const char* text : {"path", "user", "cookie:"})
    EXPECT_FALSE(Cohort::parse(text, {}, problems)) << text;
  EXPECT_EQ(problems.errors(), 3u);
  EXPECT_NE(problems.text().find("'path' is none of cookie:NAME, header:NAME, ip"),
            std::string::npos);
}

}  // namespace
}  // namespace banyan
