// AnswerClock: calls the work on a request off when the head of its answer has not come `most`
// after the request was there. While a client sends its content the time is the client's, and has
// limits of its own: else an upload that is slow would look like an endpoint that is.
// Owner: who waits for the answer. Thread: its loop's. Lifetime: the request outlives it.
#pragma once
#include <algorithm>

#include "http/message.h"

namespace banyan {

class AnswerClock final : private Timer {
 public:
  AnswerClock(Loop& loop, const Request& request, Duration most)
      : loop_(loop), request_(request), began_(loop.now()), most_(most) {}

  // `co_await until{clock.trigger(), attempt(...)}`
  struct Trigger {
    AnswerClock& clock;
    void attach(Cancel& scope) {
      clock.scope_ = &scope;
      clock.fire();
    }
    void detach() { clock.disarm(); }
  };
  Trigger trigger() { return {*this}; }
  bool over() const { return loop_.now() >= due(); }
  // As far as it is known now: while the client sends it moves on.
  Time due() const {
    const bool sending =
        request_.body != nullptr && !request_.body->ended() && !request_.expects_continue;
    return after(sending ? loop_.now() : std::max(began_, request_.record.received), most_);
  }

 private:
  void fire() noexcept override {
    if (over()) return scope_->request(Code::timeout);
    if (due() != never) loop_.arm(*this, due());
  }

  Loop& loop_;
  const Request& request_;
  const Time began_;
  const Duration most_;
  Cancel* scope_ = nullptr;
};

}  // namespace banyan
