// A client that leaves while its answer is made: the work is called off at once, nothing is sent,
// and the record blames the client, not the operation that was waiting.
#include <gtest/gtest.h>

#include "http/h1_connection.h"
#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

// Waits for a service that never answers; one connection long.
class Waiting final : public Handler {
 public:
  const H1Limits& limits() const override { return limits_; }
  Task<Reply> call(Request&) override {
    auto slept = co_await sleep_for(1h);
    EXPECT_FALSE(slept.has_value());
    co_return fail(Code::cancelled, Side::upstream, "called off");
  }
  Response fault(Arena& arena, const Request*, const Error&) override {
    ADD_FAILURE() << "there is nobody to answer";
    return {.status = 500, .headers = arena.make<Headers>(arena)};
  }
  void finished(const Request*, const Address&, const Record& record) override {
    ++finished_count;
    error = record.error;
    status = record.status;
  }

  int finished_count = 0;
  std::optional<Error> error;
  uint16_t status = 1;

 private:
  H1Limits limits_;
};

class Source final : public HandlerSource {
 public:
  std::shared_ptr<Handler> handler() override { return waiting; }
  bool draining() const override { return false; }
  std::string_view http_date() override { return "Thu, 01 Jan 1970 00:00:00 GMT"; }
  std::shared_ptr<Waiting> waiting = std::make_shared<Waiting>();
};

Task<> serve_one_client(Sim& sim, Source& source) {
  auto listener = sim.engine().listen(*parse_address("127.0.0.1:80"), {});
  auto stream = co_await (*listener)->accept();
  H1Connection connection(std::move(*stream), source);
  co_await connection.serve();
}

TEST(ClientLeft, IsBlamedForTheWorkThatWasCalledOff) {
  for (const bool resets : {false, true}) {
    Sim sim;
    Source source;
    auto client = [&]() -> Task<> {
      Peer peer = co_await dial(sim.host("10.0.0.7"), "127.0.0.1:80");
      co_await peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      (void)co_await sleep_for(500ms);  // right behind its request it could be a half-close
      if (resets)
        peer.reset();
      else
        peer.close();
    };
    sim.background(client);
    sim.run([&] { return serve_one_client(sim, source); });
    EXPECT_LT(sim.elapsed(), 1s);
    EXPECT_EQ(source.waiting->finished_count, 1);
    EXPECT_EQ(source.waiting->status, 0);
    EXPECT_EQ(source.waiting->error,
              (Error{Code::cancelled, Side::client, false, 0, "the client left"}));
  }
}

}  // namespace
}  // namespace banyan
