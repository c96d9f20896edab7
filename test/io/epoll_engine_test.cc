#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "io/engine_contract.h"
#include "io/epoll.h"
#include "io/socket.h"

namespace banyan {
namespace {

struct EpollTcp {
  EpollEngine engine;
  Loop loop{engine, 7};
  static constexpr bool distant = true;

  Address listen_at() const { return *parse_address("127.0.0.1:0"); }
  // Bound and closed again: nobody listens there now.
  Address nobody() {
    auto listener = engine.listen(listen_at(), {.reuse_port = false});
    return (*listener)->local();
  }
  // A listener whose queue is full: the kernel drops what more comes.
  Task<Address> unanswered() {
    auto listener = engine.listen(listen_at(), {.backlog = 0});
    full_ = std::move(*listener);
    for (int i = 0; i < 8; ++i) {
      auto filler = co_await engine.connect(full_->local(), loop.now() + 50ms);
      if (!filler) break;
      fillers_.push_back(std::move(*filler));
    }
    co_return full_->local();
  }
  void end_unanswered() {
    fillers_.clear();
    full_.reset();
  }

 private:
  ListenerPtr full_;
  std::vector<StreamPtr> fillers_;
};

struct EpollTcp6 : EpollTcp {
  Address listen_at() const { return *parse_address("[::1]:0"); }
};

// A folder of its own, gone with the test.
struct Folder {
  Folder() {
    char name[] = "/tmp/banyan-io-XXXXXX";
    CHECK(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Address socket(const std::string& name) const {
    return *parse_address("unix:" + path + "/" + name);
  }
  std::string path;
};

struct EpollUnix {
  Folder folder;
  EpollEngine engine;
  Loop loop{engine, 7};
  int made = 0;
  static constexpr bool distant = false;  // a full queue refuses at once

  Address listen_at() { return folder.socket(std::to_string(++made)); }
  Address nobody() const { return folder.socket("nobody"); }
  Task<Address> unanswered() { return crowded(listen_at()); }
  // A listener at `at` whose queue is full.
  Task<Address> crowded(Address at) {
    full_ = std::move(*engine.listen(at, {.backlog = 0}));
    for (;;) {
      auto filler = co_await engine.connect(at);
      if (!filler) break;
      fillers_.push_back(std::move(*filler));
      CHECK(fillers_.size() < 100);
    }
    co_return at;
  }
  void end_unanswered() {
    fillers_.clear();
    full_.reset();
  }

 private:
  ListenerPtr full_;
  std::vector<StreamPtr> fillers_;
};

struct EpollAbstract : EpollUnix {
  Task<Address> unanswered() { return crowded(listen_at()); }
  Address listen_at() { return *parse_address(fmt_name(++made)); }
  std::string fmt_name(int n) const {
    return "unix:@banyan-" + std::to_string(::getpid()) + "-" + std::to_string(n);
  }
};

using Real = testing::Types<EpollTcp, EpollTcp6, EpollUnix, EpollAbstract>;
INSTANTIATE_TYPED_TEST_SUITE_P(Epoll, EngineContract, Real);

TEST(EpollEngine, RemovesAStaleSocketFile) {
  Folder folder;
  EpollEngine engine;
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

TEST(EpollEngine, KeepsALiveSocketFile) {
  Folder folder;
  EpollEngine engine;
  const Address at = folder.socket("live");
  auto first = engine.listen(at, {});
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(engine.listen(at, {}).has_value());
  struct stat info;
  EXPECT_EQ(::lstat(at.path.c_str(), &info), 0);
}

// The one who asks must not wait for a place in the queue, nor take the file for stale because
// there is none.
TEST(EpollEngine, KeepsALiveSocketFileWhoseQueueIsFull) {
  Folder folder;
  EpollEngine engine;
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

TEST(EpollEngine, KeepsAFileThatIsNoListeningStream) {
  Folder folder;
  EpollEngine engine;
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

TEST(EpollEngine, SaysWhyItCannotListen) {
  Folder folder;
  EpollEngine engine;
  const auto missing = engine.listen(folder.socket("no/such/folder"), {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_STREQ(missing.error().what, "the folder of the socket does not exist");
  const auto foreign = engine.listen(*parse_address("192.0.2.1:0"), {});
  ASSERT_FALSE(foreign.has_value());
  EXPECT_STREQ(foreign.error().what, "no interface has this address");
}

TEST(EpollEngine, AnAddressOfNoFamilyIsNobody) {
  EpollTcp under;
  EXPECT_FALSE(under.engine.listen(Address{}, {}).has_value());
}

TEST(EpollEngine, AbstractNamesAreKnownToTheListener) {
  EpollAbstract under;
  const Address at = under.listen_at();
  auto listener = under.engine.listen(at, {});
  ASSERT_TRUE(listener.has_value());
  EXPECT_EQ(to_string((*listener)->local()), to_string(at));
}

TEST(EpollEngine, WakeFromAnotherThreadEndsAWait) {
  EpollEngine engine;
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

TEST(EpollEngine, MessagesOfManyThreadsRunOnceEach) {
  EpollEngine engine;
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

TEST(EpollEngine, ALateTimerIsNotEarly) {
  EpollEngine engine;
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

// The kernel may refuse to watch a descriptor: then the wait ends with an error instead of never.
TEST(EpollEngine, ASocketThatCannotBeWatchedFails) {
  struct Deaf final : Pollable {
    void on_events(uint32_t) override {}
  } deaf;
  EpollEngine engine;
  Loop loop(engine, 1);
  Cancel root;
  Context context{loop, root, never};
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  // Already in the set for another: adding it again fails, as it does when the kernel's limit is
  // reached.
  ASSERT_TRUE(engine.add(ends[0], 0, deaf).has_value());
  auto scenario = [&]() -> Task<> {
    Socket socket(engine, ends[0], Side::client, {});
    char buffer[4];
    const auto n = co_await socket.read(buffer, loop.now() + 1s);
    EXPECT_FALSE(n.has_value());
    if (!n) EXPECT_EQ(n.error().code, Code::overloaded);
    loop.stop();
  };
  run_root([&] { return scenario(); }).start(context);
  loop.run();
  ::close(ends[1]);
}

}  // namespace
}  // namespace banyan
