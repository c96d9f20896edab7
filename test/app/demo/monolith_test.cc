// The monolith with contents that come bit by bit, too long, or not to their end; and with several
// callers at once.
#include "app/demo/monolith.h"

#include <gtest/gtest.h>

#include "sim/run.h"

namespace banyan::demo {
namespace {

using namespace std::chrono_literals;

// One piece each 10 ms, then the end, or `fault`.
class Pieces final : public Body {
 public:
  explicit Pieces(std::vector<std::string> pieces, std::optional<Error> fault = {})
      : pieces_(std::move(pieces)), fault_(fault) {}
  Task<Result<Bytes>> read() override {
    TRY(co_await sleep_for(10ms));
    if (next_ < pieces_.size()) co_return Bytes(pieces_[next_++]);
    if (fault_) co_return std::unexpected(*fault_);
    ended_ = true;
    co_return Bytes{};
  }
  bool ended() const override { return ended_; }
  std::optional<uint64_t> length() const override { return std::nullopt; }
  size_t given() const { return next_; }

 private:
  const std::vector<std::string> pieces_;
  const std::optional<Error> fault_;
  size_t next_ = 0;
  bool ended_ = false;
};

class MonolithContent : public testing::Test {
 protected:
  struct Outcome {
    Result<uint16_t> status;
    std::string location, text;
  };
  Task<Outcome> post(std::string_view path, Body* body) {
    Arena arena;
    Headers headers(arena);
    Record record;
    const Address client = *parse_address("192.0.2.1:5000");
    Request request{.arena = arena,
                    .method = Method::post,
                    .method_text = "POST",
                    .target = parse_target(Method::post, path, PathRules{}, arena).value(),
                    .headers = headers,
                    .body = body,
                    .client = client,
                    .record = record};
    auto reply = co_await monolith.call(request);
    if (!reply) co_return Outcome{std::unexpected(reply.error()), {}, {}};
    Outcome out{reply->status, std::string(reply->headers->get(Name::location)), {}};
    if (reply->body != nullptr) out.text = reply->body->ready();
    co_return out;
  }
  Outcome run(std::string_view path, Body& body) {
    return sim.run([&] { return post(path, &body); });
  }
  Task<Result<uint16_t>> report(size_t) {
    Arena arena;
    Headers headers(arena);
    Record record;
    const Address client = *parse_address("192.0.2.1:5000");
    Request request{.arena = arena,
                    .target = parse_target(Method::get, "/report", PathRules{}, arena).value(),
                    .headers = headers,
                    .client = client,
                    .record = record};
    co_return TRY(co_await monolith.call(request)).status;
  }

  Sim sim;
  Monolith monolith;
};

TEST_F(MonolithContent, AFormMayComeInPieces) {
  Pieces form({"prod", "uct=", "2&quant", "ity=1", "0"});
  const Outcome out = run("/orders", form);
  EXPECT_EQ(out.status.value(), 303);
  EXPECT_EQ(out.location, "/orders/2010");
  EXPECT_EQ(sim.elapsed(), 60ms);
}

TEST_F(MonolithContent, AFormOfTheFullSizeIsTaken) {
  const std::string order = "product=2&quantity=1&note=";
  Pieces full({order, std::string(16 * 1024 - order.size(), 'n')});
  EXPECT_EQ(run("/orders", full).status.value(), 303);
}

TEST_F(MonolithContent, AFormThatIsTooLongIsNotReadToItsEnd) {
  Pieces longer({std::string(16 * 1024, 'a'), "b", "c", "d"});
  const Outcome out = run("/orders", longer);
  ASSERT_FALSE(out.status.has_value());
  EXPECT_EQ(out.status.error().status, 413);
  EXPECT_EQ(out.status.error().side, Side::client);
  EXPECT_EQ(longer.given(), 2u);
}

TEST_F(MonolithContent, AFormThatBreaksOffIsNoOrder) {
  const Error broken{Code::reset, Side::client, false, 0, "the content ended too early"};
  Pieces half({"product=2&quantity=1"}, broken);
  EXPECT_EQ(run("/orders", half).status.error(), broken);
  Pieces echoed({"abc"}, broken);
  EXPECT_EQ(run("/echo", echoed).status.error(), broken);
}

TEST_F(MonolithContent, WithoutContentThereIsNoOrder) {
  const Outcome out = sim.run([&] { return post("/orders", nullptr); });
  EXPECT_EQ(out.status.value(), 400);
}

TEST_F(MonolithContent, EchoCountsWhatItReads) {
  Pieces body({"abc", "defg", std::string(100'000, 'x')});
  const Outcome out = run("/echo?q", body);
  EXPECT_EQ(out.text, "POST /echo?q HTTP/1.1\n\n(100007 bytes of content)\n");
}

TEST_F(MonolithContent, ReadingCanBeCalledOff) {
  Pieces slow({"a", "b", "c", "d", "e"});
  const auto out =
      sim.run([&]() -> Task<Outcome> { co_return co_await within{25ms, post("/orders", &slow)}; });
  EXPECT_EQ(out.status.error().code, Code::timeout);
  EXPECT_EQ(sim.elapsed(), 25ms);
  EXPECT_EQ(slow.given(), 2u);
}

TEST_F(MonolithContent, ReportsDoNotWaitForEachOther) {
  const auto all = sim.run([&]() -> Task<std::vector<Result<uint16_t>>> {
    co_return co_await gather(5, [this](size_t i) { return report(i); });
  });
  EXPECT_EQ(sim.elapsed(), 300ms);
  for (const auto& status : all) EXPECT_EQ(status.value(), 200);
}

}  // namespace
}  // namespace banyan::demo
