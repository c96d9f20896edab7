// What the documents say is what the program does: the manual is the program's own, and every
// configuration that is shown loads.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/manual.h"
#include "app/model.h"

namespace banyan {
namespace {

std::string file(const std::string& name) {
  std::ifstream in(std::string(BANYAN_SOURCE_DIR) + "/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The blocks of ```yaml that are whole configurations.
std::vector<std::string> configurations(const std::string& page) {
  constexpr std::string_view open = "```yaml\n", close = "```";
  std::vector<std::string> out;
  for (size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    at += open.size();
    const size_t end = page.find(close, at);
    out.push_back(page.substr(at, end - at));
    at = end;
  }
  std::erase_if(out, [](const std::string& text) { return !text.starts_with("version:"); });
  return out;
}

Loaded load_text(const std::string& text) {
  Sources sources;
  sources.environment = [](const std::string&) { return std::nullopt; };
  sources.file = [&](const std::string&) { return std::optional(text); };
  sources.glob = [](const std::string&) { return std::vector<std::string>{}; };
  return load_model("page.yaml", sources);
}

TEST(Docs, TheManualIsTheProgramsOwn) {
  EXPECT_EQ(file("docs/manual.md"), manual())
      << "stale: run `build/banyan manual > docs/manual.md`";
}

TEST(Docs, WhatIsShownLoads) {
  for (const char* page :
       {"README.md", "docs/patterns/gateway-routing.md", "docs/patterns/ambassador.md",
        "docs/patterns/bulkhead.md", "docs/patterns/gateway-offloading.md", "docs/http2.md"}) {
    const auto shown = configurations(file(page));
    EXPECT_FALSE(shown.empty()) << page;
    for (const std::string& text : shown) {
      const Loaded loaded = load_text(text);
      EXPECT_EQ(loaded.problems.text(), "") << page << ":\n" << text;
      EXPECT_NE(loaded.model, nullptr) << page;
    }
  }
}

TEST(Docs, TheExamplesLoad) {
  for (const char* name :
       {"examples/demo.yaml", "examples/gateway-routing.yaml", "examples/ambassador.yaml",
        "examples/bulkhead.yaml", "examples/gateway-offloading.yaml"}) {
    const Loaded loaded = load_model(std::string(BANYAN_SOURCE_DIR) + "/" + name, system_sources());
    EXPECT_EQ(loaded.problems.text(), "") << name;
    EXPECT_NE(loaded.model, nullptr) << name;
  }
}

}  // namespace
}  // namespace banyan
