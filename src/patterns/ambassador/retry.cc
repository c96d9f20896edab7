#include "patterns/ambassador/retry.h"

#include <algorithm>

#include "http/answer_clock.h"
#include "patterns/ambassador/retry_after.h"
#include "task/combine.h"

namespace banyan {

namespace {

constexpr size_t dropped_bytes_max = 64 * 1024;

std::optional<RetryOn> on_status(uint16_t status) {
  switch (status) {
    case 429:
      return RetryOn::s429;
    case 500:
      return RetryOn::s500;
    case 502:
      return RetryOn::s502;
    case 503:
      return RetryOn::s503;
    case 504:
      return RetryOn::s504;
    default:
      return std::nullopt;
  }
}

// Not the client's faults, not ours, and not that the work was called off.
std::optional<RetryOn> on_error(const Error& error) {
  if (error.code == Code::cancelled || error.side == Side::client) return std::nullopt;
  if (error.retryable) return RetryOn::connect;
  if (error.code == Code::timeout) return RetryOn::timeout;
  if (error.side != Side::upstream) return std::nullopt;
  const bool broke_off =
      error.code == Code::reset || error.code == Code::protocol || error.code == Code::unavailable;
  return broke_off ? std::optional(RetryOn::reset) : std::nullopt;
}

// The proof. An answer, however bad, may come after the work was done.
bool is_safe_again(const Request& request, RetryOn why) {
  return why == RetryOn::connect || is_idempotent(request.method) ||
         !request.headers.get(Name::idempotency_key).empty();
}

// What is at hand of an answer's content is taken, so that its connection may be used again when
// that was all; else it ends with the answer.
void drop(Reply& reply) {
  if (!reply) return;
  Body* body = reply->body.get();
  for (size_t taken = 0; body != nullptr && taken < dropped_bytes_max;) {
    const Bytes piece = body->ready();
    if (piece.empty()) break;
    taken += piece.size();
  }
  reply->body.reset();
}

}  // namespace

// The tries of one request.
struct RetryFilter::Attempts {
  Request& request;
  Tries& tries;
  const AnswerClock all;  // of all of them together; it is only read
  uint32_t count = 0;
  std::shared_ptr<Replay> replay = nullptr;  // null: the request has no content
};

std::optional<RetryOn> RetryFilter::failure_of(const Reply& reply, const Record& record) const {
  // An answer of our own (an open breaker) is no endpoint's: it says that there is nobody to ask.
  if (reply && record.error) return std::nullopt;
  const auto why = reply ? on_status(reply->status) : on_error(reply.error());
  return why && (on_ >> static_cast<unsigned>(*why) & 1) != 0 ? why : std::nullopt;
}

// Full jitter: anything from nothing to the exponential bound, so that those who failed together do
// not come back together.
Duration RetryFilter::backoff(uint32_t attempt, Loop& loop) const {
  Duration most = settings_.backoff;
  for (uint32_t i = 1; i < attempt && most < settings_.backoff_max; ++i) most *= 2;
  most = std::min<Duration>(most, settings_.backoff_max);
  return Duration(loop.random_below(static_cast<uint64_t>(most.count()) + 1));
}

RetryFilter::Pause RetryFilter::pause_before_next(const Attempts& attempts, RetryOn why,
                                                  const Reply& reply, Loop& loop) {
  const Request& request = attempts.request;
  const uint32_t asked =
      request.wishes != nullptr ? request.wishes->retries.value_or(UINT32_MAX) : UINT32_MAX;
  if (asked == 0) return std::unexpected(Refusal::caller);
  if (!is_safe_again(request, why)) return std::unexpected(Refusal::unsafe);
  if (attempts.replay != nullptr && attempts.replay->lost())
    return std::unexpected(Refusal::content);
  if (attempts.count > std::min(settings_.attempts - 1, asked))
    return std::unexpected(Refusal::attempts);
  Duration pause = backoff(attempts.count, loop);
  if (reply)
    if (const auto told = retry_after(*reply->headers, loop.wall())) pause += *told;
  return pause;
}

Task<Reply> RetryFilter::attempt(Attempts& attempts, Loop& loop) {
  Request& one = another(attempts.request, attempts.request.record);
  one.tries = &attempts.tries;
  ++attempts.count;
  if (attempts.replay != nullptr && !attempts.replay->begin(one))
    co_return fail(Code::cancelled, Side::client, "called off before an attempt");
  AnswerClock clock(loop, one, std::min(times_.try_max, attempts.all.due() - loop.now()));
  co_return co_await until{clock.trigger(), next->call(one)};
}

RetryFilter::Pause RetryFilter::decide(const Attempts& attempts, RetryOn why, const Reply& reply,
                                       const Context& context) {
  const Time now = context.loop.now();
  auto pause = pause_before_next(attempts, why, reply, context.loop);
  if (!pause) return pause;
  if (after(now, *pause) >= std::min(context.deadline, attempts.all.due()))
    return std::unexpected(Refusal::deadline);
  // The budget comes last: what is refused for another reason costs nothing of it.
  if (!state_.budget.try_take(now)) return std::unexpected(Refusal::budget);
  return pause;
}

Task<Reply> RetryFilter::call(Request& request) {
  Context& context = co_await current_context();
  Loop& loop = context.loop;
  // Those of a copy (a hedge) are shared with the other copies.
  Tries& tries = request.tries != nullptr ? *request.tries : *request.arena.make<Tries>();
  Attempts attempts{
      .request = request, .tries = tries, .all = AnswerClock(loop, request, times_.all_max)};
  if (request.body != nullptr && !request.body->ended())
    attempts.replay = std::make_shared<Replay>(request, settings_.replay.bytes);
  for (;;) {
    // (1) A try, and what became of it.
    auto reply = co_await attempt(attempts, loop);
    const auto why = failure_of(reply, request.record);
    if (attempts.count > 1) RetryState::bump(why ? state_.retried_failed : state_.retried_ok);
    if (!why || context.cancel.requested()) co_return reply;
    // (2) May it be sent again, and when?
    const auto pause = decide(attempts, *why, reply, context);
    if (!pause) {
      state_.count(pause.error());
      request.record.decision = sentence_of(pause.error());
      co_return reply;
    }
    // (3) Everything of the try ends, then the pause.
    drop(reply);
    if (attempts.replay != nullptr) TRY(co_await attempts.replay->end());
    TRY(co_await sleep_for(*pause));
    RetryState::bump(state_.retries);
  }
}

}  // namespace banyan
