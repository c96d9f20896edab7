#include "patterns/bulkhead/bulkhead_filter.h"

#include "service/respond.h"

namespace banyan {

namespace {

// The permit is given back first.
struct Held {
  CompartmentPtr compartment;
  Compartment::Permit permit;
};

class HoldingBody final : public Body {
 public:
  HoldingBody(BodyPtr body, Held held) : held_(std::move(held)), body_(std::move(body)) {}

  Task<Result<Bytes>> read() override {
    auto piece = co_await body_->read();
    if (!piece || piece->empty() || body_->ended()) held_.reset();
    co_return piece;
  }
  Bytes ready() override {
    const Bytes piece = body_->ready();
    if (body_->ended()) held_.reset();
    return piece;
  }
  bool ended() const override { return body_->ended(); }
  std::optional<uint64_t> length() const override { return body_->length(); }
  const Headers* trailers() const override { return body_->trailers(); }

 private:
  std::optional<Held> held_;  // until the end, or until this is dropped
  const BodyPtr body_;
};

class HoldingTunnel final : public Tunnel {
 public:
  HoldingTunnel(std::unique_ptr<Tunnel> tunnel, Held held)
      : held_(std::move(held)), tunnel_(std::move(tunnel)) {}
  Stream& stream() override { return tunnel_->stream(); }
  Buffer& early() override { return tunnel_->early(); }
  std::string_view protocol() const override { return tunnel_->protocol(); }

 private:
  const Held held_;
  const std::unique_ptr<Tunnel> tunnel_;
};

// An answer without content, and without a tunnel, gives it back at once.
void hold(Response& response, Held held) {
  if (response.tunnel != nullptr)
    response.tunnel = std::make_unique<HoldingTunnel>(std::move(response.tunnel), std::move(held));
  else if (response.body != nullptr && !response.body->ended())
    response.body = std::make_unique<HoldingBody>(std::move(response.body), std::move(held));
}

// Of a content whose length nobody knows as much as may be.
uint64_t bytes_of(const Request& request) {
  if (request.body == nullptr || request.body->ended()) return 0;
  return request.body->length().value_or(UINT64_MAX);
}

// While the client still sends, the time is the client's.
void tell(Compartment::Permit& permit, const Request& request, const Reply& reply) {
  const bool sending =
      request.body != nullptr && !request.body->ended() && !request.expects_continue;
  if (sending) return;
  if (reply && reply->status < 500)
    permit.answered(request.record.received);
  else
    permit.unanswered(request.record.received);
}

}  // namespace

BulkheadRules rules_of(const BulkheadSettings& settings) {
  return {.share_by = share_key_of(settings),
          .priority = PriorityRule::parse(settings.priority).value_or(PriorityRule{})};
}

Task<Reply> BulkheadFilter::call(Request& request) {
  auto permit = co_await compartment_->acquire(ask_of(request));
  if (!permit) co_return refuse(request, permit.error());
  Reply reply = co_await next->call(request);
  tell(*permit, request, reply);
  if (reply) hold(*reply, {compartment_, *std::move(permit)});
  co_return reply;
}

Compartment::Ask BulkheadFilter::ask_of(const Request& request) const {
  return {.key = rules_.share_by ? rules_.share_by->of(request) : std::string_view(),
          .priority = rules_.priority.of(request),
          .bytes = bytes_of(request)};
}

Reply BulkheadFilter::refuse(Request& request, const Error& why) const {
  if (why.code != Code::overloaded) return fail(why);  // called off
  request.record.blame(why);
  Response rsp = respond(request.arena, why);
  const std::string seconds = std::to_string(compartment_->retry_after_seconds());
  rsp.headers->set(Name::retry_after, request.arena.copy(seconds));
  return rsp;
}

}  // namespace banyan
