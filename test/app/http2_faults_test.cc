// Every operation of the gateway fails once, in each way, in an exchange of each kind over HTTP/2:
// whatever happens, no answer that is cut looks whole, the next client is served, and connections,
// exchanges and buffers are back where they were.
#include "app/http2_gateway.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using h2::Answer;
using h2::H2Peer;

struct Kind {
  const char* name;
  bool upload;
  const char* answer;
  const char* body;
  friend void PrintTo(const Kind& k, std::ostream* out) { *out << k.name; }
};

class Http2FaultsTest : public testing::TestWithParam<Kind> {
 protected:
  void serve(Sim& sim) {
    sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
      std::string head;
      while (!(head = co_await peer.read_head()).empty()) {
        if (head.starts_with("POST") && (co_await peer.read_until("end\r\n0\r\n\r\n")).empty())
          co_return;
        if (!co_await peer.send(GetParam().answer)) co_return;
      }
    });
  }
  static Task<Answer> converse(Sim& sim) {
    H2Peer client(co_await dial(sim.host("10.0.0.9"), "10.0.0.1:80"));
    const bool upload = GetParam().upload;
    Answer out = co_await client.answer(
        client.ask(upload ? h2::post("/") : h2::get("/"),
                   upload ? std::optional<std::string>("the end") : std::nullopt));
    co_return out;
  }
};

TEST_P(Http2FaultsTest, OneAfterTheOther) {
  const Loaded loaded = load_text(
      "listeners: { web: 10.0.0.1:80 }\n"
      "offload: { limits: { body_timeout: 1s, send_timeout: 1s, idle_timeout: 2s } }\n"
      "services: { shop: { endpoints: [http://10.0.1.1:80], timeout: { connect: 1s, request: 2s, "
      "idle: 1s } } }\n"
      "routes: [ { to: shop } ]\n");
  ASSERT_EQ(loaded.problems.text(), "");
  size_t runs = 0;
  for (const Fault fault : {Fault::reset, Fault::timeout, Fault::cancel}) {
    for (uint64_t k = 1;; ++k) {
      const std::string where = std::to_string(static_cast<int>(fault)) + " " + std::to_string(k);
      Sim sim(k, "10.0.0.1");
      SimResolver names;
      serve(sim);
      sim.world().count_only({"10.0.0.1"});
      sim.world().fail_operation(k, fault);
      const uint64_t operations = sim.run([&]() -> Task<uint64_t> {
        SimGateway gateway(co_await current_context(), sim.engine(), names,
                           [](const Request*, const Record&) {});
        co_await gateway.use(loaded.model);
        const Answer broken = co_await converse(sim);
        if (broken.ended && broken.status == "200")
          EXPECT_EQ(broken.body, GetParam().body) << where;
        const uint64_t used = sim.world().operations();
        (void)co_await sleep_for(70s);
        const Answer next = co_await converse(sim);
        EXPECT_EQ(next.status, "200") << where;
        EXPECT_EQ(next.body, GetParam().body) << where;
        (void)co_await sleep_for(70s);
        EXPECT_EQ(gateway.server().counts().active, 0u) << where;
        EXPECT_EQ(gateway.connections().taken(), 0u) << where;
        for (const EndpointPtr& e : gateway.cluster("shop")->endpoints())
          EXPECT_EQ(e->load(), 0u) << where;
        co_await gateway.stop();
        co_return used;
      });
      EXPECT_EQ(Buffer::held_bytes(), 0u) << where;
      ++runs;
      if (k > operations) break;
    }
  }
  EXPECT_GT(runs, 20u);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Http2FaultsTest,
    testing::Values(Kind{"length", false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                         "hello"},
                    Kind{"chunks", false,
                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
                         "A: b\r\n\r\n",
                         "hello"},
                    Kind{"upload", true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace banyan
