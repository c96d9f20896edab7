// WatchedBody: an answer's body that tells once how it ended: completed, or broken by the endpoint.
// One that is dropped before its end (the client left) tells nothing. Owner: whoever holds the
// Response. Thread: its loop's. `Watch` is a callable of Outcome that is kept in the body, so what
// must live as long as the answer may live in it.
#pragma once
#include "upstream/outcome.h"

namespace banyan {

template <class Watch>
class WatchedBody final : public Body {
 public:
  WatchedBody(BodyPtr body, Watch watch) : body_(std::move(body)), watch_(std::move(watch)) {}

  Task<Result<Bytes>> read() override {
    auto piece = co_await body_->read();
    if (!piece)
      tell(piece.error());
    else if (piece->empty() || body_->ended())
      tell(Outcome::completed);
    co_return piece;
  }
  Bytes ready() override {
    const Bytes piece = body_->ready();
    if (body_->ended()) tell(Outcome::completed);
    return piece;
  }
  bool ended() const override { return body_->ended(); }
  std::optional<uint64_t> length() const override { return body_->length(); }
  const Headers* trailers() const override { return body_->trailers(); }

 private:
  void tell(const Error& error) {
    if (blames_upstream(error)) tell(Outcome::broken);
  }
  void tell(Outcome outcome) {
    if (!std::exchange(told_, true)) watch_(outcome);
  }

  const BodyPtr body_;
  Watch watch_;
  bool told_ = false;
};

// From now on `watch` hears how the answer's body ends; at once when there is nothing to come.
template <class Watch>
void watch_body(Response& response, Watch watch) {
  if (response.body == nullptr || response.body->ended()) return watch(Outcome::completed);
  response.body = std::make_unique<WatchedBody<Watch>>(std::move(response.body), std::move(watch));
}

}  // namespace banyan
