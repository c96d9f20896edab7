#include "task/frames.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "task/time.h"

namespace banyan {
namespace {

TEST(FramePool, CountsWhatIsAlive) {
  const auto before = frames.live();
  std::vector<std::pair<void*, size_t>> held;
  for (const size_t bytes : {1u, 31u, 32u, 33u, 4095u, 4096u, 4097u, 100'000u}) {
    held.emplace_back(frames.get(bytes), bytes);
    std::memset(held.back().first, 0x5a, bytes);  // all of it is ours (the sanitizer would tell)
  }
  EXPECT_EQ(frames.live(), before + 8);
  for (auto [frame, bytes] : held) frames.put(frame, bytes);
  EXPECT_EQ(frames.live(), before);
}

TEST(FramePool, GivesFramesThatDoNotOverlap) {
  std::vector<char*> held;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) {
      held.push_back(static_cast<char*>(frames.get(200)));
      std::memset(held.back(), i, 200);
    }
    for (int i = 0; i < 100; ++i)
      for (int at = 0; at < 200; ++at) ASSERT_EQ(held[static_cast<size_t>(i)][at], i);
    for (char* frame : held) frames.put(frame, 200);
    held.clear();
  }
}

TEST(FramePool, EachThreadHasItsOwn) {
  void* frame = frames.get(64);
  const auto here = frames.live();
  int64_t there = -1;
  std::thread other([&] {
    void* mine = frames.get(64);
    there = frames.live();
    frames.put(mine, 64);
  });
  other.join();
  EXPECT_EQ(there, 1);
  EXPECT_EQ(frames.live(), here);
  frames.put(frame, 64);
}

#if !__has_feature(address_sanitizer)
TEST(FramePool, ASteadyLoadAllocatesNothing) {
  frames.put(frames.get(500), 500);
  const auto fresh = frames.fresh();
  for (int i = 0; i < 1000; ++i) frames.put(frames.get(500), 500);
  EXPECT_EQ(frames.fresh(), fresh);
}
#endif

TEST(Pooled, ObjectsComeFromThePool) {
  struct Thing : Pooled {
    char bytes[100];
  };
  const auto before = frames.live();
  auto* thing = new Thing;
  EXPECT_EQ(frames.live(), before + 1);
  delete thing;
  EXPECT_EQ(frames.live(), before);
}

TEST(Time, AfterStopsAtNever) {
  using namespace std::chrono_literals;
  const Time t{5s};
  static_assert(after(Time{}, Duration::max()) == never);
  EXPECT_EQ(after(t, 3s), Time{8s});
  EXPECT_EQ(after(t, Duration::max()), never);
  EXPECT_EQ(after(never, 1ns), never);
  EXPECT_EQ(after(never, 0ns), never);
  EXPECT_EQ(after(t, -2s), Time{3s});
}

}  // namespace
}  // namespace banyan
