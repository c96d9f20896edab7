// A whole gateway in the simulator: a client that sends anything, and an endpoint that answers
// anything. Whatever they do: the endpoint gets well-formed requests only, each with the mark of
// the gateway, so none is smuggled past it; the client gets well-formed answers only; the run ends
// (the simulator fails one that is stuck), and nothing is left alive. Input: 0xFF parts it. First a
// byte of flags, then what the client sends; then one part for each time that the endpoint has read
// something: its answer. 0xFE in a part is a pause.
#include <gtest/gtest.h>

#include <vector>

#include "fuzz/fuzz.h"
#include "http/chunked.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"
#include "wire/gateway.h"

namespace banyan::fuzz {
namespace {

struct Script {
  explicit Script(Input in) {
    const uint8_t flags = in.byte();
    tiny_reads = (flags & 1) != 0;
    half_closes = (flags & 2) != 0;
    leaves_early = (flags & 4) != 0;
    endpoint_closes = (flags & 8) != 0;
    client = in.until('\xff');
    while (!in.empty() && answers.size() < 8) answers.emplace_back(in.until('\xff'));
  }
  bool tiny_reads, half_closes, leaves_early, endpoint_closes;
  std::string client;
  std::vector<std::string> answers;
  size_t next = 0;
};

Task<> say(Peer& peer, std::string_view text) {
  Input in(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  while (!in.empty()) {
    const std::string_view piece = in.until('\xfe');
    if (!piece.empty() && !co_await peer.send(piece)) co_return;
    if (!in.empty() && !co_await sleep_for(std::chrono::milliseconds(700))) co_return;
  }
}

// Takes a content off; false when it is not all there.
bool take_content(std::string_view& bytes, const Framing& framing) {
  if (framing.kind == Framing::Kind::length) {
    const bool whole = bytes.size() >= framing.length;
    if (whole) bytes.remove_prefix(framing.length);
    return whole;
  }
  if (framing.kind != Framing::Kind::chunked) return true;
  Arena arena;
  ChunkDecoder decoder(arena, Side::client);
  while (!bytes.empty()) {
    const auto step = decoder.step(bytes);
    CHECK(step);
    bytes.remove_prefix(step->consumed);
    if (step->done) return true;
  }
  return false;
}

// Takes a request off; false when the rest is none, or is cut, or the connection is a tunnel now.
bool take_request(std::string_view& bytes) {
  const auto end = HeadScanner(Side::client).find_end(bytes);
  CHECK(end);
  if (*end == 0) return false;
  Arena arena;
  RequestHead head(arena);
  CHECK(parse_request_head(bytes.substr(0, *end), {.head_bytes = 1 << 20, .fields = 500}, head));
  bytes.remove_prefix(*end);
  CHECK(head.minor_version == 1 && head.headers.count(Name::host) == 1);
  CHECK(head.headers.get(Name::x_forwarded_for) == "10.0.0.9");
  const auto framing = request_framing(1, head.headers);
  CHECK(framing && keep_alive(1, head.headers));
  const bool tunnel = head.method == Method::connect || head.headers.has(Name::upgrade);
  return take_content(bytes, *framing) && !tunnel;
}

// Answers each time something has come; the script's parts go round.
Task<> answer(Script& script, Peer& peer) {
  char buffer[4096];
  std::string got;
  for (int i = 0; i < 16; ++i) {
    const auto n = co_await peer.stream().read(buffer);
    if (!n || *n == 0 || script.answers.empty()) break;
    got.append(buffer, *n);
    co_await say(peer, script.answers[script.next++ % script.answers.size()]);
    if (script.endpoint_closes) break;
  }
  std::string_view left = got;
  while (!left.empty() && take_request(left)) {
  }
}

Task<std::string> converse(Script& script, Peer peer) {
  Nursery sending(co_await current_context());
  const auto send = [&] { return say(peer, script.client); };
  sending.start(send);
  std::string got;
  char buffer[4096];
  if (script.half_closes) {
    co_await sending.join();
    peer.shutdown_write();
  }
  for (;;) {
    const auto n = co_await peer.stream().read(buffer);
    if (!n || *n == 0) break;
    got.append(buffer, *n);
    if (script.leaves_early && got.size() > 20) break;
  }
  sending.cancel();
  co_await sending.join();
  co_return got;
}

// Takes one answer off; false when the rest is none, or is cut.
bool take_answer(std::string_view& bytes) {
  const auto end = HeadScanner(Side::upstream).find_end(bytes);
  CHECK(end);
  if (*end == 0) return false;
  Arena arena;
  ResponseHead head(arena);
  CHECK(parse_response_head(bytes.substr(0, *end), {.head_bytes = 1 << 20, .fields = 500}, head));
  CHECK(head.headers.count(Name::content_length) + head.headers.count(Name::transfer_encoding) <=
        1);
  CHECK(head.headers.count(Name::connection) <= 1);
  bytes.remove_prefix(*end);
  // Whether a request was HEAD is not known here: behind the head stands another answer, its
  // content, or nothing. So only interim answers and empty ones are followed.
  if (head.status >= 200 && announced_length(head.headers) != 0u) return false;
  return head.status != 101;
}

void play(Script& script) {
  std::string wrong;
  const ModelPtr model = wire::load("offload: { limits: { head: 2KiB, body: 1000 } }\n", wrong);
  CHECK(model != nullptr);
  Sim sim(1, "10.0.0.1");
  sim.world().link().read_max = script.tiny_reads ? 1 : SIZE_MAX;
  sim.serve("10.0.0.2:80", [&](Peer& peer) { return answer(script, peer); });
  std::string got = sim.run([&]() -> Task<std::string> {
    SimResolver no_names;
    SimGateway gateway(co_await current_context(), sim.engine(), no_names,
                       [](const Request*, const Record&) {});
    co_await gateway.use(model);
    std::string all = co_await converse(script, co_await dial(sim.host("10.0.0.9"), "10.0.0.1:80"));
    co_await gateway.stop();
    co_return all;
  });
  CHECK(sim.elapsed() < std::chrono::hours(3));
  std::string_view left = got;
  while (!left.empty() && take_answer(left)) {
  }
}

}  // namespace
}  // namespace banyan::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  banyan::fuzz::Script script(banyan::fuzz::Input(data, size));
  banyan::fuzz::play(script);
  return 0;
}
