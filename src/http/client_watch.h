// ClientWatch: calls the work on a request off when its client has left. Owner: the exchange.
// Thread: its loop's. Lifetime: stream and loop outlive it. A client that closes and one that only
// has nothing more to send look the same until we write: both send FIN. So time decides: an end
// that comes right behind the request (`nc -N`, our own drain) is a half-close, and the answer is
// still waited for; one that comes later is a departure, as it is for nginx. While content is still
// to come the end is left to its reader, which tells a cut content from a whole one.
#pragma once
#include "io/stream.h"

namespace banyan {

class ClientWatch final : private Cancellable {
 public:
  ClientWatch(Stream& stream, Loop& loop) : stream_(stream), loop_(loop) {}

  // The last byte of the request is here.
  void request_ended() { asked_at_ = loop_.now(); }
  bool left() const { return left_; }

  // `co_await until{watch.trigger(), answer()}`
  struct Trigger {
    ClientWatch& watch;
    void attach(Cancel& scope) { watch.attach(scope); }
    void detach() { watch.detach(); }
  };
  Trigger trigger() { return {*this}; }

 private:
  static constexpr Duration right_behind_max = std::chrono::milliseconds(100);

  void attach(Cancel& scope) {
    scope_ = &scope;
    ended_.add(*this);
    stream_.peer_gone().attach(ended_);
  }
  void detach() {
    stream_.peer_gone().detach();
    Cancellable::unlink();
  }
  void on_cancel(Code) noexcept override {
    if (asked_at_ == never || loop_.now() - asked_at_ <= right_behind_max) return;
    left_ = true;
    scope_->request(Code::cancelled);
  }
  void describe(std::string& out, int depth) const override {
    describe_line(out, depth, "the client's end");
  }

  Stream& stream_;
  Loop& loop_;
  Cancel ended_;
  Cancel* scope_ = nullptr;
  Time asked_at_ = never;
  bool left_ = false;
};

}  // namespace banyan
