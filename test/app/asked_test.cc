// What a configuration was read from, and where a change of it would be seen.
#include "app/asked.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "config/texts.h"

namespace banyan {
namespace {

namespace fs = std::filesystem;

TEST(Asked, TheSameAnswersAreNoChange) {
  Texts texts{.files = {{"main.yaml", "a"}, {"teams/x.yaml", "b"}}};
  std::vector<Asked> asked;
  const Sources sources = texts.sources();
  const Sources remembered = remembering(sources, asked);
  EXPECT_EQ(remembered.file("main.yaml"), "a");
  EXPECT_EQ(remembered.file("gone.yaml"), std::nullopt);
  EXPECT_EQ(remembered.glob("teams/*.yaml").size(), 1u);
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_FALSE(changed(asked, sources));

  texts.files["other.yaml"] = "not ours";
  EXPECT_FALSE(changed(asked, sources));
}

TEST(Asked, EveryKindOfChangeIsSeen) {
  struct Case {
    std::string_view what;
    void (*change)(Texts&);
  };
  const Case cases[] = {
      {"written", [](Texts& t) { t.files["main.yaml"] = "a2"; }},
      {"emptied", [](Texts& t) { t.files["main.yaml"] = ""; }},
      {"removed", [](Texts& t) { t.files.erase("main.yaml"); }},
      {"appeared", [](Texts& t) { t.files["gone.yaml"] = ""; }},
      {"one more for a pattern", [](Texts& t) { t.files["teams/y.yaml"] = ""; }},
      {"one less for a pattern", [](Texts& t) { t.files.erase("teams/x.yaml"); }},
  };
  for (const Case& c : cases) {
    Texts texts{.files = {{"main.yaml", "a"}, {"teams/x.yaml", "b"}}};
    std::vector<Asked> asked;
    const Sources sources = texts.sources();
    const Sources remembered = remembering(sources, asked);
    (void)remembered.file("main.yaml");
    (void)remembered.file("gone.yaml");
    (void)remembered.glob("teams/*.yaml");
    c.change(texts);
    EXPECT_TRUE(changed(asked, sources)) << c.what;
  }
}

class FoldersTest : public testing::Test {
 protected:
  FoldersTest() {
    char name[] = "/tmp/banyan-asked-XXXXXX";
    CHECK(::mkdtemp(name) != nullptr);
    root = fs::canonical(name);
  }
  ~FoldersTest() override { fs::remove_all(root); }

  void file(const std::string& path) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << "x";
  }
  void link(const std::string& path, const fs::path& to) {
    fs::create_directories((root / path).parent_path());
    fs::create_symlink(to, root / path);
  }
  // Relative to the root.
  std::set<std::string> folders(const std::string& path, bool pattern = false) {
    std::set<std::string> out;
    const Asked asked[] = {{.what = root / path, .pattern = pattern}};
    for (const std::string& folder : folders_of(asked))
      out.insert(fs::path(folder).lexically_relative(root).string());
    return out;
  }
  using Set = std::set<std::string>;

  fs::path root;
};

TEST_F(FoldersTest, OfAFileItsFolder) {
  file("a/b.yaml");
  EXPECT_EQ(folders("a/b.yaml"), Set{"a"});
}

TEST_F(FoldersTest, OfWhatIsNotThereTheNearestThatIs) {
  file("a/b.yaml");
  EXPECT_EQ(folders("a/none.yaml"), Set{"a"});
  EXPECT_EQ(folders("a/none/deeper/x.yaml"), Set{"a"});
}

TEST_F(FoldersTest, OfALinkItsOwnAndThatOfItsFile) {
  file("real/b.yaml");
  link("a/b.yaml", "../real/b.yaml");
  EXPECT_EQ(folders("a/b.yaml"), (Set{"a", "real"}));
  link("abs/b.yaml", root / "real/b.yaml");
  EXPECT_EQ(folders("abs/b.yaml"), (Set{"abs", "real"}));
}

TEST_F(FoldersTest, OfLinksAsKubernetesMakesThem) {
  file("mount/..one/b.yaml");
  link("mount/..data", "..one");
  link("mount/b.yaml", "..data/b.yaml");
  EXPECT_EQ(folders("mount/b.yaml"), (Set{"mount", "mount/..one"}));
}

TEST_F(FoldersTest, OfAFolderOnTheWayThatIsALink) {
  file("one/b.yaml");
  link("current", "one");
  EXPECT_EQ(folders("current/b.yaml"), (Set{".", "one"}));
}

TEST_F(FoldersTest, OfLinksThatLeadInACircle) {
  link("a/x", "y");
  link("a/y", "x");
  EXPECT_EQ(folders("a/x"), Set{"a"});
}

TEST_F(FoldersTest, OfAPatternEachFolderThatFits) {
  file("teams/x/r.yaml");
  file("teams/y/r.yaml");
  file("teams/.hidden/r.yaml");
  EXPECT_EQ(folders("teams/*.yaml", true), Set{"teams"});
  EXPECT_EQ(folders("teams/*/*.yaml", true), (Set{"teams", "teams/x", "teams/y"}));
  EXPECT_EQ(folders("none/*/*.yaml", true), Set{"."});
}

TEST_F(FoldersTest, AStarInTheNameOfAFileIsJustAStar) {
  file("a*/b.yaml");
  file("ab/b.yaml");
  EXPECT_EQ(folders("a*/b.yaml"), Set{"a*"});
}

TEST_F(FoldersTest, ARelativePathIsSeenFromHere) {
  const Asked asked[] = {{.what = "surely-not-there.yaml"}};
  EXPECT_EQ(folders_of(asked), Set{"."});
}

}  // namespace
}  // namespace banyan
