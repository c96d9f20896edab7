// Buffer: a block of memory for bytes read from a stream, taken from a per-thread pool and given
// back when the last byte is consumed. An idle connection holds none. Owner: a connection. Thread:
// one. Bytes stay where they are until consume() empties it, or grow(). Sizes: 16 KiB, and larger
// ones in powers of two up to 1 MiB; each size keeps at most 4 MiB for reuse. Under the address
// sanitizer nothing is pooled, so a use after release is seen.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/text.h"

namespace banyan {

class Buffer {
 public:
  static constexpr size_t small_bytes = 16 * 1024;
  static constexpr size_t max_bytes = 1024 * 1024;

  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() { release(); }

  Bytes data() const { return {block_ + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  bool full() const { return end_ == capacity_ && begin_ == 0 && capacity_ != 0; }
  size_t capacity() const { return capacity_; }

  // Where to read into. Takes a block of at least `want` bytes when there is none; moves what is
  // left to the front when the end is reached. Empty when the block is full: grow(), or consume
  // first.
  std::span<char> space(size_t want = small_bytes);
  // `n` bytes were read into space().
  void added(size_t n) { end_ += static_cast<uint32_t>(n); }
  // The first n bytes are done with. Views of the rest stay valid.
  void consume(size_t n) { begin_ += static_cast<uint32_t>(n); }
  // Moves `back` down to stand right behind `front`. Both were consumed, in this order, and nothing
  // was read since. Gives the two as one.
  Bytes join(Bytes front, Bytes back);
  // Gives the block back if it holds nothing.
  void release_if_empty() {
    if (empty()) release();
  }
  // A block of twice the size with the same bytes. False at the greatest size.
  bool grow();
  void release();
  // Of all buffers of this thread, what is in use now.
  static size_t held_bytes();

 private:
  void swap(Buffer& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
  }
  char* block_ = nullptr;
  uint32_t capacity_ = 0;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
};

}  // namespace banyan
