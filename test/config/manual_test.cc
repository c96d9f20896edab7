#include "config/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings_sample.h"
#include "config/texts.h"

namespace banyan {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ManualTest, EachStructureIsASectionAndEachFieldALine) {
  EXPECT_EQ(manual_markdown(fields_of<House>().note()), R"(
## house
Where lamps are.

| word | type | default | meaning |
|---|---|---|---|
| `owner` | text |  | A \| person. |
| `lit` | true or false | `false` | Is it? |
| `colour` | `red`, `green`, `blue` | `green` | Of the door. |
| `room` | size | `64KiB` | Inside. |
| `share` | percentage | `25%` | Of the street. |
| `tags` | list of text |  | Any words. |
| `nets` | list of network |  | Who may come in. |
| `lamps` | map of names to [lamp](#lamp) |  | By name. |
| `sheds` | list of [house](#house) |  | Behind it. |
| `key` | text or `{ file: path }` |  | Of the "door". |

## lamp
Gives light.

A value alone stands for `name`.

| word | type | default | meaning |
|---|---|---|---|
| `name` | text | required | Of the lamp. |
| `watts` | whole number | `40` | Its power. Range: 1 to 100. |
| `fade` | duration |  | How slowly it goes out. Range: 1ms to 1m. |
)");
}

// The text itself is checked by the JSON Schema validators that use it; here, that each part of a
// declaration is in it, and that it is well-formed: YAML reads all JSON.
TEST(ManualTest, TheSchemaSaysWhatTheDeclarationSays) {
  const std::string text = json_schema(fields_of<House>().note(), "A \"house\"");
  Problems problems;
  const Texts none;
  const Node root = parse_yaml(text, "schema.json", none.sources(), problems);
  ASSERT_EQ(problems.text(), "");
  EXPECT_EQ(root.find("title")->text, "A \"house\"");
  EXPECT_EQ(root.find("$ref")->text, "#/$defs/house");
  const Node& defs = *root.find("$defs");
  ASSERT_EQ(defs.entries.size(), 2u) << "a structure that contains itself is told once";

  const Node& house = *defs.find("house");
  EXPECT_EQ(house.find("additionalProperties")->text, "false");
  EXPECT_EQ(house.find("required"), nullptr);
  const Node& properties = *house.find("properties");
  ASSERT_EQ(properties.entries.size(), fields_of<House>().note().fields.size());
  EXPECT_EQ(properties.find("lit")->find("default")->text, "false");
  EXPECT_FALSE(properties.find("lit")->find("default")->quoted) << "true and false are no texts";
  EXPECT_TRUE(properties.find("room")->find("default")->quoted);
  EXPECT_EQ(properties.find("key")->find("description")->text, "Of the \"door\".");

  const Node& lamp = *defs.find("lamp");
  ASSERT_NE(lamp.find("anyOf"), nullptr) << "the shorthand is an alternative";
  const Node& map = lamp.find("anyOf")->items.at(0);
  EXPECT_EQ(map.find("required")->items.at(0).text, "name");
  const Node& watts = map.find("properties")->find("watts")->find("allOf")->items.at(0);
  EXPECT_EQ(watts.find("minimum")->text, "1");
  EXPECT_EQ(watts.find("maximum")->text, "100");
}

// ---- A configuration as it is shown.
std::string dumped(const std::string& text, const Texts& texts = {}) {
  const ReadText<House> r(text, texts);
  EXPECT_EQ(r.told, "") << text;
  return dump_yaml(r.tree);
}

TEST(DumpTest, IsTheFileInOneForm) {
  EXPECT_EQ(dumped("{ owner: Ann, tags: [a, 'b c', ''], lamps: {}, nets: [], "
                   "sheds: [{ owner: Bo, lamps: { a: x } }] }"),
            "owner: Ann\n"
            "tags:\n"
            "  - a\n"
            "  - \"b c\"\n"
            "  - \"\"\n"
            "lamps: {}\n"
            "nets: []\n"
            "sheds:\n"
            "  -\n"
            "    owner: Bo\n"
            "    lamps:\n"
            "      a: x\n");
}

TEST(DumpTest, ReadsBackAsWhatItWas) {
  for (const char* text :
       {"owner: \"a: b #c\"\n", "owner: '- x'\n", "owner: \"\\\"\\\\\\t\\e\"\n", "owner: 'null'\n",
        "owner: '~'\n", "owner: 'ü → 語'\n", "lamps: { 'a: b': x, '~': y, '': z }\n",
        "tags: ['true', '1', '[]', '{}', '*x', '&x', '!x', '%x', '@x', '`x']\n"}) {
    const ReadText<House> before(text);
    ASSERT_EQ(before.told, "") << text;
    const std::string shown = dump_yaml(before.tree);
    const ReadText<House> after(shown);
    EXPECT_EQ(after.told, "") << shown;
    EXPECT_EQ(after.value.owner, before.value.owner) << shown;
    EXPECT_EQ(after.value.tags, before.value.tags) << shown;
    ASSERT_EQ(after.value.lamps.size(), before.value.lamps.size()) << shown;
    for (size_t i = 0; i < after.value.lamps.size(); ++i)
      EXPECT_EQ(after.value.lamps[i].name, before.value.lamps[i].name) << shown;
  }
}

TEST(DumpTest, SecretsAreHiddenHoweverTheyAreGiven) {
  const Texts texts{.environment = {{"KEY", "hush-of-the-environment"}}};
  for (const char* text : {"key: hush\n", "key: 'hush'\n", "key: ${KEY}\n", "key: ${NONE:-hush}\n",
                           "sheds: [{ sheds: [{ key: hush }] }]\n"}) {
    const std::string shown = dumped(text, texts);
    EXPECT_THAT(shown, HasSubstr("key: (hidden)\n")) << text;
    EXPECT_THAT(shown, Not(HasSubstr("hush"))) << text;
  }
}

// What is wrong with a secret must not show it either.
TEST(DumpTest, SecretsThatCannotBeReadAreHiddenToo) {
  for (const char* text : {"key: [hush]\n", "key: { flie: hush }\n", "key: { file: [hush] }\n"}) {
    const ReadText<House> r(text);
    EXPECT_FALSE(r.good);
    EXPECT_THAT(r.told, Not(HasSubstr("hush"))) << text;
    EXPECT_EQ(dump_yaml(r.tree), "key: (hidden)\n") << text;
  }
}

// The environment may hold secrets that nobody told us of.
TEST(DumpTest, VariablesAreShownAsTheyWereWritten) {
  const Texts texts{.environment = {{"WHO", "Ann"}}};
  const ReadText<House> r("owner: ${WHO}\ntags: [\"${NONE:-x}\", '$${WHO}']\n", texts);
  ASSERT_EQ(r.told, "");
  EXPECT_EQ(r.value.owner, "Ann");
  EXPECT_EQ(r.value.tags, (std::vector<std::string>{"x", "${WHO}"}));
  const std::string shown = dump_yaml(r.tree);
  EXPECT_THAT(shown, Not(HasSubstr("Ann")));
  EXPECT_EQ(shown, "owner: \"${WHO}\"\ntags:\n  - \"${NONE:-x}\"\n  - \"$${WHO}\"\n");
}

}  // namespace
}  // namespace banyan
