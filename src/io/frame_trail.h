// FrameTrail: where the frames are that will run when an operation completes, the innermost first.
// With hundreds of exchanges under way these have left the caches when their bytes come, and each
// first touch costs more than what is done there [measured: docs/performance.md]. The trail is
// taken when the waiter suspends, as then they are all warm; an engine that has many completions in
// a turn asks for the frames of coming ones while it works on others (Chen et al., "Improving Hash
// Join Performance through Prefetching", ICDE 2004, does so with buckets). Owner: who waits for the
// kernel. Thread: its loop's. It is a hint: nothing is read through it, so it may be out of date.
#pragma once
#include "task/task.h"

namespace banyan {

struct FrameTrail {
  static constexpr size_t depth = 8;
  static constexpr size_t line_bytes = 64, lines = 8;  // of each frame; most are no longer

  const void* frames[depth] = {};  // up to the first null

  void follow(const PromiseBase* innermost) {
    size_t n = 0;
    for (const PromiseBase* at = innermost; at != nullptr && n < depth; at = at->caller)
      frames[n++] = at;
    if (n < depth) frames[n] = nullptr;
  }
  void prefetch() const {
    for (const void* frame : frames) {
      if (frame == nullptr) return;
      prefetch_lines(frame, lines);
    }
  }
  // Any address will do, also null or one that was given back.
  static void prefetch_lines(const void* from, size_t count) {
    const auto at = reinterpret_cast<uintptr_t>(from);
    for (size_t i = 0; i < count; ++i)
      __builtin_prefetch(reinterpret_cast<const void*>(at + i * line_bytes), 1);
  }
};

}  // namespace banyan
