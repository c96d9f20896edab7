// FramePool: where coroutine frames and other short-lived objects of the data plane come from.
// Freed ones wait in a list for their size class, so a steady load allocates nothing [measured: 0
// per request]. Owner: each thread has one (`frames`). Thread: its own; a frame may be freed on
// another one, it then stays there. Bound: it holds what was once live at the same time; sizes
// above 4 KiB go straight to the heap. `live` is the number of frames alive: a test that ends with
// live != 0 has leaked a task.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>

namespace banyan {

class FramePool {
 public:
  void* get(size_t bytes) {
    ++live_;
    const size_t c = size_class(bytes);
    if (pooled(c) && free_[c] != nullptr) [[likely]] {
      void* frame = free_[c];
      free_[c] = *static_cast<void**>(frame);
      return frame;
    }
    ++fresh_;
    return ::operator new(c * step_bytes);
  }
  void put(void* frame, size_t bytes) noexcept {
    --live_;
    const size_t c = size_class(bytes);
    if (!pooled(c)) {
      ::operator delete(frame);
      return;
    }
    *static_cast<void**>(frame) = free_[c];
    free_[c] = frame;
  }
  int64_t live() const { return live_; }
  uint64_t fresh() const { return fresh_; }

 private:
  static constexpr size_t step_bytes = 32;
  static constexpr size_t classes = 4096 / step_bytes + 1;
  static constexpr size_t size_class(size_t bytes) { return (bytes + step_bytes - 1) / step_bytes; }
  static constexpr bool pooled(size_t c) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    return false;  // the pool would hide a use after free
#endif
#endif
    return c < classes;
  }
  void* free_[classes] = {};
  int64_t live_ = 0;
  uint64_t fresh_ = 0;
};

inline constinit thread_local FramePool frames;

// Objects of a class that derives from Pooled come from `frames`.
struct Pooled {
  static void* operator new(size_t bytes) { return frames.get(bytes); }
  static void operator delete(void* object, size_t bytes) noexcept { frames.put(object, bytes); }
};

}  // namespace banyan
