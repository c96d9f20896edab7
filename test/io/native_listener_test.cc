// Listeners of the kernel: who may have an address, and how one closes without a client lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "io/native_engine.h"
#include "task/combine.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class NativeListenerTest : public testing::TestWithParam<EngineChoice> {
 protected:
  NativeListenerTest() {
    char name[] = "/tmp/banyan-io-XXXXXX";
    CHECK(::mkdtemp(name) != nullptr);
    folder = name;
  }
  ~NativeListenerTest() override { std::filesystem::remove_all(folder); }

  template <class Make>
  void run(Make make) {
    run_root(make).start(
        context, [](void* self) { static_cast<NativeListenerTest*>(self)->loop.stop(); }, this);
    loop.run();
  }
  Address path() const { return *parse_address("unix:" + folder + "/s"); }
  ListenerPtr open(const Address& at, ListenOptions options = {}) {
    auto listener = engine.listen(at, options);
    EXPECT_TRUE(listener.has_value()) << (listener ? "" : listener.error().what);
    return listener ? std::move(*listener) : nullptr;
  }

  static Task<Result<>> accepted(Listener& listener) {
    auto client = co_await listener.accept();
    if (!client) co_return std::unexpected(client.error());
    co_return Result<>{};
  }

  std::string folder;
  std::unique_ptr<NativeEngine> made = make_native_engine(GetParam());
  NativeEngine& engine = *made;
  Loop loop{engine, 1};
  Cancel root;
  Context context{loop, root, never};
  const Address any = *parse_address("127.0.0.1:0");
};
INSTANTIATE_TEST_SUITE_P(Engines, NativeListenerTest,
                         testing::Values(EngineChoice::epoll, EngineChoice::automatic));

TEST_P(NativeListenerTest, AnExclusiveAddressIsRefusedWhenAnotherHasIt) {
  const ListenOptions exclusive{.exclusive = true};
  const auto first = open(any, exclusive);
  const auto second = engine.listen(first->local(), exclusive);
  ASSERT_FALSE(second.has_value());
  EXPECT_STREQ(second.error().what, "the address is in use");
}

TEST_P(NativeListenerTest, AnAddressThatIsSharedIsNotExclusive) {
  const auto shared = open(any);
  EXPECT_FALSE(engine.listen(shared->local(), {.exclusive = true}).has_value());
  EXPECT_TRUE(engine.listen(shared->local(), {}).has_value());
}

// The first worker asks alone, the others join it: the kernel spreads clients over all.
TEST_P(NativeListenerTest, OthersJoinTheExclusiveOne) {
  run([&]() -> Task<> {
    const auto first = open(any, {.exclusive = true});
    const auto second = open(first->local());
    std::vector<StreamPtr> clients;
    bool both[2] = {};
    for (int i = 0; i < 64; ++i) {
      auto client = co_await engine.connect(first->local());
      EXPECT_TRUE(client.has_value());
      if (client) clients.push_back(std::move(*client));
    }
    for (size_t i = 0; i < 2; ++i) {
      const auto taken = co_await within{5s, accepted(i == 0 ? *first : *second)};
      both[i] = taken.has_value();
    }
    EXPECT_TRUE(both[0] && both[1]);
  });
}

TEST_P(NativeListenerTest, ClientsThatTheKernelHasAreStillAcceptedAndNoNewOnesCome) {
  run([&]() -> Task<> {
    auto listener = open(any);
    const Address at = listener->local();
    const auto early = co_await engine.connect(at);
    EXPECT_TRUE(early.has_value());
    listener->turn_away();
    const auto late = co_await engine.connect(at, loop.now() + 50ms);
    EXPECT_FALSE(late.has_value());
    if (!late) EXPECT_EQ(late.error().code, Code::timeout) << "not refused: it may ask again";
    EXPECT_TRUE((co_await listener->accept()).has_value());
    listener.reset();
    const auto after = co_await engine.connect(at);
    EXPECT_FALSE(after.has_value());
    if (!after) EXPECT_STREQ(after.error().what, "the endpoint refused the connection");
  });
}

TEST_P(NativeListenerTest, TheOtherListenersOfAPortGoOn) {
  run([&]() -> Task<> {
    auto leaving = open(any);
    const auto staying = open(leaving->local());
    leaving->turn_away();
    leaving.reset();
    for (int i = 0; i < 16; ++i)
      EXPECT_TRUE((co_await engine.connect(staying->local(), loop.now() + 5s)).has_value());
  });
}

TEST_P(NativeListenerTest, APathIsTakenAwayBeforeItsLastClientsAreAccepted) {
  run([&]() -> Task<> {
    auto listener = open(path());
    const auto early = co_await engine.connect(listener->local());
    EXPECT_TRUE(early.has_value());
    listener->turn_away();
    EXPECT_FALSE(std::filesystem::exists(folder + "/s"));
    EXPECT_FALSE((co_await engine.connect(path())).has_value());
    EXPECT_TRUE((co_await listener->accept()).has_value());
  });
}

TEST_P(NativeListenerTest, APathThatIsAnothersByNowStays) {
  const auto old = open(path());
  std::filesystem::rename(folder + "/s", folder + "/kept");
  const auto fresh = open(path());
  old->turn_away();
  EXPECT_TRUE(std::filesystem::exists(folder + "/s"));
  fresh->turn_away();
  EXPECT_FALSE(std::filesystem::exists(folder + "/s"));
}

// A name in the kernel is no file, whatever lies in the folder we run in.
TEST_P(NativeListenerTest, AnAbstractNameTakesNoFileAway) {
  const std::string name = "@banyan-" + std::filesystem::path(folder).filename().string();
  const auto listener = open(*parse_address("unix:" + name));
  const int file = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  listener->turn_away();
  EXPECT_TRUE(std::filesystem::exists(name));
  ::close(file);
  std::filesystem::remove(name);
}

}  // namespace
}  // namespace banyan
