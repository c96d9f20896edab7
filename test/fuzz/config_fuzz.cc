// Configuration: any text is read or refused with a reason that has a place; a text that is good is
// good again.
#include "app/settings.h"
#include "fuzz/fuzz.h"

namespace banyan {
namespace {

const Sources sources{.environment = [](const std::string& name) -> std::optional<std::string> {
                        if (name == "HOST") return "127.0.0.1";
                        return std::nullopt;
                      },
                      .file = [](const std::string&) { return std::nullopt; },
                      .glob = [](const std::string&) { return std::vector<std::string>(); }};

std::string read(const std::string& text) {
  Problems problems;
  const Node node = parse_yaml(text, "fuzz.yaml", sources, problems);
  if (problems.failed()) return problems.text();  // what was read so far has holes
  Settings settings;
  const bool good = fields_of<Settings>().read(node, settings, Reading(problems));
  CHECK(good || problems.failed());
  for (const Problem& p : problems.sorted()) CHECK(!p.message.empty() && p.place.file != nullptr);
  return problems.text();
}

}  // namespace
}  // namespace banyan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CHECK(banyan::read(text) == banyan::read(text));
  return 0;
}
