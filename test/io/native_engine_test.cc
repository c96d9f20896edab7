// What holds for all engines over the kernel's sockets, and no simulated one.
#include "io/native_engine.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <thread>

#include "io/native_under_test.h"

namespace banyan {
namespace {

class NativeEngineTest : public testing::TestWithParam<EngineChoice> {
 protected:
  std::unique_ptr<NativeEngine> made = make_native_engine(GetParam());
  NativeEngine& engine = *made;
};
INSTANTIATE_TEST_SUITE_P(Engines, NativeEngineTest,
                         testing::Values(EngineChoice::epoll, EngineChoice::automatic));

TEST_P(NativeEngineTest, RemovesAStaleSocketFile) {
  Folder folder;
  const Address at = folder.socket("stale");
  {
    auto first = engine.listen(at, {});
    ASSERT_TRUE(first.has_value());
  }
  // The file outlives its listener, as it does after a crash.
  struct stat info;
  ASSERT_EQ(::lstat(at.path.c_str(), &info), 0);
  EXPECT_TRUE(engine.listen(at, {}).has_value());
}

TEST_P(NativeEngineTest, KeepsALiveSocketFile) {
  Folder folder;
  const Address at = folder.socket("live");
  auto first = engine.listen(at, {});
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(engine.listen(at, {}).has_value());
  struct stat info;
  EXPECT_EQ(::lstat(at.path.c_str(), &info), 0);
}

// The one who asks must not wait for a place in the queue, nor take the file for stale because
// there is none.
TEST_P(NativeEngineTest, KeepsALiveSocketFileWhoseQueueIsFull) {
  Folder folder;
  const Address at = folder.socket("full");
  auto first = engine.listen(at, {.backlog = 0});
  ASSERT_TRUE(first.has_value());
  sockaddr_storage where;
  unsigned size = 0;
  ASSERT_TRUE(to_sockaddr(at, where, size));
  std::vector<int> fillers;
  for (int error = 0; error == 0 && fillers.size() < 100;) {
    fillers.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    error = ::connect(fillers.back(), reinterpret_cast<sockaddr*>(&where), size);
  }
  EXPECT_LT(fillers.size(), 100u);
  EXPECT_FALSE(engine.listen(at, {}).has_value());
  struct stat info;
  EXPECT_EQ(::lstat(at.path.c_str(), &info), 0);
  for (int f : fillers) ::close(f);
}

TEST_P(NativeEngineTest, KeepsAFileThatIsNoListeningStream) {
  Folder folder;
  const Address at = folder.socket("datagram");
  const int other = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_storage where;
  unsigned size = 0;
  ASSERT_TRUE(to_sockaddr(at, where, size));
  ASSERT_EQ(::bind(other, reinterpret_cast<sockaddr*>(&where), size), 0);
  EXPECT_FALSE(engine.listen(at, {}).has_value());
  struct stat info;
  EXPECT_EQ(::lstat(at.path.c_str(), &info), 0);
  ::close(other);
}

TEST_P(NativeEngineTest, SaysWhyItCannotListen) {
  Folder folder;
  const auto missing = engine.listen(folder.socket("no/such/folder"), {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_STREQ(missing.error().what, "the folder of the socket does not exist");
  const auto foreign = engine.listen(*parse_address("192.0.2.1:0"), {});
  ASSERT_FALSE(foreign.has_value());
  EXPECT_STREQ(foreign.error().what, "no interface has this address");
}

TEST_P(NativeEngineTest, AnAddressOfNoFamilyIsNobody) {
  EXPECT_FALSE(engine.listen(Address{}, {}).has_value());
}

TEST_P(NativeEngineTest, AbstractNamesAreKnownToTheListener) {
  const Address at = *parse_address("unix:@banyan-known-" + std::to_string(::getpid()));
  auto listener = engine.listen(at, {});
  ASSERT_TRUE(listener.has_value());
  EXPECT_EQ(to_string((*listener)->local()), to_string(at));
}

TEST_P(NativeEngineTest, WakeFromAnotherThreadEndsAWait) {
  std::thread other([&] { engine.wake(); });
  EXPECT_TRUE(engine.wait(never));
  engine.dispatch();
  other.join();
  // And one that came before the wait ends it too; afterwards none is left.
  engine.wake();
  EXPECT_TRUE(engine.wait(never));
  engine.dispatch();
  EXPECT_TRUE(engine.wait(Time{}));
}

TEST_P(NativeEngineTest, MessagesOfManyThreadsRunOnceEach) {
  Loop loop(engine, 1);
  constexpr size_t threads = 8, each = 500;
  std::vector<size_t> seen(threads, 0);
  size_t total = 0;
  std::vector<std::thread> senders;
  for (size_t t = 0; t < threads; ++t)
    senders.emplace_back([&, t] {
      for (size_t i = 0; i < each; ++i)
        loop.send([&, t, i] {
          EXPECT_EQ(seen[t], i) << "messages of one thread keep their order";
          ++seen[t];
          if (++total == threads * each) loop.stop();
        });
    });
  loop.run();
  for (auto& s : senders) s.join();
  EXPECT_EQ(total, threads * each);
}

uint32_t segments_received(const Stream& stream) {
  tcp_info info{};
  socklen_t size = sizeof info;
  ::getsockopt(stream.descriptor(), IPPROTO_TCP, TCP_INFO, &info, &size);
  return info.tcpi_segs_in;
}

TEST_P(NativeEngineTest, TheEndGoesInOnePacketWithTheLastBytes) {
  Loop loop(engine, 1);
  Cancel root;
  Context context{loop, root, never};
  auto received = [&](bool last) -> Task<uint32_t> {
    auto listener = engine.listen(*parse_address("127.0.0.1:0"), {});
    auto client = co_await engine.connect((*listener)->local());
    auto server = co_await (*listener)->accept();
    CHECK(client.has_value() && server.has_value());
    const Bytes piece[] = {"bye"};
    EXPECT_TRUE(co_await (*server)->write(piece, never, last));
    server->reset();
    char buffer[8];
    EXPECT_EQ((co_await (*client)->read(buffer)).value_or(0), 3u);
    EXPECT_EQ((co_await (*client)->read(buffer)).value_or(9), 0u);
    co_return segments_received(**client);
  };
  auto both = [&]() -> Task<> {
    const uint32_t apart = co_await received(false);
    EXPECT_EQ(co_await received(true), apart - 1);
    loop.stop();
  };
  run_root([&] { return both(); }).start(context);
  loop.run();
}

TEST_P(NativeEngineTest, ALateTimerIsNotEarly) {
  Loop loop(engine, 1);
  Cancel root;
  Context context{loop, root, never};
  Time asked{}, woke{};
  auto nap = [&]() -> Task<> {
    asked = loop.now() + 1500us;
    EXPECT_TRUE(co_await sleep_until(asked));
    woke = loop.now();
    loop.stop();
  };
  run_root([&] { return nap(); }).start(context);
  loop.run();
  EXPECT_GE(woke, asked);
}

}  // namespace
}  // namespace banyan
