#include "patterns/ambassador/replay.h"

#include <algorithm>
#include <cstring>

namespace banyan {

namespace {

constexpr size_t first_block_bytes = 4096;

}  // namespace

// The content as one try reads it.
class Replay::Content final : public Body {
 public:
  Content(Replay& replay, Request& attempt)
      : replay_(replay), attempt_(attempt), tasks_(replay.tasks_) {}

  Bytes ready() override {
    if (tasks_->over.is_set()) return {};
    if (const Bytes piece = replay_.kept(at_); !piece.empty()) return piece;
    if (replay_.reading_) return {};
    if (replay_.passing_.empty()) replay_.took(replay_.source_.ready());
    const Bytes piece = replay_.kept(at_);
    return piece.empty() ? std::exchange(replay_.passing_, {}) : piece;
  }
  Task<Result<Bytes>> read() override {
    attempt_.expects_continue = false;
    for (;;) {
      // What a try that is over still took would be missing in the next one.
      if (tasks_->over.is_set()) co_return fail(Code::cancelled, Side::self, "the try is over");
      if (const Bytes piece = ready(); !piece.empty() || ended()) co_return piece;
      if (replay_.error_) co_return std::unexpected(*replay_.error_);
      TRY(co_await replay_.more());
    }
  }
  bool ended() const override {
    const bool all_given =
        at_.block == replay_.blocks_.size() ||
        (at_.block + 1 == replay_.blocks_.size() && at_.offset == replay_.blocks_.back().size);
    return all_given && replay_.passing_.empty() && !replay_.reading_ && replay_.source_.ended();
  }
  std::optional<uint64_t> length() const override { return replay_.source_.length(); }
  const Headers* trailers() const override { return replay_.source_.trailers(); }

 private:
  Replay& replay_;
  Request& attempt_;
  const std::shared_ptr<Tasks> tasks_;
  Position at_;
};

bool Replay::begin(Request& attempt) {
  auto tasks = std::make_shared<Tasks>();
  auto make = [self = shared_from_this(), tasks] { return host(tasks); };
  if (!exchange_.start(std::move(make))) return false;
  tasks_ = std::move(tasks);
  content_ = std::make_unique<Content>(*this, attempt);
  attempt.body = content_.get();
  attempt.background = tasks_->nursery;
  return true;
}

Task<> Replay::host(std::shared_ptr<Tasks> tasks) {
  Nursery own(co_await current_context());
  tasks->nursery = &own;
  (void)co_await tasks->over.wait();
  own.cancel();
  co_await own.join();
  tasks->nursery = nullptr;
  tasks->ended.set();
}

Task<Result<>> Replay::end() {
  const auto tasks = tasks_;
  tasks->over.set();
  co_return co_await tasks->ended.wait();
}

// Waits until something has come, or the end, or an error.
Task<Result<>> Replay::more() {
  if (!reading_) {
    arrived_.reset();
    reading_ = true;
    auto make = [self = shared_from_this()] { return self->fetch(); };
    if (!exchange_.start(std::move(make))) {
      reading_ = false;
      co_return fail(Code::cancelled, Side::self, "called off before a content was read");
    }
  }
  co_return co_await arrived_.wait();
}

Task<> Replay::fetch() {
  auto piece = co_await source_.read();
  reading_ = false;
  if (piece)
    took(*piece);
  else
    error_ = piece.error();
  arrived_.set();
}

void Replay::took(Bytes piece) {
  if (piece.empty()) return;
  if (lost_ || piece.size() > most_ - kept_bytes_) {
    lost_ = true;
    passing_ = piece;
  } else {
    keep(piece);
  }
}

void Replay::keep(Bytes piece) {
  kept_bytes_ += piece.size();
  while (!piece.empty()) {
    if (blocks_.empty() || blocks_.back().size == blocks_.back().capacity) {
      const size_t last = blocks_.empty() ? first_block_bytes / 2 : blocks_.back().capacity;
      const size_t capacity = std::max(piece.size(), 2 * last);
      blocks_.push_back({std::make_unique_for_overwrite<char[]>(capacity), capacity});
    }
    Block& block = blocks_.back();
    const size_t n = std::min(piece.size(), block.capacity - block.size);
    std::memcpy(block.bytes.get() + block.size, piece.data(), n);
    block.size += n;
    piece.remove_prefix(n);
  }
}

// What was kept from there on, as far as it lies together.
Bytes Replay::kept(Position& from) const {
  while (from.block < blocks_.size()) {
    const Block& block = blocks_[from.block];
    if (from.offset < block.size) {
      const size_t begin = std::exchange(from.offset, block.size);
      return {block.bytes.get() + begin, block.size - begin};
    }
    if (block.size < block.capacity) break;  // more may come into this one
    ++from.block;
    from.offset = 0;
  }
  return {};
}

}  // namespace banyan
