// What loading a large configuration costs: 10,000 services and 10,000 routes, as text to a tree,
// and as a tree to settings. Google Benchmark. The sum must stay well under a second, because a
// reload happens on a machine that is serving.
#include <benchmark/benchmark.h>

#include <string>

#include "app/settings.h"
#include "base/check.h"

namespace banyan {
namespace {

constexpr int count = 10'000;

// As people write it: a block map of services, a list of routes in braces.
std::string file_text() {
  std::string text = "version: 1\nlisteners: { public: { address: 127.0.0.1:8080 } }\nservices:\n";
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    text += "  service-" + n +
            ":\n    endpoints: [http://127.0.0.1:9001, http://127.0.0.1:9002]\n" +
            "    timeout: { connect: 250ms, request: 3s }\n";
  }
  text += "routes:\n";
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    text += "  - { match: { host: shop.example, path: \"/r" + n +
            "/{rest...}\", methods: [GET, POST] }, to: service-" + n + ", rewrite: \"/{rest}\" }\n";
  }
  return text;
}

Sources no_sources() {
  return {.environment = [](const std::string&) { return std::nullopt; },
          .file = [](const std::string&) { return std::nullopt; },
          .glob = [](const std::string&) { return std::vector<std::string>(); }};
}

void parse_text(benchmark::State& state) {
  const std::string text = file_text();
  const Sources sources = no_sources();
  for (auto _ : state) {
    Problems problems;
    benchmark::DoNotOptimize(parse_yaml(text, "big.yaml", sources, problems));
    CHECK(!problems.failed());
  }
}
BENCHMARK(parse_text)->Unit(benchmark::kMillisecond);

void read_settings(benchmark::State& state) {
  Problems problems;
  const Node root = parse_yaml(file_text(), "big.yaml", no_sources(), problems);
  for (auto _ : state) {
    Settings settings;
    CHECK(Value<Settings>::read(root, settings, Reading(problems)));
    benchmark::DoNotOptimize(settings);
  }
}
BENCHMARK(read_settings)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace banyan

BENCHMARK_MAIN();
