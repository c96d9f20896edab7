#include "http/tunnel.h"

#include <gtest/gtest.h>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view at = "10.0.0.2:80";

// A relay between a client (which dials 10.0.0.1:80) and an endpoint (10.0.0.2:80).
class TunnelTest : public testing::Test {
 protected:
  TunnelTest() : sim(1, "10.0.0.1") {}

  template <class Client, class Endpoint>
  void run(Client client, Endpoint endpoint) {
    sim.serve(at, endpoint);
    sim.background([this] { return serve(); });
    sim.run([&]() -> Task<> {
      Peer peer = co_await dial(sim.host("10.0.0.9"), "10.0.0.1:80");
      co_await client(peer);
      EXPECT_TRUE(co_await sleep_for(1s));  // the endpoint's script comes to its end
    });
    EXPECT_EQ(Buffer::held_bytes(), 0u);
  }
  Task<> serve() {
    auto listener = sim.engine().listen(*parse_address("10.0.0.1:80"), ListenOptions{});
    CHECK(listener.has_value());
    auto a = co_await (*listener)->accept();
    if (!a) co_return;
    auto b = co_await sim.engine().connect(*parse_address(at));
    CHECK(b.has_value());
    Loop& loop = (co_await current_context()).loop;
    Buffer from_a, from_b;
    put(from_a, early_a);
    put(from_b, early_b);
    const Time began = loop.now();
    moved = co_await relay(**a, from_a, **b, from_b, 10s);
    lasted = loop.now() - began;
    EXPECT_TRUE(from_a.empty() && from_b.empty());
  }
  static void put(Buffer& buffer, std::string_view text) {
    if (text.empty()) return;
    std::copy(text.begin(), text.end(), buffer.space().begin());
    buffer.added(text.size());
  }

  Sim sim;
  std::string early_a, early_b;
  Relayed moved;
  Duration lasted{};
};

std::string pattern(size_t n) {
  std::string out(n, ' ');
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<char>(i * 31 + i / 251);
  return out;
}

class TunnelSplit : public TunnelTest, public testing::WithParamInterface<size_t> {};

TEST_P(TunnelSplit, BytesBothWays) {
  const std::string there = pattern(60), back = pattern(70);
  early_a = there.substr(0, 10);
  early_b = back.substr(0, 5);
  sim.world().link().read_max = GetParam();
  run(
      [&](Peer& client) -> Task<> {
        co_await client.send(there.substr(10));
        client.shutdown_write();
        EXPECT_EQ(co_await client.read_all(), back);
      },
      [&](Peer& endpoint) -> Task<> {
        EXPECT_EQ(co_await endpoint.read_all(), there);
        // The other direction is open still.
        co_await endpoint.send(back.substr(5));
      });
  EXPECT_EQ(moved.there, there.size());
  EXPECT_EQ(moved.back, back.size());
}
INSTANTIATE_TEST_SUITE_P(ReadsOf, TunnelSplit, testing::Range<size_t>(1, 70));

TEST_F(TunnelTest, LargeAmountsWithBackpressure) {
  sim.world().link().random_cuts = true;
  const std::string there = pattern(1'000'000), back = pattern(700'000);
  run(
      [&](Peer& client) -> Task<> {
        auto side = [&](size_t i) -> Task<Result<>> {
          if (i == 0) {
            co_await client.send(there);
            client.shutdown_write();
          } else {
            EXPECT_TRUE(co_await client.read_all() == back);
          }
          co_return Result<>{};
        };
        co_await gather(2, side);
      },
      [&](Peer& endpoint) -> Task<> {
        auto side = [&](size_t i) -> Task<Result<>> {
          if (i == 0) {
            co_await endpoint.send(back);
            endpoint.shutdown_write();
          } else {
            EXPECT_TRUE(co_await endpoint.read_all() == there);
          }
          co_return Result<>{};
        };
        co_await gather(2, side);
      });
  EXPECT_EQ(moved.there, there.size());
  EXPECT_EQ(moved.back, back.size());
}

TEST_F(TunnelTest, AResetIsPassedOn) {
  run([](Peer& client) -> Task<> { co_await client.expect_reset(); },
      [](Peer& endpoint) -> Task<> {
        EXPECT_TRUE(co_await sleep_for(1s));
        endpoint.reset();
      });
  EXPECT_EQ(lasted, 1s);
}

// One direction is blocked by a client that reads nothing, when the other one finds the endpoint
// dead.
TEST_F(TunnelTest, AnErrorEndsABlockedDirection) {
  run(
      [](Peer& client) -> Task<> {
        EXPECT_TRUE(co_await sleep_for(1s));
        co_await client.send("anybody there?");
        EXPECT_TRUE(co_await sleep_for(5s));
        co_await client.expect_reset();
      },
      [](Peer& endpoint) -> Task<> {
        const std::string text = pattern(60'000);
        const Bytes piece[] = {text};
        Loop& loop = (co_await current_context()).loop;
        while (co_await endpoint.stream().write(piece, after(loop.now(), 100ms))) {
        }
        endpoint.reset();
      });
  EXPECT_EQ(lasted, 1s);
}

TEST_F(TunnelTest, SilenceOnBothSidesEndsIt) {
  run(
      [](Peer& client) -> Task<> {
        // One silent direction is no silence.
        for (int i = 0; i < 3; ++i) {
          EXPECT_TRUE(co_await sleep_for(8s));
          co_await client.send("x");
        }
        co_await client.expect_end();
      },
      [](Peer& endpoint) -> Task<> { EXPECT_EQ(co_await endpoint.read_all(), "xxx"); });
  EXPECT_EQ(lasted, 34s);
}

TEST_F(TunnelTest, CalledOffItEndsAtOnce) {
  sim.serve(at, [](Peer& endpoint) -> Task<> { (void)co_await endpoint.read_until("never"); });
  sim.background([this] { return serve(); });
  sim.run([&]() -> Task<> {
    Peer peer = co_await dial(sim.host("10.0.0.9"), "10.0.0.1:80");
    EXPECT_TRUE(co_await sleep_for(2s));
  });  // the end of the run calls the relay off
  EXPECT_EQ(lasted, 2s);
}

}  // namespace
}  // namespace banyan
