// A whole gateway in the simulator, and a client that sends any bytes behind the preface of HTTP/2:
// whatever they are, the endpoint gets well-formed requests only, the run ends, and nothing is left
// alive. Input: what the client sends; 0xFEFE parts it by a pause.
#include <gtest/gtest.h>

#include "fuzz/fuzz.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "http/h2_connection.h"
#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"
#include "wire/gateway.h"

namespace banyan::fuzz {
namespace {

void check_request(std::string_view head) {
  Arena arena;
  RequestHead parsed(arena);
  CHECK(parse_request_head(head, {.head_bytes = 1 << 20, .fields = 500}, parsed));
  CHECK(parsed.headers.count(Name::host) == 1);
  CHECK(parsed.headers.get(Name::x_forwarded_for) == "10.0.0.9");
  CHECK(request_framing(1, parsed.headers).has_value());
}

Task<> answer(Peer& peer) {
  std::string got;
  char buffer[4096];
  for (;;) {
    const auto n = co_await peer.stream().read(buffer);
    if (!n || *n == 0) co_return;
    const bool first = got.empty();
    got.append(buffer, *n);
    const size_t end = got.find("\r\n\r\n");
    if (!first || end == std::string::npos) continue;
    check_request(std::string_view(got).substr(0, end + 4));
    co_await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
  }
}

Task<> converse(std::string_view input, Peer peer) {
  co_await peer.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  while (!input.empty()) {
    const size_t end = input.find("\xfe\xfe");
    if (!co_await peer.send(input.substr(0, end))) break;
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 2);
    if (!input.empty()) (void)co_await sleep_for(std::chrono::milliseconds(700));
  }
  peer.shutdown_write();
  char buffer[4096];
  for (;;) {
    const auto n = co_await peer.stream().read(buffer);
    if (!n || *n == 0) break;
  }
}

void play(std::string_view input) {
  std::string wrong;
  const ModelPtr model = wire::load("offload: { limits: { head: 2KiB, body: 1000 } }\n", wrong);
  CHECK(model != nullptr);
  Sim sim(1, "10.0.0.1");
  sim.serve("10.0.0.2:80", [](Peer& peer) { return answer(peer); });
  sim.run([&]() -> Task<> {
    SimResolver no_names;
    SimGateway gateway(co_await current_context(), sim.engine(), no_names,
                       [](const Request*, const Record&) {});
    co_await gateway.use(model);
    co_await converse(input, co_await dial(sim.host("10.0.0.9"), "10.0.0.1:80"));
    co_await gateway.stop();
  });
  CHECK(sim.elapsed() < std::chrono::hours(3));
}

}  // namespace
}  // namespace banyan::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(break_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  banyan::fuzz::play({reinterpret_cast<const char*>(data), size});
  return 0;
}
