// What the hot path of one request costs: finding the end of its head, parsing it, reading its
// framing and target, and writing the head for the next hop. Google Benchmark.
// Build by hand, optimised, without sanitizers (from the top folder):
//   clang++-19 -std=gnu++23 -O2 -DNDEBUG -Isrc bench/micro/http_bench.cc
//   src/http/{names,headers}.cc
//     src/http/{h1_parse,framing,uri,hop,h1_write,status,chunked}.cc src/base/*.cc
//     -lbenchmark -lfmt -lspdlog -lpthread -o /tmp/http_bench
#include <benchmark/benchmark.h>

#include <string>

#include "base/check.h"
#include "http/chunked.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "http/h1_write.h"
#include "http/hop.h"
#include "http/uri.h"

namespace banyan {
namespace {

// What a browser behind a load balancer sends: ten fields, one long value.
constexpr std::string_view request_text =
    "GET /catalog/items/4711?sort=price&page=2 HTTP/1.1\r\n"
    "Host: shop.example:8080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Cookie: sid=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Referer: https://shop.example/catalog\r\n"
    "Cache-Control: max-age=0\r\n"
    "X-Request-Id: 0af7651916cd43dd8448eb211c80319c\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";

void find_end(benchmark::State& state) {
  for (auto _ : state) {
    HeadScanner scanner(Side::client);
    benchmark::DoNotOptimize(scanner.find_end(request_text));
  }
}
BENCHMARK(find_end);

void parse_head(benchmark::State& state) {
  for (auto _ : state) {
    Arena arena;
    RequestHead head(arena);
    CHECK(parse_request_head(request_text, {}, head));
    benchmark::DoNotOptimize(head);
  }
}
BENCHMARK(parse_head);

void find_end_and_parse_head(benchmark::State& state) {
  for (auto _ : state) {
    Arena arena;
    HeadScanner scanner(Side::client);
    const auto size = scanner.find_end(request_text);
    RequestHead head(arena);
    CHECK(parse_request_head(request_text.substr(0, *size), {}, head));
    benchmark::DoNotOptimize(head);
  }
}
BENCHMARK(find_end_and_parse_head);

void parse_plain_target(benchmark::State& state) {
  Arena arena;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        parse_target(Method::get, "/catalog/items/4711?sort=price&page=2", {}, arena));
}
BENCHMARK(parse_plain_target);

void parse_escaped_target(benchmark::State& state) {
  for (auto _ : state) {
    Arena arena;
    benchmark::DoNotOptimize(
        parse_target(Method::get, "/catalog//a/../%7euser/caf%c3%a9", {}, arena));
  }
}
BENCHMARK(parse_escaped_target);

// Everything between the bytes of a request and the bytes for the next hop.
void head_to_head(benchmark::State& state) {
  for (auto _ : state) {
    Arena arena;
    HeadScanner scanner(Side::client);
    const auto size = scanner.find_end(request_text);
    RequestHead head(arena);
    CHECK(parse_request_head(request_text.substr(0, *size), {}, head));
    const auto framing = request_framing(head.minor_version, head.headers);
    const auto target = parse_target(head.method, head.target, {}, arena);
    remove_hop_by_hop(head.headers);
    benchmark::DoNotOptimize(write_request_head(arena, head.method_text, target->forward,
                                                head.headers, {.framing = *framing}));
  }
}
BENCHMARK(head_to_head);

void decode_small_chunks(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 100; ++i) body += "40\r\n" + std::string(64, 'x') + "\r\n";
  body += "0\r\n\r\n";
  for (auto _ : state) {
    Arena arena;
    ChunkDecoder decoder(arena, Side::client);
    Bytes rest = body;
    for (bool done = false; !done;) {
      const auto step = decoder.step(rest);
      rest.remove_prefix(step->consumed);
      done = step->done;
    }
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(decode_small_chunks);

}  // namespace
}  // namespace banyan

BENCHMARK_MAIN();
