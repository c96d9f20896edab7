#include "base/line_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace banyan {

LineQueue::LineQueue(size_t limit_bytes)
    : chunks_max_(std::max<size_t>(limit_bytes / chunk_bytes, 2)),
      writing_(new Chunk),
      reading_(writing_) {}

LineQueue::~LineQueue() {
  while (reading_ != nullptr) delete std::exchange(reading_, reading_->next.load());
}

LineQueue::Push LineQueue::push(std::string_view line) {
  size_t filled = writing_->filled.load(std::memory_order_relaxed);
  const bool next = line.size() > sizeof writing_->bytes - filled;
  // The count may be one too high for a moment, while the other thread frees a chunk: then a line
  // is dropped a little early, never is the bound passed.
  if (line.size() > line_max || (next && chunks_.load(std::memory_order_relaxed) >= chunks_max_)) {
    not_pushed_.add(1);
    return Push::dropped;
  }
  if (next) {
    Chunk* made = new Chunk;
    chunks_.fetch_add(1, std::memory_order_relaxed);
    // Nothing is added to the old one after this: whoever sees `next` sees its last line, too.
    writing_->next.store(made, std::memory_order_release);
    writing_ = made;
    filled = 0;
  }
  std::memcpy(writing_->bytes + filled, line.data(), line.size());
  writing_->filled.store(filled + line.size(), std::memory_order_release);
  return next ? Push::filled : Push::kept;
}

std::string_view LineQueue::peek() {
  for (;;) {
    // `next` before `filled`: see push().
    Chunk* next = reading_->next.load(std::memory_order_acquire);
    const size_t filled = reading_->filled.load(std::memory_order_acquire);
    if (read_ < filled) return {reading_->bytes + read_, filled - read_};
    if (next == nullptr) return {};
    delete std::exchange(reading_, next);
    read_ = 0;
    chunks_.fetch_sub(1, std::memory_order_relaxed);
  }
}

void LineQueue::drop_all() {
  for (auto rest = peek(); !rest.empty(); rest = peek()) {
    not_taken_.add(static_cast<uint64_t>(std::count(rest.begin(), rest.end(), '\n')));
    take(rest.size());
  }
}

}  // namespace banyan
