// What tests of HTTP/2 to clients share: a gateway in the simulator, an origin that answers by the
// path, and clients of HTTP/2. Header only.
#pragma once
#include <gmock/gmock.h>

#include "http/h2_peer.h"
#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan {

class Http2GatewayTest : public testing::Test {
 protected:
  // The service is at 10.0.1.1:80; its script is in the test.
  static std::string config(std::string_view offload = "", std::string_view service = "") {
    return "listeners: { web: 10.0.0.1:80 }\n"
           "offload: { " +
           std::string(offload) +
           " }\n"
           "services: { shop: { endpoints: [http://10.0.1.1:80]" +
           std::string(service) +
           " } }\n"
           "routes: [ { to: shop } ]\n";
  }
  template <class Client>
  void run(const std::string& text, Client client) {
    Loaded loaded = load_text(text);
    ASSERT_EQ(loaded.problems.text(), "");
    sim.run([&]() -> Task<> {
      SimGateway gateway(
          co_await current_context(), sim.engine(), names,
          [this](const Request* request, const Record& record) { note(request, record); });
      co_await gateway.use(loaded.model);
      co_await client(gateway);
      (void)co_await sleep_for(std::chrono::milliseconds(10));
      co_await gateway.stop();
    });
  }
  void note(const Request* request, const Record& record) {
    finished.push_back(std::to_string(record.status) + " " +
                       (request != nullptr ? std::string(request->target.path) : "?") +
                       (record.error ? std::string(" ") + record.error->what : ""));
  }
  Task<Peer> connect() { co_return co_await dial(sim.host("10.0.0.9"), "10.0.0.1:80"); }

  Sim sim{1, "10.0.0.1"};
  SimResolver names;
  std::vector<std::string> finished;
};

}  // namespace banyan
