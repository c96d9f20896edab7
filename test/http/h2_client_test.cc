// H2Client by itself: that it waits for those who hold on to it, whatever called it off.
#include "http/h2_client.h"

#include <gtest/gtest.h>

#include "http/h2_origin.h"
#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

TEST(H2Client, CalledOffItWaitsForWhoHoldsAnAnswer) {
  Sim sim;
  sim.serve("10.0.1.1:80", [](Peer& peer) -> Task<> {
    h2::H2Origin origin(peer, {}, [](h2::H2Origin& self, h2::Asked& asked) {
      self.answer(asked.id, "200", {}, "hello", {}, true);
    });
    co_await origin.serve();
  });
  bool ended = false;
  sim.run([&]() -> Task<> {
    Context& context = co_await current_context();
    auto stream = co_await sim.engine().connect(*parse_address("10.0.1.1:80"), never);
    H2Client client(std::move(*stream), sim.loop(), {});
    Nursery serving(context), background(context);
    const auto serve = [&]() -> Task<> {
      co_await client.serve();
      ended = true;
    };
    serving.start(serve);
    Arena arena;
    Headers headers(arena);
    headers.add(Name::host, "shop");
    Record record;
    const Address nobody;
    Request request{.arena = arena,
                    .headers = headers,
                    .client = nobody,
                    .background = &background,
                    .record = record};
    bool silent = false;
    auto reply = co_await H2Client::send(client, nullptr, request, "/", headers, silent);
    EXPECT_EQ(reply->status, 200);
    serving.cancel();
    (void)co_await sleep_for(1s);
    EXPECT_FALSE(ended) << "the answer is still held";
    EXPECT_FALSE(client.has_room());
    const auto piece = co_await reply->body->read();
    EXPECT_TRUE(!piece || *piece == "hello");
    const auto more = co_await reply->body->read();
    EXPECT_FALSE(more.has_value()) << "it was cut off, and says so";
    reply->body.reset();
    co_await serving.join();
    EXPECT_TRUE(ended);
  });
}

}  // namespace
}  // namespace banyan
