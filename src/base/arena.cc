#include "base/arena.h"

#include <algorithm>
#include <cstdlib>

namespace banyan {

namespace {

// Blocks of the standard size wait here for the next exchange of the same thread.
struct FreeBlocks {
  static constexpr size_t keep_max = 256;  // 1 MiB a thread
  void* head = nullptr;
  size_t count = 0;
  ~FreeBlocks() {
    while (head != nullptr) {
      void* next = *static_cast<void**>(head);
      std::free(head);
      head = next;
    }
  }
};
thread_local FreeBlocks free_blocks;

void* take_block(size_t bytes) {
  if (bytes == Arena::block_bytes && free_blocks.head != nullptr) {
    void* block = free_blocks.head;
    free_blocks.head = *static_cast<void**>(block);
    --free_blocks.count;
    return block;
  }
  void* block = std::malloc(bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void give_block(void* block, size_t bytes) {
  if (bytes != Arena::block_bytes || free_blocks.count >= FreeBlocks::keep_max) {
    std::free(block);
    return;
  }
  *static_cast<void**>(block) = free_blocks.head;
  free_blocks.head = block;
  ++free_blocks.count;
}

}  // namespace

void* Arena::allocate_slow(size_t bytes, size_t align) {
  const size_t need = sizeof(Block) + bytes + align;
  const size_t size = std::max(block_bytes, need);
  auto* block = static_cast<Block*>(take_block(size));
  block->next = blocks_;
  block->bytes = size;
  blocks_ = block;
  next_ = reinterpret_cast<char*>(block + 1);
  end_ = reinterpret_cast<char*>(block) + size;
  return allocate(bytes, align);
}

void Arena::clear() {
  while (blocks_ != nullptr) {
    Block* next = blocks_->next;
    give_block(blocks_, blocks_->bytes);
    blocks_ = next;
  }
  next_ = end_ = nullptr;
}

}  // namespace banyan
