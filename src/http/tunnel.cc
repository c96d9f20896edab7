#include "http/tunnel.h"

#include "task/combine.h"

namespace banyan {

namespace {

class Relay {
 public:
  Relay(Stream& a, Buffer& from_a, Stream& b, Buffer& from_b, Duration idle_max)
      : streams_{&a, &b}, buffers_{&from_a, &from_b}, idle_max_(idle_max) {}

  Task<Relayed> run() {
    last_active_ = (co_await current_context()).loop.now();
    co_await until{Handle{both_}, both()};
    for (Buffer* b : buffers_) b->release();
    co_return Relayed{moved_[0], moved_[1], broken_};
  }

 private:
  // Where the scope of both directions is, so that one can call the other off.
  struct Handle {
    Cancel*& where;
    void attach(Cancel& scope) { where = &scope; }
    void detach() { where = nullptr; }
  };

  Task<> both() {
    co_await gather(2, [this](size_t i) { return move(i); });
  }

  // One direction. Whatever stops it for another reason than the peer's end stops both.
  Task<Result<>> move(size_t i) {
    auto done = co_await copy(*streams_[i], *buffers_[i], *streams_[1 - i], moved_[i]);
    if (done) {
      streams_[1 - i]->shutdown_write();
      co_return done;
    }
    // The first is the cause: what it calls off ends only by it.
    if (!broken_) broken_ = done.error();
    if (done.error().code == Code::reset)
      for (Stream* s : streams_) s->abort();
    if (both_ != nullptr) both_->request(Code::cancelled);
    co_return done;
  }

  Task<Result<>> copy(Stream& from, Buffer& buffer, Stream& to, uint64_t& moved) {
    Loop& loop = (co_await current_context()).loop;
    for (;;) {
      if (buffer.empty()) {
        buffer.release();
        TRY(co_await wait(from, loop));
        const size_t n = TRY(co_await from.read(buffer.space()));
        if (n == 0) co_return Result<>{};
        last_active_ = loop.now();
        buffer.added(n);
      }
      const Bytes piece = buffer.data();
      TRY(co_await to.write(std::span(&piece, 1), after(loop.now(), idle_max_)));
      moved += piece.size();
      buffer.consume(piece.size());
    }
  }

  // Silence counts only when it is on both sides: a download has one silent direction.
  Task<Result<>> wait(Stream& from, Loop& loop) {
    for (;;) {
      auto something = co_await from.readable(after(last_active_, idle_max_));
      if (something) co_return Result<>{};
      if (something.error().code != Code::timeout) co_return std::unexpected(something.error());
      // Of both sides; but it is the client who could say something.
      if (loop.now() >= after(last_active_, idle_max_))
        co_return fail(Code::timeout, Side::client, "nobody said anything for too long");
    }
  }

  Stream* streams_[2];
  Buffer* buffers_[2];
  uint64_t moved_[2] = {};
  const Duration idle_max_;
  Time last_active_{};
  Cancel* both_ = nullptr;
  std::optional<Error> broken_;
};

}  // namespace

Task<Relayed> relay(Stream& a, Buffer& from_a, Stream& b, Buffer& from_b, Duration idle_max) {
  Relay relay(a, from_a, b, from_b, idle_max);
  co_return co_await relay.run();
}

}  // namespace banyan
