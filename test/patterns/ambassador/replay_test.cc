#include "patterns/ambassador/replay.h"

#include "patterns/ambassador/call.h"

namespace banyan {
namespace {

// Pieces that are all at hand.
class AtHand final : public Body {
 public:
  explicit AtHand(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  Bytes ready() override { return ended() ? Bytes{} : Bytes(pieces_[next_++]); }
  Task<Result<Bytes>> read() override { co_return ready(); }
  bool ended() const override { return next_ == pieces_.size(); }
  std::optional<uint64_t> length() const override { return std::nullopt; }

 private:
  const std::vector<std::string> pieces_;
  size_t next_ = 0;
};

Task<std::string> read_all(Body& body) {
  std::string all;
  while (!body.ended()) {
    const auto piece = co_await body.read();
    if (!piece) co_return all + "!";
    all += *piece;
  }
  co_return all;
}

class ReplayTest : public testing::Test {
 protected:
  // `play` gets a replay of `body` and may begin tries, as copies of the request.
  template <class Play>
  void with(Body& body, size_t most, Play play) {
    sim.run([&]() -> Task<> {
      Context& context = co_await current_context();
      Nursery background(context);
      Arena arena;
      Headers headers(arena);
      Record record;
      const Address client;
      Request request{.arena = arena,
                      .headers = headers,
                      .body = &body,
                      .client = client,
                      .background = &background,
                      .record = record};
      {
        const auto replay = std::make_shared<Replay>(request, most);
        co_await play(*replay, request);
      }
      background.cancel();
      co_await background.join();
    });
  }
  Sim sim;
};

TEST_F(ReplayTest, EachTryReadsTheWholeContent) {
  AtHand body({"one ", "two ", "three"});
  with(body, 100, [](Replay& replay, Request& request) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      Request& one = another(request, request.record);
      EXPECT_TRUE(replay.begin(one));
      EXPECT_EQ(co_await read_all(*one.body), "one two three");
      EXPECT_TRUE(co_await replay.end());
    }
    EXPECT_FALSE(replay.lost());
  });
}

TEST_F(ReplayTest, BlocksGrowAndPiecesStayWhole) {
  std::vector<std::string> pieces;
  std::string whole;
  for (int i = 0; i < 60; ++i) {
    pieces.emplace_back(static_cast<size_t>(100 + 37 * i), static_cast<char>('a' + i % 26));
    whole += pieces.back();
  }
  AtHand body(pieces);
  with(body, whole.size(), [&](Replay& replay, Request& request) -> Task<> {
    for (int i = 0; i < 2; ++i) {
      Request& one = another(request, request.record);
      replay.begin(one);
      EXPECT_EQ(co_await read_all(*one.body), whole);
      (void)co_await replay.end();
    }
    EXPECT_FALSE(replay.lost());
  });
}

TEST_F(ReplayTest, TheBoundIsExact) {
  for (const size_t most : {size_t{9}, size_t{8}}) {
    AtHand body({"1234", "56789"});
    with(body, most, [&](Replay& replay, Request& request) -> Task<> {
      Request& one = another(request, request.record);
      replay.begin(one);
      EXPECT_EQ(co_await read_all(*one.body), "123456789");
      EXPECT_EQ(replay.lost(), most < 9);
    });
  }
}

// Between the decision for another try and the end of this one: a write of it has just ended, and
// it wants the next piece, which is too long to be kept.
TEST_F(ReplayTest, ATryThatIsOverTakesNothingFromTheNext) {
  AtHand body({"1234", "5678", "9"});
  with(body, 4, [](Replay& replay, Request& request) -> Task<> {
    Request& first = another(request, request.record);
    replay.begin(first);
    EXPECT_EQ(first.body->ready(), "1234");
    std::string late = "none";
    first.background->start([&]() -> Task<> {
      (void)co_await sleep_for(1h);  // called off by the end of the try
      EXPECT_EQ(first.body->ready(), "");
      late = co_await read_all(*first.body);
    });
    EXPECT_FALSE(replay.lost());
    EXPECT_TRUE(co_await replay.end());
    EXPECT_EQ(late, "!");
    Request& second = another(request, request.record);
    replay.begin(second);
    EXPECT_EQ(co_await read_all(*second.body), "123456789");
    EXPECT_TRUE(replay.lost());
  });
}

// The read of the client goes on over the end of a try, and its piece is the next one's.
TEST_F(ReplayTest, APieceThatComesBetweenTwoTriesIsNotLost) {
  Trickle body({"abc", "def"}, 10ms);
  with(body, 100, [&](Replay& replay, Request& request) -> Task<> {
    Request& first = another(request, request.record);
    replay.begin(first);
    first.background->start([&]() -> Task<> { (void)co_await read_all(*first.body); });
    (void)co_await sleep_for(5ms);
    EXPECT_TRUE(co_await replay.end());
    (void)co_await sleep_for(20ms);
    Request& second = another(request, request.record);
    replay.begin(second);
    EXPECT_EQ(co_await read_all(*second.body), "abcdef");
    EXPECT_EQ(body.reads, 2);
  });
}

}  // namespace
}  // namespace banyan
