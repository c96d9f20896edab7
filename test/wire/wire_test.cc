// Every file of test/wire/**/*.wire is a test: it is played, and the text that comes out must be
// the file. WIRE_UPDATE=1 writes the files anew; read the difference before committing it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "wire/play.h"

namespace banyan::wire {
namespace {

const std::filesystem::path folder = BANYAN_SOURCE_DIR "/test/wire";

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".wire") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string read(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// "http/keep_alive" -> "http_keep_alive"
std::string test_name(const testing::TestParamInfo<std::filesystem::path>& info) {
  std::string name = std::filesystem::relative(info.param, folder).replace_extension().string();
  std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

class Wire : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Wire, IsAsWritten) {
  const std::string text = read(GetParam());
  const Parsed parsed = parse(text);
  ASSERT_EQ(parsed.error, "") << GetParam();
  const std::string played = play(parsed.transcript);
  if (std::getenv("WIRE_UPDATE") != nullptr && !HasFailure())
    std::ofstream(GetParam()) << played;
  else
    EXPECT_EQ(played, text) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(File, Wire, testing::ValuesIn(files()), test_name);

}  // namespace
}  // namespace banyan::wire
