#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/texts.h"
#include "config/yaml.h"

namespace banyan {
namespace {

using testing::HasSubstr;

struct Loaded {
  Problems problems;
  Node root;
  std::string told;

  explicit Loaded(const Texts& texts, const std::string& path = "main.yaml")
      : root(load_yaml(path, texts.sources(), problems)), told(problems.text()) {}

  std::vector<std::string> keys(std::string_view section) const {
    std::vector<std::string> out;
    for (const Entry& entry : root.find(section)->entries) out.push_back(entry.key);
    return out;
  }
};

TEST(LoadTest, IncludedFilesAreJoined) {
  const Texts texts{
      .files = {{"main.yaml", "include: teams/*.yaml\nservices: { a: 1 }\nroutes: [x]\nlog: 1\n"},
                {"teams/b.yaml", "services: { b: 2 }\nroutes: [y, z]\n"},
                {"teams/c.yaml", "services: { c: 3 }\nadmin: 9\n"},
                {"teams/not.yml", "services: { d: 4 }\n"}}};
  const Loaded l(texts);
  EXPECT_EQ(l.told, "");
  EXPECT_EQ(l.keys("services"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(l.root.find("routes")->items.size(), 3u);
  EXPECT_EQ(l.root.find("admin")->text, "9");
  EXPECT_EQ(l.root.find("include"), nullptr);
  EXPECT_EQ(to_string(l.root.find("services")->find("c")->place), "teams/c.yaml:1:16");
}

TEST(LoadTest, IncludedFilesMayIncludeMore) {
  const Texts texts{.files = {{"etc/main.yaml", "include: [a/a.yaml]\nservices: { m: 1 }\n"},
                              {"etc/a/a.yaml", "include: ../b.yaml\nservices: { a: 1 }\n"},
                              {"etc/b.yaml", "services: { b: 1 }\n"}}};
  const Loaded l(texts, "etc/main.yaml");
  EXPECT_EQ(l.told, "");
  EXPECT_EQ(l.keys("services"), (std::vector<std::string>{"m", "a", "b"}));
}

TEST(LoadTest, AnEmptySectionJoinsWithAFullOne) {
  const Texts texts{.files = {{"main.yaml", "include: [a.yaml, b.yaml]\nroutes:\n"},
                              {"a.yaml", "routes: [x]\n"},
                              {"b.yaml", "routes:\n"}}};
  const Loaded l(texts);
  EXPECT_EQ(l.told, "");
  EXPECT_EQ(l.root.find("routes")->items.size(), 1u);
}

TEST(LoadTest, WhatTwoFilesNameIsToldWithBothPlaces) {
  const Texts texts{
      .files = {{"main.yaml", "include: [a.yaml, b.yaml]\nlog: info\nservices: { s: 1, t: 1 }\n"},
                {"a.yaml", "services: { u: 1, s: 2 }\n"},
                {"b.yaml", "services:\n  u: 3\nlog: error\nroutes: {}\n"}}};
  EXPECT_EQ(Loaded(texts).told,
            "a.yaml:1:19: services.s: given twice; the first is at main.yaml:3:13\n"
            "b.yaml:2:3: services.u: given twice; the first is at a.yaml:1:13\n"
            "b.yaml:3:1: log: given twice; the first is at main.yaml:2:1\n");
}

TEST(LoadTest, WhatIsGivenTwiceInOneFileIsToldOnce) {
  const Texts texts{.files = {{"main.yaml", "services: { s: 1, s: 2 }\n"}}};
  EXPECT_EQ(Loaded(texts).told, "main.yaml:1:19: s: given twice; the first is at main.yaml:1:13\n");
}

TEST(LoadTest, MapsAreNotJoinedDeeper) {
  const Texts texts{.files = {{"main.yaml", "include: a.yaml\nservices: { s: { x: 1 } }\n"},
                              {"a.yaml", "services: { s: { y: 2 } }\n"}}};
  EXPECT_THAT(Loaded(texts).told, HasSubstr("services.s: given twice"));
}

TEST(LoadTest, TroubleWithFiles) {
  const std::pair<const char*, const char*> table[] = {
      {"include: none.yaml\n", "main.yaml:1:10: include: there is no file none.yaml\n"},
      {"include: none/*.yaml\n", ""},
      {"include:\n", "main.yaml:1:9: include: wants a file name, a pattern, or a list of them\n"},
      {"include: [{ a: b }, '']\n",
       "main.yaml:1:11: include: wants a file name, a pattern, or a list of them\n"
       "main.yaml:1:21: include: wants a file name, a pattern, or a list of them\n"},
      {"include: main.yaml\n", "main.yaml:1:10: include: main.yaml includes itself\n"},
      {"include: list.yaml\n", "list.yaml:1:1: a configuration is a map: name: value\n"},
      {"include: broken.yaml\n", "broken.yaml:2:1: not YAML: "},
  };
  for (const auto& [text, told] : table) {
    const Texts texts{
        .files = {{"main.yaml", text}, {"list.yaml", "- a\n"}, {"broken.yaml", "a: [\n"}}};
    EXPECT_THAT(Loaded(texts).told, testing::StartsWith(told)) << text;
  }
  EXPECT_EQ(Loaded({}).told,
            "main.yaml: cannot read main.yaml; check that it exists and may be "
            "read\n");
}

// However the files spell each other's names.
TEST(LoadTest, ACircleIsSeen) {
  const Texts texts{.files = {{"main.yaml", "include: ./sub/../a.yaml\n"},
                              {"a.yaml", "include: ././b.yaml\n"},
                              {"b.yaml", "include: sub/../main.yaml\n"}}};
  EXPECT_EQ(Loaded(texts, "./main.yaml").told, "b.yaml:1:10: include: main.yaml includes itself\n");
}

TEST(LoadTest, DepthAndNumberOfFilesHaveBounds) {
  Texts deep;
  for (int i = 0; i < 12; ++i)
    deep.files["f" + std::to_string(i) + ".yaml"] = "include: f" + std::to_string(i + 1) + ".yaml";
  EXPECT_EQ(Loaded(deep, "f0.yaml").told,
            "f8.yaml:1:10: include: files include each other more than 8 deep\n");

  // Each file includes the next one four times: without a bound it would be 4^8 files.
  Texts wide;
  for (int i = 0; i < 8; ++i) {
    const std::string next = "f" + std::to_string(i + 1) + ".yaml";
    wide.files["f" + std::to_string(i) + ".yaml"] =
        "include: [" + next + ", " + next + ", " + next + ", " + next + "]";
  }
  wide.files["f8.yaml"] = "routes: [x]";
  const Loaded l(wide, "f0.yaml");
  EXPECT_EQ(l.problems.errors(), 1u);
  EXPECT_THAT(l.told, HasSubstr("include: more than 1000 files\n"));
}

TEST(LoadTest, AFileHasABound) {
  const Texts texts{.files = {{"main.yaml", std::string(16 * 1024 * 1024 + 1, '#')}}};
  EXPECT_EQ(Loaded(texts).told, "main.yaml: main.yaml is larger than 16 MiB\n");
}

// Thousands of names over many files: each is looked at once.
TEST(LoadTest, ManyFilesWithManyNames) {
  Texts texts{.files = {{"main.yaml", "include: t/*.yaml\nservices: { s0-0: 1 }\n"}}};
  for (int f = 0; f < 300; ++f) {
    std::string text = "services:\n";
    for (int i = 0; i < 20; ++i)
      text += "  s" + std::to_string(f) + "-" + std::to_string(i) + ": 1\n";
    texts.files["t/" + std::to_string(f) + ".yaml"] = text;
  }
  const Loaded l(texts);
  EXPECT_EQ(l.told, "t/0.yaml:2:3: services.s0-0: given twice; the first is at main.yaml:2:13\n");
  EXPECT_EQ(l.root.find("services")->entries.size(), 6000u);
}

// The machine's own files, as `system_sources` reads them.
class SystemSourcesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "banyan-load-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  std::filesystem::path folder_;
};

TEST_F(SystemSourcesTest, FilesAndPatterns) {
  const Sources sources = system_sources();
  const std::string empty = write("empty.yaml", "");
  const std::string odd = write("odd.yaml", std::string("a\0\r\n\xff", 5));
  const std::string large = write("sub/large.yaml", std::string(200'000, 'x'));
  EXPECT_EQ(sources.file(empty), "");
  EXPECT_EQ(sources.file(odd), std::string("a\0\r\n\xff", 5));
  EXPECT_EQ(sources.file(large), std::string(200'000, 'x'));
  EXPECT_EQ(sources.file((folder_ / "none").string()), std::nullopt);
  EXPECT_EQ(sources.file(folder_.string()), std::nullopt) << "a folder is no empty file";
  EXPECT_EQ(sources.glob((folder_ / "*.yaml").string()), (std::vector<std::string>{empty, odd}));
  EXPECT_EQ(sources.glob((folder_ / "x*").string()), std::vector<std::string>{});
}

TEST_F(SystemSourcesTest, AnEndlessFileIsCut) {
  EXPECT_EQ(system_sources().file("/dev/zero")->size(), 16u * 1024 * 1024 + 1);
}

TEST_F(SystemSourcesTest, TheEnvironment) {
  ::setenv("BANYAN_LOAD_TEST", "here", 1);
  EXPECT_EQ(system_sources().environment("BANYAN_LOAD_TEST"), "here");
  ::unsetenv("BANYAN_LOAD_TEST");
  EXPECT_EQ(system_sources().environment("BANYAN_LOAD_TEST"), std::nullopt);
}

TEST_F(SystemSourcesTest, ALoadFromTheDisk) {
  write("teams/b.yaml", "services:\n  b: ${BANYAN_NONE:-2}\n");
  const std::string main = write("main.yaml", "include: teams/*.yaml\nservices: { a: 1 }\n");
  Problems problems;
  const Node root = load_yaml(main, system_sources(), problems);
  EXPECT_EQ(problems.text(), "");
  EXPECT_EQ(root.find("services")->find("b")->text, "2");
}

}  // namespace
}  // namespace banyan
