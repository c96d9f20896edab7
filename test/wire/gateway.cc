#include "wire/gateway.h"

#include "sim/gateway.h"

namespace banyan::wire {

namespace {

struct Standard {
  std::string_view key;
  const char* text;
};
constexpr Standard standard[] = {
    {"listeners", "listeners: { web: { address: 10.0.0.1:80 } }\n"},
    {"services", "services: { origin: { endpoints: [http://10.0.0.2:80] } }\n"},
    {"routes", "routes: [ { to: origin } ]\n"},
};

std::string completed(const std::string& text) {
  std::string whole = text;
  Problems ignored;
  const Sources none = {.environment = [](const std::string&) { return std::nullopt; }};
  const Node told = parse_yaml(text, "config", none, ignored);
  for (const Standard& s : standard)
    if (told.find(s.key) == nullptr) whole += s.text;
  return whole;
}

}  // namespace

ModelPtr load(const std::string& text, std::string& wrong) {
  Loaded loaded = load_text(completed(text));
  wrong = loaded.problems.text();
  return loaded.model;
}

}  // namespace banyan::wire
