#include "app/demo/run.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/demo/demo.h"
#include "app/demo/shop.h"

namespace banyan {

namespace {

// The configuration comes out of the program, so the demo runs from any folder.
Sources demo_sources() {
  Sources out = system_sources();
  out.file = [](const std::string&) { return std::optional(std::string(demo_config())); };
  return out;
}

}  // namespace

int run_demo(RunOptions options) {
  auto shop = Shop::start({});
  if (!shop) {
    fmt::print(stderr, "{}\n", shop.error());
    return 1;
  }
  options.config = "demo.yaml";
  options.sources = demo_sources();
  options.watch = false;
  options.ready = [] {
    fmt::print("{}", demo_greeting());
    (void)std::fflush(stdout);
  };
  Loaded loaded = load_model(options.config, options.sources);
  fmt::print(stderr, "{}", loaded.problems.text());
  if (loaded.model == nullptr) return 1;
  return Process(std::move(options), std::move(loaded)).run();
}

}  // namespace banyan
