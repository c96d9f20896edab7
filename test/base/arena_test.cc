#include "base/arena.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace banyan {
namespace {

TEST(ArenaTest, EveryPieceIsAlignedAndItsOwn) {
  std::mt19937_64 random(5);
  Arena arena;
  std::vector<std::pair<unsigned char*, size_t>> pieces;
  for (size_t i = 0; i < 2000; ++i) {
    const size_t bytes = 1 + random() % (i % 100 == 0 ? 3 * Arena::block_bytes : 100);
    const size_t align = size_t{1} << random() % 7;
    auto* at = static_cast<unsigned char*>(arena.allocate(bytes, align));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(at) % align, 0u);
    std::memset(at, static_cast<int>(i % 251), bytes);
    pieces.emplace_back(at, bytes);
  }
  for (size_t i = 0; i < pieces.size(); ++i)
    for (size_t k = 0; k < pieces[i].second; ++k) ASSERT_EQ(pieces[i].first[k], i % 251);
}

TEST(ArenaTest, CopiesOutliveWhatTheyAreOf) {
  Arena arena;
  std::string text = "a text that is longer than a small string";
  const std::string_view copy = arena.copy(text);
  text.assign(text.size(), 'x');
  EXPECT_EQ(copy, "a text that is longer than a small string");
  EXPECT_EQ(arena.copy({}), "");
  const std::string large(10 * Arena::block_bytes, 'y');
  EXPECT_EQ(arena.copy(large), large);
  EXPECT_EQ(copy, "a text that is longer than a small string");
}

TEST(ArenaTest, ObjectsAreMadeFromTheirMembers) {
  struct Pair {
    int a;
    double b;
  };
  Arena arena;
  const Pair* pair = arena.make<Pair>(7, 2.5);
  EXPECT_EQ(pair->a, 7);
  EXPECT_EQ(pair->b, 2.5);
  auto* numbers = arena.array<uint64_t>(1000);
  for (uint64_t i = 0; i < 1000; ++i) numbers[i] = i;
  EXPECT_EQ(numbers[999], 999u);
  EXPECT_EQ(pair->a, 7);
}

// In the steady state no memory is asked for: the next exchange gets the blocks of the last.
TEST(ArenaTest, BlocksAreUsedAgain) {
  void* first = nullptr;
  {
    Arena arena;
    first = arena.allocate(10);
  }
  Arena next;
  EXPECT_EQ(next.allocate(10), first);
}

TEST(ArenaTest, ClearedItBeginsAnew) {
  Arena arena;
  void* first = arena.allocate(10);
  arena.clear();
  EXPECT_EQ(arena.allocate(10), first);
  arena.clear();
  arena.clear();
}

}  // namespace
}  // namespace banyan
