#include "upstream/breaker.h"

#include "service/respond.h"
#include "upstream/watched_body.h"

namespace banyan {

Task<Reply> BreakerFilter::call(Request& request) {
  auto pass = circuit_->try_pass(loop_.now());
  if (!pass) co_return refuse(request);
  Reply reply = co_await next->call(request);
  const auto outcome = outcome_of(reply, circuit_->settings().status);
  if (!outcome) co_return reply;
  pass.note(*outcome, loop_.now());
  if (*outcome == Outcome::answered)
    watch_body(*reply, [p = std::move(pass), &loop = loop_](Outcome end) mutable {
      p.note(end, loop.now());
    });
  co_return reply;
}

Response BreakerFilter::refuse(Request& request) const {
  static constexpr Error open{Code::unavailable, Side::upstream, true, 0,
                              "the service's breaker is open: it failed too often"};
  request.record.blame(open);
  Response rsp = respond(request.arena, open);
  // Whole seconds, rounded up: who comes a moment too early is refused again.
  const auto left = std::chrono::ceil<std::chrono::seconds>(circuit_->left(loop_.now()));
  const std::string text = std::to_string(std::max<int64_t>(left.count(), 1));
  rsp.headers->set(Name::retry_after, request.arena.copy(text));
  return rsp;
}

}  // namespace banyan
