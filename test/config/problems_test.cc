#include "config/problems.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

Place at(const std::string& file, uint32_t line, uint32_t column) {
  return {std::make_shared<const std::string>(file), line, column};
}

TEST(ProblemsTest, PlacesAsText) {
  EXPECT_EQ(to_string(at("banyan.yaml", 12, 5)), "banyan.yaml:12:5");
  EXPECT_EQ(to_string(at("banyan.yaml", 0, 0)), "banyan.yaml");
  EXPECT_EQ(to_string(Place{}), "configuration");
  EXPECT_EQ(to_string(Place{nullptr, 3, 4}), "configuration:3:4");
}

TEST(ProblemsTest, AreToldInTheOrderOfTheFile) {
  Problems problems;
  problems.error(at("b.yaml", 1, 1), "x", "sixth");
  problems.error(at("a.yaml", 10, 2), "", "third");
  problems.error(at("a.yaml", 9, 7), "a.b", "second");
  problems.warning(at("a.yaml", 9, 3), "", "first");
  problems.error(at("a.yaml", 10, 2), "", "fourth, told after the third");
  problems.warning(at("a.yaml", 11, 1), "c", "fifth");
  EXPECT_EQ(problems.text(),
            "a.yaml:9:3: warning: first\n"
            "a.yaml:9:7: a.b: second\n"
            "a.yaml:10:2: third\n"
            "a.yaml:10:2: fourth, told after the third\n"
            "a.yaml:11:1: warning: c: fifth\n"
            "b.yaml:1:1: x: sixth\n");
  EXPECT_EQ(problems.errors(), 4u);
}

TEST(ProblemsTest, AWarningIsNoFailure) {
  Problems problems;
  EXPECT_FALSE(problems.failed());
  problems.warning({}, "", "look at this");
  EXPECT_FALSE(problems.failed());
  problems.error({}, "", "this is wrong");
  EXPECT_TRUE(problems.failed());
}

TEST(ProblemsTest, DidYouMean) {
  const std::vector<std::string_view> known = {"timeout", "retry", "balance", "to", "path"};
  const std::pair<std::string_view, std::string_view> table[] = {
      {"timout", "timeout"}, {"tiemout", "timeout"}, {"ballance", "balance"}, {"rety", "retry"},
      {"too", "to"},         {"pahts", "path"},      {"Timeout", "timeout"}};
  for (const auto& [word, meant] : table)
    EXPECT_EQ(did_you_mean(word, known), "; did you mean '" + std::string(meant) + "'?") << word;
  for (std::string_view far : {"zebra", "x", "breaker", "timeout_of_all_services"})
    EXPECT_EQ(did_you_mean(far, known), "") << far;
  EXPECT_EQ(did_you_mean("a", {}), "");
}

// A long word is compared with none of the short ones: the table of distances would be as large as
// both together.
TEST(ProblemsTest, DidYouMeanOfAVeryLongWordIsCheap) {
  const std::string word(1 << 24, 'x');
  EXPECT_EQ(did_you_mean(word, {"timeout", "retry"}), "");
}

}  // namespace
}  // namespace banyan
