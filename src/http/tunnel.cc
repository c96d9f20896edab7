#include "http/tunnel.h"

#include "io/buffer.h"
#include "task/combine.h"

namespace banyan {

namespace {

class Relay {
 public:
  Relay(Stream& a, Bytes early_a, Stream& b, Bytes early_b, Duration idle_max)
      : streams_{&a, &b}, early_{early_a, early_b}, idle_max_(idle_max) {}

  Task<Relayed> run() {
    last_active_ = (co_await current_context()).loop.now();
    co_await gather(2, [this](size_t i) { return move(i); });
    co_return Relayed{moved_[0], moved_[1]};
  }

 private:
  // One direction. Whatever stops it for another reason than the peer's end stops both.
  Task<Result<>> move(size_t i) {
    auto done = co_await copy(*streams_[i], early_[i], *streams_[1 - i], moved_[i]);
    if (done) {
      streams_[1 - i]->shutdown_write();
    } else {
      for (Stream* s : streams_) s->shutdown_read();
      failed_ = true;
    }
    co_return done;
  }

  Task<Result<>> copy(Stream& from, Bytes early, Stream& to, uint64_t& moved) {
    Loop& loop = (co_await current_context()).loop;
    if (!early.empty()) {
      TRY(co_await to.write(std::span(&early, 1), after(loop.now(), idle_max_)));
      moved += early.size();
    }
    Buffer buffer;
    for (;;) {
      TRY(co_await wait(from, loop));
      const size_t n = TRY(co_await from.read(buffer.space()));
      if (n == 0) co_return Result<>{};
      last_active_ = loop.now();
      buffer.added(n);
      const Bytes piece = buffer.data();
      TRY(co_await to.write(std::span(&piece, 1), after(loop.now(), idle_max_)));
      moved += n;
      buffer.consume(n);
      buffer.release_if_empty();
    }
  }

  // Silence counts only when it is on both sides: a download has one silent direction.
  Task<Result<>> wait(Stream& from, Loop& loop) {
    for (;;) {
      auto something = co_await from.readable(after(last_active_, idle_max_));
      if (something) co_return Result<>{};
      const bool silent = loop.now() >= after(last_active_, idle_max_);
      if (something.error().code != Code::timeout || silent || failed_)
        co_return std::unexpected(something.error());
    }
  }

  Stream* streams_[2];
  Bytes early_[2];
  uint64_t moved_[2] = {};
  const Duration idle_max_;
  Time last_active_{};
  bool failed_ = false;
};

}  // namespace

Task<Relayed> relay(Stream& a, Bytes early_a, Stream& b, Bytes early_b, Duration idle_max) {
  Relay relay(a, early_a, b, early_b, idle_max);
  co_return co_await relay.run();
}

}  // namespace banyan
