#include <gtest/gtest.h>

#include "io/native_under_test.h"
#include "io/uring.h"

namespace banyan {
namespace {

// Where everything is short: each burst fills the rings, and finds no block.
struct Cramped {
  static constexpr UringBounds bounds{.submissions = 2, .completions = 4, .buffers = 2};
  static std::unique_ptr<NativeEngine> make() {
    if (!UringEngine::available()) return make_native_engine(EngineChoice::epoll);
    return std::make_unique<UringEngine>(bounds);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Uring, EngineContract,
                               NativeKinds<Standard<EngineChoice::automatic>>);
INSTANTIATE_TYPED_TEST_SUITE_P(CrampedUring, EngineContract, NativeKinds<Cramped>);

class UringEngineTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!UringEngine::available()) GTEST_SKIP() << "the kernel has no io_uring for us";
    engine.emplace(UringBounds{.linger = 30ms});
    loop.emplace(*engine, 1);
  }
  template <class Make>
  void run(Make make) {
    Context context{*loop, root, never};
    run_root(make).start(
        context, [](void* self) { static_cast<UringEngineTest*>(self)->loop->stop(); }, this);
    loop->run();
  }
  Task<StreamPair> pair() {
    auto listener = engine->listen(*parse_address("127.0.0.1:0"), {});
    auto client = co_await engine->connect((*listener)->local());
    auto server = co_await (*listener)->accept();
    CHECK(client.has_value() && server.has_value());
    co_return StreamPair{std::move(*client), std::move(*server)};
  }
  static Task<Result<>> send(Stream& to, std::string_view what, Time deadline = never) {
    const Bytes piece[] = {what};
    co_return co_await to.write(piece, deadline);
  }
  // From now on a receive is armed, so that small writes do not wait.
  Task<> arm(Stream& stream) {
    EXPECT_FALSE((co_await stream.readable(after(loop->now(), 1ms))).has_value());
  }
  // Small writes until one has to wait. How many did not.
  Task<size_t> fill(Stream& stream) {
    size_t done = 0;
    while (co_await send(stream, text, after(loop->now(), 20ms))) ++done;
    co_return done;
  }
  static Task<size_t> count(Stream& from) {
    std::string buffer(100'000, '\0');
    for (size_t total = 0;;) {
      const auto n = co_await from.read(buffer);
      if (!n || *n == 0) co_return total;
      total += *n;
    }
  }

  const std::string text = std::string(UringEngine::send_bytes, 'x');
  std::optional<UringEngine> engine;
  std::optional<Loop> loop;
  Cancel root;
};

TEST_F(UringEngineTest, ASmallWriteIsDoneWhenItIsInTheBlock) {
  run([&]() -> Task<> {
    auto p = co_await pair();
    co_await arm(*p.client);
    const Time before = loop->now();
    EXPECT_TRUE(co_await send(*p.client, "x"));
    EXPECT_EQ(loop->now(), before) << "not even a turn";
    char buffer[4];
    EXPECT_EQ((co_await p.server->read(buffer)).value_or(0), 1u);
  });
}

TEST_F(UringEngineTest, WhatWasWrittenArrivesAlthoughTheStreamIsClosed) {
  run([&]() -> Task<> {
    auto p = co_await pair();
    co_await arm(*p.client);
    const size_t done = co_await fill(*p.client);
    EXPECT_GT(done, 10u);
    p.client.reset();
    EXPECT_GE(co_await count(*p.server), text.size() * done);
  });
}

TEST_F(UringEngineTest, APeerThatTakesNothingIsWaitedForOnlyAWhile) {
  run([&]() -> Task<> {
    auto p = co_await pair();
    co_await arm(*p.client);
    (void)co_await fill(*p.client);
    p.client.reset();
    EXPECT_TRUE(engine->lingering());
    EXPECT_TRUE(co_await sleep_for(200ms));
    EXPECT_FALSE(engine->lingering());
  });
}

TEST_F(UringEngineTest, AnAbortedStreamIsNotWaitedFor) {
  run([&]() -> Task<> {
    auto p = co_await pair();
    co_await arm(*p.client);
    (void)co_await fill(*p.client);
    p.client->abort();
    p.client.reset();
    // The peer has read nothing yet, so nothing else can end it.
    for (int i = 0; i < 5000 && engine->lingering(); ++i) EXPECT_TRUE(co_await sleep_for(1ms));
    EXPECT_FALSE(engine->lingering());
    std::string buffer(100'000, '\0');
    Result<size_t> n = 1;
    while (n && *n > 0) n = co_await p.server->read(buffer);
    EXPECT_FALSE(n.has_value()) << "a reset is no orderly end";
  });
}

TEST_F(UringEngineTest, TheEndFollowsWhatWasWritten) {
  run([&]() -> Task<> {
    auto p = co_await pair();
    co_await arm(*p.client);
    EXPECT_TRUE(co_await send(*p.client, "last words"));
    p.client->shutdown_write();
    EXPECT_EQ((co_await send(*p.client, "one more")).error().code, Code::reset);
    EXPECT_EQ(co_await count(*p.server), 10u);
  });
}

// A flood that nobody reads stays with the kernel, but for what was on its way.
TEST_F(UringEngineTest, WhatNobodyReadsIsLeftToTheKernel) {
  run([&]() -> Task<> {
    auto p = co_await pair();
    co_await arm(*p.server);
    const std::string flood = pattern(8 * 1024 * 1024);
    EXPECT_FALSE(co_await send(*p.client, flood, after(loop->now(), 50ms)))
        << "all of it was taken, though nobody read";
    const size_t most = 512 * 1024;
    std::string got(most * 2, '\0');
    const size_t here = (co_await p.server->read(got)).value_or(0);
    EXPECT_GT(here, 0u);
    EXPECT_LE(here, most);
    EXPECT_EQ(got.substr(0, here), flood.substr(0, here));
  });
}

}  // namespace
}  // namespace banyan
