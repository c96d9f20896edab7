// What finding a route costs, with 1, 100 and 10,000 routes of each kind, and what building a table
// of 10,000 costs. Google Benchmark: cmake -DBANYAN_BENCH=ON, target routing_bench. The number of
// routes must not show in a look-up but for the caches that it fills: `spread` asks for all routes
// in turn, `same` for one.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "io/address.h"
#include "patterns/routing/table.h"

namespace banyan {
namespace {

enum Kind { literal, parameter, rest, affix, hosts, wildcards, regex, conditions };

constexpr const char* kind_names[] = {"literal", "parameter", "rest",  "affix",
                                      "hosts",   "wildcards", "regex", "conditions"};

// How many of them one place holds; the others are elsewhere.
constexpr size_t conditions_a_place = 10;

MatchSettings match(Kind kind, size_t i) {
  const std::string n = std::to_string(i);
  MatchSettings m{.host = {"shop.example"}};
  switch (kind) {
    case literal:
      m.path = "/api/service-" + n + "/items";
      break;
    case parameter:
      m.path = "/api/service-" + n + "/{id}";
      break;
    case rest:
      m.path = "/service-" + n + "/{rest...}";
      break;
    case affix:
      m.path = "/" + n + "-{id}.html";
      break;
    case hosts:
      m.host = {"shop-" + n + ".example"};
      m.path = "/{rest...}";
      break;
    case wildcards:
      m.host = {"*.shop-" + n + ".example"};
      m.path = "/{rest...}";
      break;
    case regex:
      m.path_regex = "/service-" + n + "/(?P<id>[0-9]+)";
      break;
    case conditions:
      m.path = "/api/service-" + std::to_string(i / conditions_a_place) + "/items";
      m.headers.push_back({"x-version", {}, {.exact = std::to_string(i % conditions_a_place)}});
  }
  return m;
}

struct Ask {
  std::string host = "shop.example", path;
  std::string version = {};
};
Ask ask(Kind kind, size_t i) {
  const std::string n = std::to_string(i);
  switch (kind) {
    case rest:
      return {.path = "/service-" + n + "/items/4711"};
    case affix:
      return {.path = "/" + n + "-4711.html"};
    case hosts:
      return {"shop-" + n + ".example", "/items/4711"};
    case wildcards:
      return {"www.shop-" + n + ".example", "/items/4711"};
    case regex:
      return {.path = "/service-" + n + "/4711"};
    case conditions:
      return {.path = "/api/service-" + std::to_string(i / conditions_a_place) + "/items",
              .version = std::to_string(i % conditions_a_place)};
    default:
      return {.path = "/api/service-" + n + "/items"};
  }
}

std::vector<RouteSettings> routes(Kind kind, size_t count) {
  std::vector<RouteSettings> out(count);
  for (size_t i = 0; i < count; ++i) {
    out[i].match = match(kind, i);
    out[i].name = "route-" + std::to_string(i);
  }
  return out;
}

std::unique_ptr<const RouteTable> table(const std::vector<RouteSettings>& settings) {
  Problems problems;
  auto out = RouteTable::build(settings, problems);
  CHECK(out != nullptr);
  return out;
}

// `different` routes are asked for in turn.
void find(benchmark::State& state, Kind kind, size_t different) {
  const auto count = static_cast<size_t>(state.range(0));
  const auto built = table(routes(kind, count));
  std::vector<Ask> asks;
  for (size_t i = 0; i < different; ++i) asks.push_back(ask(kind, (i * 7919 + count / 2) % count));
  const Address client = parse_address("10.0.0.1:4711").value();
  size_t next = 0;
  for (auto _ : state) {
    const Ask& a = asks[next];
    next = next + 1 == asks.size() ? 0 : next + 1;
    Arena arena;
    Headers headers(arena);
    if (!a.version.empty()) headers.add("x-version", a.version);
    Record record;
    Request request{.arena = arena,
                    .target = {.path = a.path, .forward = a.path},
                    .host = a.host,
                    .headers = headers,
                    .client = client,
                    .record = record};
    const auto found = built->find(request);
    CHECK(found);
    benchmark::DoNotOptimize(found);
  }
}

void build(benchmark::State& state, Kind kind) {
  const auto settings = routes(kind, static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(table(settings));
}

void register_all() {
  for (Kind kind : {literal, parameter, rest, affix, hosts, wildcards, regex, conditions}) {
    const std::string name = kind_names[kind];
    benchmark::RegisterBenchmark(("find_same/" + name).c_str(), find, kind, 1)
        ->Arg(1)
        ->Arg(100)
        ->Arg(10'000);
    benchmark::RegisterBenchmark(("find_spread/" + name).c_str(), find, kind, 1000)->Arg(10'000);
    benchmark::RegisterBenchmark(("build/" + name).c_str(), build, kind)
        ->Arg(10'000)
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace banyan

int main(int argc, char** argv) {
  banyan::register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
