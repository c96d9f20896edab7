#include "sim/sim_engine.h"

#include "io/engine_contract.h"

namespace banyan {
namespace {

// Bytes that are handed over at once.
struct SimPlain {
  SimWorld world{7};
  SimEngine engine{world};
  Loop loop{engine, 7};
  static constexpr bool distant = true;

  Address listen_at() const { return *parse_address("10.0.0.1:0"); }
  Address nobody() const { return *parse_address("10.0.0.9:9"); }
  Task<Address> unanswered() {
    world.hold("10.0.0.5");
    co_return *parse_address("10.0.0.5:80");
  }
  void end_unanswered() { world.release("10.0.0.5"); }
};

// A far and narrow way on which everything is cut anywhere.
struct SimHarsh : SimPlain {
  SimHarsh() {
    auto& link = world.link();
    link.latency = 30us;
    link.connect_latency = 3ms;
    link.random_cuts = true;
    link.bytes_per_second = 1'000'000'000;
    link.pipe_bytes = 256 * 1024;
  }
};

struct SimPath : SimPlain {
  Address listen_at() const { return *parse_address("unix:/run/simulated.sock"); }
  Address nobody() const { return *parse_address("unix:/run/nobody.sock"); }
};

using Simulated = testing::Types<SimPlain, SimHarsh, SimPath>;
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, EngineContract, Simulated);

}  // namespace
}  // namespace banyan
