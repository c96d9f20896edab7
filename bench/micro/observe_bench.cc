// What remembering one exchange costs its worker: counters alone, and with a line for the access
// log; and the parts of it. The log goes to /dev/null, and its writer runs beside, as in the
// process. Google Benchmark.
// Build by hand, optimised, without sanitizers (from the top folder, after `ninja -C build app`):
//   clang++-19 -std=gnu++23 -O2 -DNDEBUG -Isrc bench/micro/observe_bench.cc build/libapp.a
//     build/lib{patterns,upstream,service,config,http,io,task,base}.a -fuse-ld=lld -lbenchmark
//     -lfmt -lspdlog -lcares -lyaml -lre2 -lpthread -o /tmp/observe_bench
#include <benchmark/benchmark.h>

#include "app/observer.h"
#include "io/epoll.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

struct Exchange {
  Exchange() {
    headers.add("accept", "text/html,application/xhtml+xml");
    headers.add(Name::user_agent,
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
    headers.add(Name::x_request_id, "0af7651916cd43dd8448eb211c80319c");
    request.host = "shop.example";
    request.target.path = "/catalog/items/4711";
    record.route = "catalog";
    record.service = "catalog-v2";
    record.endpoint = "10.0.0.3:9001";
    record.route_index = 1;
    record.started = Time(1000s);
    record.head_read = record.started + 21us;
    record.connected = record.started + 34us;
    record.answered = record.started + 1'412us;
    record.ended = record.started + 1'733us;
    record.bytes_out = 4711;
    record.status = 200;
    record.attempts = 1;
    record.reused = true;
  }

  Arena arena;
  Headers headers{arena};
  Address client = *parse_address("192.0.2.7:41000");
  Record record;
  Request request{.arena = arena, .headers = headers, .client = client, .record = record};
};

struct Fixture {
  explicit Fixture(const OffloadSettings& offload)
      : observer(observers.observer(0, settings(), "public", offload, loop).value()) {}
  static Settings settings() {
    Settings out;
    out.routes.resize(1000);
    return out;
  }

  EpollEngine engine;
  Loop loop{engine, 1};
  Observers observers{1, "0", [](const std::string&) {}};
  ExchangeObserver observer;
};

// So many routes take turns: what one needs is seldom in the nearest cache.
void finish(benchmark::State& state, const OffloadSettings& offload) {
  Fixture fixture(offload);
  Exchange exchange;
  const auto routes = static_cast<uint32_t>(state.range(0));
  std::vector<std::string> names;
  for (uint32_t i = 0; i < routes; ++i) names.push_back("catalog-" + std::to_string(i));
  uint32_t next = 0;
  for (auto _ : state) {
    exchange.record.route_index = 1 + next;
    exchange.record.route = names[next];
    exchange.record.ended = exchange.record.started + 1ms * (1 + next % 97);
    next = next + 1 == routes ? 0 : next + 1;
    fixture.observer.finished(&exchange.request, exchange.client, exchange.record);
  }
  const std::string text = fixture.observers.prometheus();
  if (text.find("banyan_access_log_dropped_total 0\n") == std::string::npos)
    state.SetLabel("lines were dropped");
}

void counters(benchmark::State& state) { finish(state, {}); }
BENCHMARK(counters)->Arg(1)->Arg(1000);

void counters_and_log(benchmark::State& state) {
  OffloadSettings offload;
  offload.access_log = AccessLogSettings{.path = "/dev/null"};
  finish(state, offload);
}
BENCHMARK(counters_and_log)->Arg(1)->Arg(1000);

void format_line(benchmark::State& state) {
  AccessLine line("public", false);
  Exchange exchange;
  size_t bytes = 0;
  for (auto _ : state) {
    exchange.record.bytes_out += 7;
    bytes =
        line.format(&exchange.request, exchange.client, exchange.record, WallTime(1'764'102'074s))
            .size();
    benchmark::DoNotOptimize(bytes);
  }
  state.counters["line_bytes"] = static_cast<double>(bytes);
}
BENCHMARK(format_line);

void queue_line(benchmark::State& state) {
  LineQueue queue(4 * LineQueue::chunk_bytes);
  const std::string line(460, 'x');
  for (auto _ : state)
    if (queue.push(line) == LineQueue::Push::filled) queue.take(queue.peek().size());
}
BENCHMARK(queue_line);

void record_duration(benchmark::State& state) {
  Histogram histogram;
  int64_t ns = 1;
  for (auto _ : state) {
    ns = (ns * 48271) % 2'147'483'647;
    histogram.record(Duration(ns));
  }
}
BENCHMARK(record_duration);

// The whole text for a scrape, on the process's thread.
void scrape(benchmark::State& state) {
  Fixture fixture({});
  Exchange exchange;
  for (int64_t i = 0; i < state.range(0); ++i) {
    const std::string name = "route-" + std::to_string(i);
    exchange.record.route = name;
    exchange.record.route_index = UINT32_MAX;
    fixture.observer.finished(&exchange.request, exchange.client, exchange.record);
  }
  for (auto _ : state) benchmark::DoNotOptimize(fixture.observers.prometheus());
}
BENCHMARK(scrape)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace banyan

BENCHMARK_MAIN();
