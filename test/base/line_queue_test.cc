#include "base/line_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace banyan {
namespace {

constexpr size_t chunk = LineQueue::chunk_bytes;

std::string read_all(LineQueue& q) {
  std::string all;
  for (auto piece = q.peek(); !piece.empty(); piece = q.peek()) {
    all += piece;
    q.take(piece.size());
  }
  return all;
}

TEST(LineQueueTest, GivesLinesInTheirOrder) {
  LineQueue q(4 * chunk);
  EXPECT_EQ(q.peek(), "");
  EXPECT_EQ(q.push("one\n"), LineQueue::Push::kept);
  EXPECT_EQ(q.push("two\n"), LineQueue::Push::kept);
  EXPECT_EQ(q.peek(), "one\ntwo\n");
  q.take(2);
  EXPECT_EQ(q.peek(), "e\ntwo\n");
  q.push("three\n");
  EXPECT_EQ(read_all(q), "e\ntwo\nthree\n");
  EXPECT_EQ(q.peek(), "");
  EXPECT_EQ(q.dropped(), 0u);
}

TEST(LineQueueTest, EveryPieceEndsWithAWholeLine) {
  LineQueue q(8 * chunk);
  const std::string line = std::string(999, 'x') + "\n";
  size_t wakes = 0;
  for (int i = 0; i < 200; ++i) wakes += q.push(line) == LineQueue::Push::filled;
  EXPECT_EQ(wakes, 3u);  // 65 lines a chunk
  size_t bytes = 0;
  for (auto piece = q.peek(); !piece.empty(); piece = q.peek()) {
    EXPECT_EQ(piece.size() % line.size(), 0u);
    bytes += piece.size();
    q.take(piece.size());
  }
  EXPECT_EQ(bytes, 200 * line.size());
}

TEST(LineQueueTest, DropsAndCountsWhenItIsFullAndTakesAgainWhenThereIsRoom) {
  LineQueue q(2 * chunk);
  const std::string line = std::string(1023, 'x') + "\n";
  size_t kept = 0;
  while (q.push(line) != LineQueue::Push::dropped) ++kept;
  EXPECT_EQ(kept, 2u * 63);  // the head of a chunk takes a little
  EXPECT_EQ(q.dropped(), 1u);
  EXPECT_EQ(q.push(line), LineQueue::Push::dropped);
  EXPECT_EQ(q.dropped(), 2u);
  // What fits into the rest of the last chunk is still taken.
  EXPECT_EQ(q.push("short\n"), LineQueue::Push::kept);
  q.take(q.peek().size());
  q.peek();  // frees the first chunk
  EXPECT_EQ(q.push(line), LineQueue::Push::filled);
  EXPECT_EQ(q.dropped(), 2u);
  EXPECT_EQ(read_all(q).size(), 63 * line.size() + 6 + line.size());
}

TEST(LineQueueTest, ALineThatIsTooLongIsDropped) {
  LineQueue q(4 * chunk);
  EXPECT_EQ(q.push(std::string(LineQueue::line_max + 1, 'x')), LineQueue::Push::dropped);
  EXPECT_EQ(q.push(std::string(LineQueue::line_max, 'x')), LineQueue::Push::kept);
  EXPECT_EQ(q.push(std::string(LineQueue::line_max, 'y')), LineQueue::Push::filled);
  EXPECT_EQ(q.dropped(), 1u);
  EXPECT_EQ(read_all(q).size(), 2 * LineQueue::line_max);
}

TEST(LineQueueTest, WhatIsDroppedByTheReaderIsCountedInLines) {
  LineQueue q(4 * chunk);
  for (int i = 0; i < 100; ++i) q.push(std::string(999, 'x') + "\n");
  q.take(10);  // the rest of that line is a line that is lost
  q.drop_all();
  EXPECT_EQ(q.peek(), "");
  EXPECT_EQ(q.dropped(), 100u);
}

// For the thread sanitizer, and for order: what is not dropped arrives once, in order.
TEST(LineQueueTest, OneThreadWritesWhileAnotherReads) {
  LineQueue q(2 * chunk);
  constexpr uint64_t lines = 200'000;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (uint64_t i = 0; i < lines; ++i) q.push(std::to_string(i) + "\n");
    done = true;
  });
  uint64_t seen = 0;
  int64_t last = -1;
  std::string rest;
  for (bool end = false; !end;) {
    end = done;  // before the last look
    for (auto piece = q.peek(); !piece.empty(); piece = q.peek()) {
      const size_t n = std::min<size_t>(piece.size(), 1000);
      rest += piece.substr(0, n);
      q.take(n);
      for (size_t at; (at = rest.find('\n')) != std::string::npos; rest.erase(0, at + 1)) {
        const auto number = std::stoll(rest.substr(0, at));
        ASSERT_GT(number, last);
        last = number;
        ++seen;
      }
    }
  }
  writer.join();
  EXPECT_EQ(rest, "");
  EXPECT_EQ(seen + q.dropped(), lines);
  EXPECT_GT(seen, 0u);
}

}  // namespace
}  // namespace banyan
