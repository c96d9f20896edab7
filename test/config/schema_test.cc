#include "config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/settings_sample.h"
#include "config/texts.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(SchemaTest, NothingGivenIsTheStandard) {
  for (const char* text : {"", "~", "{}"}) {
    const ReadText<House> r(text);
    EXPECT_TRUE(r.good) << text;
    EXPECT_EQ(r.told, "") << text;
    EXPECT_EQ(r.value.colour, Colour::green);
    EXPECT_EQ(r.value.room, kib(64));
    EXPECT_TRUE(r.value.lamps.empty());
  }
}

TEST(SchemaTest, EveryKindOfValueIsRead) {
  const ReadText<House> r(R"(
owner: Ann
lit: true
colour: blue
room: 1MiB
share: 12.5%
tags: [a, "b c"]
nets: [10.0.0.0/8, "::1"]
lamps:
  hall: { name: Hall, watts: 100, fade: 2s }
  door: Door
sheds: [{ owner: Bo, sheds: [{ owner: Cy }] }]
key: hush
)");
  ASSERT_EQ(r.told, "");
  ASSERT_TRUE(r.good);
  EXPECT_EQ(r.value.owner, "Ann");
  EXPECT_TRUE(r.value.lit);
  EXPECT_EQ(r.value.colour, Colour::blue);
  EXPECT_EQ(r.value.room, mib(1));
  EXPECT_EQ(r.value.share, Percent{1250});
  EXPECT_EQ(r.value.tags, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(r.value.nets.size(), 2u);
  ASSERT_EQ(r.value.lamps.size(), 2u);
  EXPECT_EQ(r.value.lamps[0].name, "hall");
  EXPECT_EQ(to_string(r.value.lamps[0].place), "f.yaml:10:3");
  EXPECT_EQ(r.value.lamps[0].value.watts, 100);
  EXPECT_EQ(r.value.lamps[0].value.fade, 2s);
  EXPECT_EQ(to_string(r.value.lamps[0].value.place), "f.yaml:10:9") << "a member `place` is set";
  EXPECT_EQ(r.value.lamps[1].value.name, "Door") << "the shorthand";
  EXPECT_EQ(r.value.lamps[1].value.watts, 40);
  EXPECT_EQ(r.value.sheds.at(0).sheds.at(0).owner, "Cy");
  EXPECT_EQ(r.value.key.text, "hush");
}

TEST(SchemaTest, OneValueAloneIsAListOfOne) {
  const ReadText<House> r("tags: x\nsheds: { owner: Bo }\n");
  EXPECT_EQ(r.told, "");
  EXPECT_EQ(r.value.tags, std::vector<std::string>{"x"});
  EXPECT_EQ(r.value.sheds.at(0).owner, "Bo");
  EXPECT_EQ(ReadText<House>("tags: []\n").told, "");
}

TEST(SchemaTest, WhatIsWrongIsToldWithItsPlaceItsPathAndWhatToDo) {
  const std::pair<const char*, const char*> table[] = {
      {"[a]", "f.yaml:1:1: wants a map with: owner, lit, colour, "},
      {"a text", "f.yaml:1:1: wants a map with: owner, lit, colour, "},
      {"onwer: x", "f.yaml:1:1: unknown word 'onwer'; did you mean 'owner'?\n"},
      {"q: x", "f.yaml:1:1: unknown word 'q'; known are: owner, lit, colour, "},
      {"owner: [x]", "f.yaml:1:8: owner: wants a text, not a list\n"},
      {"owner: {a: x}", "f.yaml:1:8: owner: wants a text, not a map\n"},
      {"owner:", "f.yaml:1:7: owner: wants a text, not nothing\n"},
      {"owner: nobody", "f.yaml:1:8: owner: is nobody\n"},
      {"lit: yes", "f.yaml:1:6: lit: 'yes' is neither true nor false\n"},
      {"lit: True", "f.yaml:1:6: lit: 'True' is neither true nor false\n"},
      {"colour: geen",
       "f.yaml:1:9: colour: 'geen' is not one of: red, green, blue; did you mean 'green'?\n"},
      {"room: 1KB", "f.yaml:1:7: room: '1KB' is not a size (512, 64KiB, 10MiB)\n"},
      {"share: 12", "f.yaml:1:8: share: '12' is not a percentage (0% to 100%)\n"},
      {"tags:", "f.yaml:1:6: tags: wants a list, or one value alone; [] is an empty list\n"},
      {"tags: [a, {}]", "f.yaml:1:11: tags[1]: wants a text, not a map\n"},
      {"nets: 10.0.0.1/8", "f.yaml:1:7: nets: '10.0.0.1/8' is not a network "},
      {"lamps: [x]", "f.yaml:1:8: lamps: wants a map of names\n"},
      {"lamps: { a: {} }", "f.yaml:1:13: lamps.a: 'name' is missing: Of the lamp.\n"},
      {"lamps: { a: { name: x, watts: 0 } }",
       "f.yaml:1:31: lamps.a.watts: 0 is out of range; allowed is 1 to 100\n"},
      {"lamps: { a: { name: x, watts: 65536 } }",
       "f.yaml:1:31: lamps.a.watts: '65536' is no whole number in range\n"},
      {"lamps: { a: { name: x, watts: -1 } }",
       "f.yaml:1:31: lamps.a.watts: '-1' is no whole number in range\n"},
      {"lamps: { a: { name: x, fade: 2m } }",
       "f.yaml:1:30: lamps.a.fade: 2m is out of range; allowed is 1ms to 1m\n"},
      {"lamps: { a: { name: x, fade: 30 } }",
       "f.yaml:1:30: lamps.a.fade: '30' is not a duration (250ms, 2s, 5m)\n"},
      {"sheds: [{}, { sheds: [{ lit: 1 }] }]",
       "f.yaml:1:30: sheds[1].sheds[0].lit: '1' is neither true nor false\n"},
      {"lit: true", "f.yaml:1:1: is lit, and has no lamps\n"},
  };
  for (const auto& [text, told] : table) {
    const ReadText<House> r(text);
    EXPECT_FALSE(r.good) << text;
    EXPECT_THAT(r.told, testing::StartsWith(told)) << text;
    EXPECT_EQ(r.problems.errors(), 1u) << text << "\n" << r.told;
  }
}

TEST(SchemaTest, TheEndsOfARangeBelongToIt) {
  for (const char* watts : {"1", "100"})
    EXPECT_EQ(ReadText<Lamp>(std::string("{ name: x, watts: ") + watts + " }").told, "") << watts;
  for (const char* fade : {"1ms", "60s", "1m"})
    EXPECT_EQ(ReadText<Lamp>(std::string("{ name: x, fade: ") + fade + " }").told, "") << fade;
  for (const char* bad : {"watts: 101", "fade: 999us", "fade: 60001ms"})
    EXPECT_THAT(ReadText<Lamp>(std::string("{ name: x, ") + bad + " }").told,
                HasSubstr("is out of range"))
        << bad;
}

TEST(SchemaTest, AllProblemsAreToldAtOnce) {
  const ReadText<House> r(
      "lit: 1\nonwer: x\ntags: [{}, a, []]\nlamps: { a: {} , b: { watts: 0 } }\n");
  EXPECT_EQ(r.problems.errors(), 7u) << r.told;
  EXPECT_EQ(r.value.tags.at(1), "a") << "what is good among it is read";
}

// `verify` compares fields; with one of them wrong it would tell a second, false problem.
TEST(SchemaTest, VerifyRunsOnlyOverWhatIsGood) {
  const ReadText<House> r("lit: true\nroom: wide\n");
  EXPECT_EQ(r.problems.errors(), 1u) << r.told;
  EXPECT_THAT(r.told, HasSubstr("room"));
}

TEST(SchemaTest, WhatIsToldIsSafeToPrint) {
  const ReadText<House> r("\"a\\e[31m\": 1\nlit: \"\\n\\a\"\n");
  EXPECT_EQ(r.problems.errors(), 2u);
  for (const char c : r.told) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(std::count(r.told.begin(), r.told.end(), '\n'), 2) << r.told;
}

TEST(SchemaTest, TheNoteIsTheDeclaration) {
  const Structure& s = fields_of<Lamp>().note();
  EXPECT_EQ(s.name, "lamp");
  EXPECT_EQ(s.about, "Gives light.");
  EXPECT_EQ(s.shorthand, "name");
  ASSERT_EQ(s.fields.size(), 3u);
  EXPECT_TRUE(s.fields[0].required);
  EXPECT_EQ(s.fields[0].standard, "") << "what must be given has no default";
  EXPECT_EQ(s.fields[1].standard, "40");
  EXPECT_EQ(s.fields[1].range, "1 to 100");
  EXPECT_EQ(s.fields[1].type.least, 1u);
  EXPECT_EQ(s.fields[1].type.most, 100u);
  EXPECT_EQ(s.fields[2].standard, "");
  EXPECT_EQ(s.fields[2].range, "1ms to 1m");
}

TEST(SchemaDeathTest, AFieldIsDeclaredOnce) {
  EXPECT_DEATH(
      {
        Fields<Lamp> f;
        f.field("name", &Lamp::name, "Once.");
        f.field("name", &Lamp::name, "Twice.");
      },
      "does not hold");
  EXPECT_DEATH(
      {
        Fields<Lamp> f;
        f.shorthand("none");
      },
      "does not hold");
}

// ---- Secrets that are read from files.
class SecretTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "banyan-secret-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  ReadText<House> read(const std::string& content) const {
    std::ofstream(folder_ / "key", std::ios::binary) << content;
    return ReadText<House>("key: { file: " + (folder_ / "key").string() + " }\n");
  }

  std::filesystem::path folder_;
};

TEST_F(SecretTest, LineBreaksAtTheEndAreNoPartOfIt) {
  const std::pair<std::string, std::string> table[] = {
      {"hush", "hush"},
      {"hush\n", "hush"},
      {"hush\r\n\n", "hush"},
      {" a\nb ", " a\nb "},
      {std::string(64 * 1024, 'x'), std::string(64 * 1024, 'x')}};
  for (const auto& [content, secret] : table) {
    const auto r = read(content);
    EXPECT_EQ(r.told, "");
    EXPECT_EQ(r.value.key.text, secret);
  }
}

TEST_F(SecretTest, WhatIsNoSecret) {
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string(64 * 1024 + 1, 'x')}) {
    const auto r = read(content);
    EXPECT_FALSE(r.good) << content.size();
    EXPECT_THAT(r.told, HasSubstr("key: cannot read a secret from " + (folder_ / "key").string()));
  }
  const std::pair<const char*, const char*> table[] = {
      {"key: { file: /nonexistent/key }", "cannot read a secret from /nonexistent/key; it must be"},
      {"key: { file: / }", "cannot read a secret from /; it must be"},
      {"key: { path: x }", "wants a text, or { file: path }"},
      {"key: { file: x, mode: y }", "wants a text, or { file: path }"},
      {"key: { file: [x] }", "key.file: wants a text, not a list"},
      {"key: [x]", "key: wants a text, not a list"}};
  for (const auto& [text, told] : table) {
    const ReadText<House> r(text);
    EXPECT_FALSE(r.good) << text;
    EXPECT_THAT(r.told, HasSubstr(told)) << text;
  }
}

}  // namespace
}  // namespace banyan
