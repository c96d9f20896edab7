// LineQueue: lines of text from one thread to another, without locks and without waiting: when it
// is full, a line is dropped and counted. Owner: the log writer. Thread: push() is one thread's,
// peek(), take() and drop_all() are one other's, the counts are anybody's. Memory is what is
// waiting: chunks of 64 KiB that the one thread makes and the other frees; one is always there, and
// of it only the pages in use cost anything.
// Bound: `limit_bytes` (rounded down to chunks, at least two).
#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/counter.h"

namespace banyan {

class LineQueue {
 public:
  static constexpr size_t chunk_bytes = 64 * 1024;
  static constexpr size_t line_max = chunk_bytes - 64;  // a longer line is dropped

  explicit LineQueue(size_t limit_bytes);
  LineQueue(const LineQueue&) = delete;
  LineQueue& operator=(const LineQueue&) = delete;
  ~LineQueue();

  enum class Push : uint8_t {
    kept,
    filled,  // kept, and a chunk is full behind it: time to wake the reader
    dropped,
  };
  // The line with its '\n'. The bytes are copied.
  Push push(std::string_view line);

  // Whole lines from the front on, as they lie together; empty: there are none now. Valid until
  // take().
  std::string_view peek();
  // Removes bytes from the front of what peek() gave; not necessarily whole lines.
  void take(size_t bytes) { read_ += bytes; }
  // Removes all that is there and counts its lines as dropped.
  void drop_all();

  uint64_t dropped() const { return not_pushed_.value() + not_taken_.value(); }

 private:
  struct Chunk {
    std::atomic<size_t> filled{0};
    std::atomic<Chunk*> next{nullptr};
    char bytes[chunk_bytes - 2 * sizeof(void*)];
  };
  static_assert(sizeof(Chunk::bytes) >= line_max);

  const size_t chunks_max_;
  std::atomic<size_t> chunks_{1};
  // The pushing thread's. Apart from the other's, so that they do not share a cache line.
  alignas(64) Chunk* writing_;
  Counter not_pushed_;
  // The taking thread's.
  alignas(64) Chunk* reading_;
  size_t read_ = 0;
  Counter not_taken_;
};

}  // namespace banyan
