// Arena: memory that lives exactly as long as one exchange. Allocation bumps a pointer, nothing is
// freed one by one, and the blocks go back to a per-thread free list when the arena ends. Owner:
// the exchange (http/h1_connection). Thread: the one that made it. Bound: what an exchange puts
// here is bounded by `limits.head` (request and answer head, each once). Only trivially
// destructible things may live here: no destructor is ever run.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace banyan {

class Arena {
 public:
  static constexpr size_t block_bytes = 4096;

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { clear(); }

  void* allocate(size_t bytes, size_t align = alignof(std::max_align_t)) {
    auto at = (reinterpret_cast<uintptr_t>(next_) + align - 1) & ~(align - 1);
    if (next_ == nullptr || at + bytes > reinterpret_cast<uintptr_t>(end_)) [[unlikely]]
      return allocate_slow(bytes, align);
    next_ = reinterpret_cast<char*>(at + bytes);
    return reinterpret_cast<void*>(at);
  }
  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }
  // `n` uninitialised objects.
  template <class T>
  T* array(size_t n) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(allocate(n * sizeof(T), alignof(T)));
  }
  // A copy that lives as long as the arena.
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = array<char>(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }
  // Gives all memory back; every pointer handed out is dead after this.
  void clear();

 private:
  struct Block {
    Block* next;
    size_t bytes;  // the whole block, header included
  };
  void* allocate_slow(size_t bytes, size_t align);

  Block* blocks_ = nullptr;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace banyan
