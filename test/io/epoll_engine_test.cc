#include <sys/socket.h>

#include "io/epoll.h"
#include "io/native_under_test.h"
#include "io/socket.h"

namespace banyan {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Epoll, EngineContract, NativeKinds<Standard<EngineChoice::epoll>>);

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
