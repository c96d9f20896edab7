#include "io/buffer.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

namespace banyan {

namespace {

constexpr size_t classes = 7;  // 16 KiB .. 1 MiB
constexpr size_t keep_bytes = 4 * 1024 * 1024;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BANYAN_POOL_BUFFERS 0
#endif
#endif
#ifndef BANYAN_POOL_BUFFERS
#define BANYAN_POOL_BUFFERS 1
#endif

struct FreeBlocks {
  void* head[classes] = {};
  size_t count[classes] = {};
  ~FreeBlocks() {
    for (void*& list : head)
      while (list != nullptr) std::free(std::exchange(list, *static_cast<void**>(list)));
  }
};
thread_local FreeBlocks free_blocks;
thread_local size_t held = 0;

size_t class_of(size_t bytes) {
  return bytes <= Buffer::small_bytes
             ? 0
             : static_cast<size_t>(std::bit_width(bytes - 1) -
                                   std::bit_width(Buffer::small_bytes - 1));
}

char* take(size_t bytes) {
  const size_t c = class_of(bytes);
  held += Buffer::small_bytes << c;
  if (void* block = free_blocks.head[c]) {
    free_blocks.head[c] = *static_cast<void**>(block);
    --free_blocks.count[c];
    return static_cast<char*>(block);
  }
  void* block = std::malloc(Buffer::small_bytes << c);
  if (block == nullptr) throw std::bad_alloc();
  return static_cast<char*>(block);
}

void give(char* block, size_t bytes) {
  const size_t c = class_of(bytes);
  held -= bytes;
  if (BANYAN_POOL_BUFFERS == 0 || (free_blocks.count[c] + 1) * bytes > keep_bytes) {
    std::free(block);
    return;
  }
  *reinterpret_cast<void**>(block) = free_blocks.head[c];
  free_blocks.head[c] = block;
  ++free_blocks.count[c];
}

}  // namespace

std::span<char> Buffer::space(size_t want) {
  if (block_ == nullptr) {
    const size_t bytes = small_bytes << class_of(want < max_bytes ? want : max_bytes);
    block_ = take(bytes);
    capacity_ = static_cast<uint32_t>(bytes);
  }
  if (empty()) begin_ = end_ = 0;
  if (end_ == capacity_ && begin_ != 0) {
    std::memmove(block_, block_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {block_ + end_, capacity_ - end_};
}

Bytes Buffer::join(Bytes front, Bytes back) {
  char* const to = block_ + (front.data() - block_) + front.size();
  std::memmove(to, back.data(), back.size());
  return {front.data(), front.size() + back.size()};
}

bool Buffer::grow() {
  if (capacity_ >= max_bytes) return false;
  const size_t bytes = capacity_ == 0 ? small_bytes : size_t{capacity_} * 2;
  char* larger = take(bytes);
  const uint32_t kept = end_ - begin_;
  if (kept != 0) std::memcpy(larger, block_ + begin_, kept);
  if (block_ != nullptr) give(block_, capacity_);
  block_ = larger;
  capacity_ = static_cast<uint32_t>(bytes);
  begin_ = 0;
  end_ = kept;
  return true;
}

size_t Buffer::held_bytes() { return held; }

void Buffer::release() {
  if (block_ != nullptr) give(block_, capacity_);
  block_ = nullptr;
  capacity_ = begin_ = end_ = 0;
}

}  // namespace banyan
