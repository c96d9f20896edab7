#include "patterns/ambassador/deadline_memory.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr Time start{1'000'000s};
constexpr TraceId a{.high = 1, .low = 2}, b{.high = 2, .low = 1};

TEST(DeadlineMemory, NothingIsKnownAtFirst) {
  const DeadlineMemory memory;
  EXPECT_EQ(memory.find(a, start), never);
}

TEST(DeadlineMemory, ATraceHasItsDeadline) {
  DeadlineMemory memory;
  memory.remember(a, start + 1s, start);
  memory.remember(b, start + 2s, start);
  EXPECT_EQ(memory.find(a, start), start + 1s);
  EXPECT_EQ(memory.find(b, start), start + 2s);
  EXPECT_EQ(memory.find({.high = 1, .low = 1}, start), never);
}

TEST(DeadlineMemory, TheLaterOfTwoHolds) {
  DeadlineMemory memory;
  memory.remember(a, start + 2s, start);
  memory.remember(a, start + 1s, start);
  EXPECT_EQ(memory.find(a, start), start + 2s);
  memory.remember(a, start + 3s, start);
  EXPECT_EQ(memory.find(a, start), start + 3s);
}

TEST(DeadlineMemory, ACallerWithoutDeadlineIsTheLatestOfAll) {
  DeadlineMemory memory;
  memory.remember(a, never, start);
  EXPECT_EQ(memory.find(a, start), never);
  memory.remember(a, start + 2s, start);
  memory.remember(a, never, start);
  EXPECT_EQ(memory.find(a, start), never);
}

TEST(DeadlineMemory, ItIsForgottenAWhileAfterItHasPassed) {
  DeadlineMemory memory;
  memory.remember(a, start + 1s, start);
  EXPECT_EQ(memory.find(a, start + 1s), start + 1s);
  EXPECT_EQ(memory.find(a, start + 1s + DeadlineMemory::linger - 1ns), start + 1s);
  EXPECT_EQ(memory.find(a, start + 1s + DeadlineMemory::linger), never);
  // And what has passed does not hold back a new one.
  memory.remember(a, start + 500ms, start + 1min);
  EXPECT_EQ(memory.find(a, start + 2s), start + 500ms);
}

// All of one set: they differ in nothing that the set is chosen by.
TraceId same_set(uint64_t i) { return {.high = i << 32, .low = i << 32}; }

TEST(DeadlineMemory, AFullSetForgetsWhatEndsFirst) {
  DeadlineMemory memory;
  for (uint64_t i = 1; i <= 8; ++i)
    memory.remember(same_set(i), start + std::chrono::seconds(10 + (i * 5) % 8), start);
  // 16 s are i = 6 (30 % 8) + 10; the least is i = 8: 10 s.
  memory.remember(same_set(9), start + 1s, start);
  EXPECT_EQ(memory.find(same_set(9), start), start + 1s);
  EXPECT_EQ(memory.find(same_set(8), start), never);
  for (uint64_t i = 1; i <= 7; ++i) EXPECT_NE(memory.find(same_set(i), start), never) << i;
  memory.remember(same_set(10), start + 2s, start);
  EXPECT_EQ(memory.find(same_set(9), start), never);
}

TEST(DeadlineMemory, ForgottenEntriesAreUsedFirst) {
  DeadlineMemory memory;
  for (uint64_t i = 1; i <= 8; ++i) memory.remember(same_set(i), start + 1h, start);
  memory.remember(same_set(4), never, start);
  memory.remember(same_set(9), start + 1h, start);
  for (uint64_t i = 1; i <= 9; ++i)
    EXPECT_EQ(memory.find(same_set(i), start), i == 4 ? never : start + 1h) << i;
}

TEST(DeadlineMemory, AFloodStaysWithinTheBound) {
  DeadlineMemory memory;
  uint64_t known = 0;
  constexpr uint64_t flood = 4 * DeadlineMemory::entries;
  for (uint64_t i = 1; i <= flood; ++i) memory.remember({.low = i}, start + 1h, start);
  for (uint64_t i = 1; i <= flood; ++i) known += memory.find({.low = i}, start) != never;
  EXPECT_LE(known, DeadlineMemory::entries);
  EXPECT_GT(known, DeadlineMemory::entries / 2) << "ids that count are spread over the sets";
}

TEST(DeadlineMemory, WorkersShareIt) {
  DeadlineMemory memory;
  {
    std::vector<std::jthread> threads;
    for (uint64_t w = 100; w < 104; ++w)
      threads.emplace_back([&, w] {
        for (uint64_t i = 1; i <= 500; ++i) {
          memory.remember({.high = w, .low = i}, start + std::chrono::seconds(i), start);
          memory.remember(a, start + std::chrono::seconds(1000 + i), start);
          EXPECT_EQ(memory.find({.high = w, .low = i}, start), start + std::chrono::seconds(i));
        }
      });
  }
  EXPECT_EQ(memory.find(a, start), start + 1500s);
}

}  // namespace
}  // namespace banyan
