#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/texts.h"

namespace banyan {
namespace {

using testing::HasSubstr;
using Kind = Node::Kind;

struct Parsed {
  Problems problems;
  Node root;
  std::string told;

  explicit Parsed(const std::string& text, const Texts& texts = {})
      : root(parse_yaml(text, "f.yaml", texts.sources(), problems)), told(problems.text()) {}
};

TEST(YamlTest, TheTree) {
  const Parsed p("a: 1\nb: [x, {c: 'y'}]\nd:\n  e: ~\n  f: {}\n  g: []\n");
  ASSERT_EQ(p.told, "");
  ASSERT_EQ(p.root.kind, Kind::map);
  ASSERT_EQ(p.root.entries.size(), 3u);
  EXPECT_EQ(p.root.find("a")->text, "1");
  const Node& b = *p.root.find("b");
  ASSERT_EQ(b.kind, Kind::list);
  ASSERT_EQ(b.items.size(), 2u);
  EXPECT_EQ(b.items[0].text, "x");
  EXPECT_FALSE(b.items[0].quoted);
  EXPECT_TRUE(b.items[1].find("c")->quoted);
  const Node& d = *p.root.find("d");
  EXPECT_EQ(d.find("e")->kind, Kind::null);
  EXPECT_EQ(d.find("f")->kind, Kind::map);
  EXPECT_EQ(d.find("g")->kind, Kind::list);
  EXPECT_EQ(d.find("h"), nullptr);
}

TEST(YamlTest, EveryKeyAndValueKnowsItsPlace) {
  const Parsed p("a: 1\nroutes:\n  - { to: b,\n      x: 'ü', y: z }\n");
  const Entry& routes = p.root.entries[1];
  EXPECT_EQ(to_string(routes.place), "f.yaml:2:1");
  const Node& item = routes.value.items[0];
  EXPECT_EQ(to_string(item.place), "f.yaml:3:5");
  EXPECT_EQ(to_string(item.entries[0].place), "f.yaml:3:7");
  EXPECT_EQ(to_string(item.entries[0].value.place), "f.yaml:3:11");
  EXPECT_EQ(to_string(item.entries[2].place), "f.yaml:4:15") << "columns count characters";
}

TEST(YamlTest, NothingIsNull) {
  for (const char* text : {"", "# only a comment\n", "---\n", "~", "null"}) {
    const Parsed p(text);
    EXPECT_EQ(p.told, "") << text;
    EXPECT_EQ(p.root.kind, Kind::null) << text;
  }
  EXPECT_EQ(Parsed("''").root.kind, Kind::scalar);
  EXPECT_EQ(Parsed("'null'").root.kind, Kind::scalar);
}

TEST(YamlTest, WhatIsRefused) {
  const std::pair<const char*, const char*> table[] = {
      {"a: &x 1\n", "f.yaml:1:4: anchors (&name) are not supported"},
      {"a: &x [1]\n", "f.yaml:1:4: anchors (&name) are not supported"},
      {"a: &x {b: 1}\n", "f.yaml:1:4: anchors (&name) are not supported"},
      {"a: *x\n", "f.yaml:1:4: aliases (*name) are not supported"},
      {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document; one file holds one"},
      {"{ [a]: 1 }\n", "f.yaml:1:3: a key must be a word"},
      {"a: [1, 2\nb: 3\n", "f.yaml:2:2: not YAML: while parsing a flow sequence"},
      {"a: 'x\n", "f.yaml:2:1: not YAML: while scanning a quoted scalar"},
      {"a: b: c\n", "f.yaml:1:5: not YAML: mapping values are not allowed in this context"},
      {"a:\n\tb: 1\n", "f.yaml:2:1: not YAML: while scanning for the next token"},
  };
  for (const auto& [text, told] : table) {
    const Parsed p(text);
    EXPECT_THAT(p.told, testing::StartsWith(told)) << text;
    EXPECT_EQ(p.problems.errors(), 1u) << "one fault of syntax is one problem: " << text;
  }
}

TEST(YamlTest, BytesThatAreNoTextHaveTheirPlace) {
  EXPECT_THAT(Parsed("a: 1\nb: ü\xff\n").told, testing::StartsWith("f.yaml:2:5: not YAML: "));
  EXPECT_THAT(Parsed(std::string("a: 1\nb:\0\n", 9)).told,
              testing::StartsWith("f.yaml:2:3: not YAML: "));
  EXPECT_THAT(Parsed("\xff").told, testing::StartsWith("f.yaml:1:1: not YAML: "));
}

TEST(YamlTest, DepthHasABound) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_EQ(Parsed(nested(64)).told, "");
  EXPECT_THAT(Parsed(nested(66)).told, HasSubstr("nested deeper than 64 levels"));
  EXPECT_TRUE(Parsed(nested(200'000)).problems.failed());
}

TEST(YamlTest, AKeyGivenTwiceIsToldWithBothPlaces) {
  const Parsed p("a: 1\nb: 2\na: 3\na: 4\n");
  EXPECT_EQ(p.told,
            "f.yaml:3:1: a: given twice; the first is at f.yaml:1:1\n"
            "f.yaml:4:1: a: given twice; the first is at f.yaml:1:1\n");
  EXPECT_EQ(p.root.find("a")->text, "1") << "the first one stays";
  EXPECT_EQ(p.root.entries.size(), 2u);
}

// Around the size where looking becomes hashing, and far beyond.
TEST(YamlTest, AKeyGivenTwiceIsToldInMapsOfEverySize) {
  for (int size : {1, 2, 15, 16, 17, 18, 63, 64, 65, 1000})
    for (int again : {0, size / 2, size - 1}) {
      std::string text = "top:\n";
      for (int i = 0; i < size; ++i) text += "  key-" + std::to_string(i) + ": 1\n";
      const Parsed p(text + "  key-" + std::to_string(again) + ": 2\n  last: 1\n");
      EXPECT_EQ(p.told, "f.yaml:" + std::to_string(size + 2) + ":3: key-" + std::to_string(again) +
                            ": given twice; the first is at f.yaml:" + std::to_string(again + 2) +
                            ":3\n");
      EXPECT_EQ(p.root.find("top")->entries.size(), static_cast<size_t>(size) + 1);
    }
}

TEST(YamlTest, Variables) {
  const Texts texts{.environment = {{"PORT", "8080"}, {"EMPTY", ""}, {"NESTED", "${PORT}"}}};
  const std::pair<const char*, const char*> table[] = {
      {"${PORT}", "8080"},
      {"127.0.0.1:${PORT}", "127.0.0.1:8080"},
      {"${PORT}${PORT}", "80808080"},
      {"${NONE:-7}", "7"},
      {"${NONE:-}", ""},
      {"${NONE:-a:-b}", "a:-b"},
      {"${EMPTY}", ""},
      {"${EMPTY:-x}", ""},
      {"$${PORT}", "${PORT}"},
      {"$${a}${PORT}", "${a}8080"},
      {"${NESTED}", "${PORT}"},  // a value is not read again
      {"$PORT $ {PORT}", "$PORT $ {PORT}"},
      {"cost $", "cost $"},
  };
  for (const auto& [text, value] : table) {
    const Parsed p("a: \"" + std::string(text) + "\"\n", texts);
    EXPECT_EQ(p.told, "") << text;
    EXPECT_EQ(p.root.find("a")->text, value) << text;
    EXPECT_EQ(p.root.find("a")->kind, Kind::scalar) << text;
  }
  const Parsed keys("${PORT}: 1\n", texts);
  EXPECT_EQ(keys.root.entries[0].key, "${PORT}") << "keys stay as they are";
}

TEST(YamlTest, VariablesThatCannotBeReplaced) {
  EXPECT_EQ(Parsed("a: x\nb: ${NONE}\nc: [ '${OTHER}' ]\n").told,
            "f.yaml:2:4: the environment has no NONE; set it, or give a default: ${NONE:-value}\n"
            "f.yaml:3:6: the environment has no OTHER; set it, or give a default: "
            "${OTHER:-value}\n");
  EXPECT_EQ(Parsed("a: 'x ${PORT'\n").told, "f.yaml:1:4: '${' without its '}'\n");
}

TEST(YamlTest, WhatStoodInTheFileIsKept) {
  const Texts texts{.environment = {{"PASSWORD", "hunter2"}}};
  const Parsed p("a: ${PASSWORD}\nb: plain\n", texts);
  ASSERT_NE(p.root.find("a")->written, nullptr);
  EXPECT_EQ(*p.root.find("a")->written, "${PASSWORD}");
  EXPECT_EQ(p.root.find("b")->written, nullptr);
}

}  // namespace
}  // namespace banyan
