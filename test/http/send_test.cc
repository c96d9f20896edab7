#include "http/send.h"

#include <gtest/gtest.h>

#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view at = "10.0.0.2:80";

// Sends to a peer that takes `take` bytes each `pause`, through a pipe of 1000 bytes.
struct Sent {
  Result<> result;
  Duration took;
  std::string got;
};
Sent send(const std::vector<std::string>& texts, size_t take, Duration pause, SendLimits limits,
          Duration whole_max = 1h) {
  Sim sim(1, "10.0.0.1");
  sim.world().link().pipe_bytes = 1000;
  Sent out;
  sim.serve(at, [&](Peer& peer) -> Task<> {
    std::string buffer(take, '\0');
    while (co_await sleep_for(pause)) {
      const auto n = co_await peer.stream().read(buffer);
      if (!n || *n == 0) co_return;
      out.got += buffer.substr(0, *n);
    }
  });
  sim.run([&]() -> Task<> {
    auto stream = co_await sim.engine().connect(*parse_address(at));
    CHECK(stream.has_value());
    const std::vector<Bytes> pieces(texts.begin(), texts.end());
    out.result = co_await within{whole_max, send_all(**stream, pieces, limits)};
    out.took = sim.elapsed();
    // What the pipe still holds.
    if (out.result) EXPECT_TRUE(co_await sleep_for(1h));
  });
  return out;
}

TEST(SendAll, ASlowPeerGetsEverything) {
  const std::vector<std::string> texts = {"head ", "", std::string(5000, 'x'), "end",
                                          std::string(3000, 'y')};
  const Sent s = send(texts, 300, 1s, {.gap_max = 2s});
  EXPECT_TRUE(s.result.has_value());
  EXPECT_EQ(s.got, "head " + texts[2] + "end" + texts[4]);
  EXPECT_GT(s.took, 20s) << "longer than any single wait";
}

TEST(SendAll, APeerThatTakesNothingIsGivenUp) {
  const Sent s = send({std::string(5000, 'x')}, 1, 1h, {.gap_max = 2s});
  ASSERT_FALSE(s.result.has_value());
  EXPECT_EQ(s.result.error().code, Code::timeout);
  EXPECT_EQ(s.result.error().side, Side::upstream);
  // The pipe took its thousand bytes at once: that was progress, and the next wait saw none.
  EXPECT_EQ(s.took, 4s);
}

// A byte now and then keeps no connection.
TEST(SendAll, APeerBelowTheRateIsGivenUp) {
  const SendLimits limits{.gap_max = 2s, .rate_min = 100};
  const std::vector<std::string> text = {std::string(5000, 'x')};
  EXPECT_EQ(send(text, 90, 1s, limits).result.error().code, Code::timeout);
  EXPECT_TRUE(send(text, 210, 1s, limits).result.has_value());
}

// A limit from above is no wait of ours.
TEST(SendAll, AnOuterLimitEndsIt) {
  const Sent s = send({std::string(5000, 'x')}, 300, 1s, {.gap_max = 20s}, 3s);
  EXPECT_EQ(s.result.error().code, Code::timeout);
  EXPECT_EQ(s.took, 3s);
}

TEST(SendAll, NothingIsSentAtOnce) {
  EXPECT_TRUE(send({}, 1, 1s, {.gap_max = 1s}).result.has_value());
  EXPECT_EQ(send({"", ""}, 1, 1s, {.gap_max = 1s}).took, 0s);
}

}  // namespace
}  // namespace banyan
