// What tests of an ambassador's entries share: a configuration, and a gateway of it in the
// simulator, on the machine of the application. Header only.
#pragma once
#include <gmock/gmock.h>

#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan {

// `entries`, with the services `db` (10.0.1.1:5432) and `fixed`.
inline std::string ambassador_config(std::string_view entries, std::string_view more = "") {
  return "ambassador:\n" + std::string(entries) +
         "services:\n"
         "  db: { endpoints: [tcp://10.0.1.1:5432], timeout: { connect: 200ms } }\n"
         "  fixed: { respond: { body: hello } }\n" +
         std::string(more);
}
inline std::string ambassador_faults(std::string_view entries, std::string_view more = "") {
  return load_text(ambassador_config(entries, more)).problems.text();
}

// Entries listen on 127.0.0.1:5432.
class AmbassadorGatewayTest : public testing::Test {
 protected:
  static ModelPtr model(const std::string& text) {
    Loaded loaded = load_text(text);
    EXPECT_EQ(loaded.problems.text(), "");
    return loaded.model;
  }
  // Runs `client` against a gateway of that configuration.
  template <class Client>
  void run(const std::string& text, Client client) {
    sim.run([&]() -> Task<> {
      SimGateway gateway(co_await current_context(), sim.engine(), names,
                         [this](const Request*, const Record& record) { note(record); });
      co_await gateway.use(model(text));
      co_await client(gateway);
      (void)co_await sleep_for(std::chrono::milliseconds(10));
      co_await gateway.stop();
    });
  }
  void note(const Record& record) {
    ++finished;
    attempts = record.attempts;
    bytes_in = record.bytes_in;
    bytes_out = record.bytes_out;
    endpoint = record.endpoint;
    reason = record.error ? record.error->what : "";
    ended = sim.elapsed();
  }
  Task<Peer> application() { co_return co_await dial(sim.engine(), "127.0.0.1:5432"); }

  Sim sim;
  SimResolver names;
  int finished = 0;
  uint32_t attempts = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  std::string endpoint, reason;
  Duration ended{};
};

}  // namespace banyan
