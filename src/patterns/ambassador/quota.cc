#include "patterns/ambassador/quota.h"

#include <algorithm>

#include "patterns/ambassador/retry_after.h"
#include "service/respond.h"
#include "task/combine.h"

namespace banyan {

namespace {

// A call that is under way, however it ends.
class UnderWay {
 public:
  UnderWay(QuotaState& state, Loop& loop) : state_(state), loop_(loop) {}
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { state_.ended(said, paused, loop_.now()); }

  QuotaSaid said;
  std::optional<Duration> paused;

 private:
  QuotaState& state_;
  Loop& loop_;
};

}  // namespace

// nullopt: it may go.
Task<Result<std::optional<Time>>> QuotaFilter::wait_for_turn() {
  const Context& context = co_await current_context();
  Loop& loop = context.loop;
  QuotaState::Answer answer = state_->ask(loop.now());
  if (answer.go) co_return std::nullopt;
  const Time last = std::min(after(loop.now(), settings_.wait), context.deadline);
  if (answer.again > last || !state_->enter_queue()) co_return answer.again;
  Result<> slept;
  while (!answer.go && answer.again <= last) {
    slept = co_await sleep_until(answer.again);
    if (!slept) break;
    answer = state_->ask(loop.now());
  }
  state_->leave_queue(!answer.go);
  if (!slept) co_return std::unexpected(slept.error());
  if (answer.go) co_return std::nullopt;
  co_return answer.again;
}

Reply QuotaFilter::refuse(Request& request, Time until, Time now) const {
  state_->refuse();
  const Error why{Code::overloaded, Side::self, true, 429,
                  "the quota of the service is used up; it was not asked"};
  request.record.blame(why);
  Response rsp = respond(request.arena, why);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(until - now).count();
  rsp.headers->set(Name::retry_after,
                   request.arena.copy(std::to_string(std::max<int64_t>(1, seconds))));
  return rsp;
}

Task<Reply> QuotaFilter::call(Request& request) {
  Loop& loop = (co_await current_context()).loop;
  const auto until = TRY(co_await wait_for_turn());
  if (until) co_return refuse(request, *until, loop.now());
  UnderWay call(*state_, loop);
  Reply reply = co_await next->call(request);
  if (!reply) co_return reply;
  call.said = quota_said(*reply->headers, loop.wall());
  if (reply->status == 429 || reply->status == 503)
    call.paused = retry_after(*reply->headers, loop.wall());
  co_return reply;
}

}  // namespace banyan
