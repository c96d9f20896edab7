#include "patterns/ambassador/hedge.h"

#include <algorithm>
#include <array>

#include "task/combine.h"
#include "task/nursery.h"
#include "task/sync.h"

namespace banyan {

namespace {

bool is_answer(const Reply& reply) { return reply && reply->status < 500; }

}  // namespace

class HedgeFilter::Waiting {
 public:
  explicit Waiting(uint32_t& count) : count_(count) { ++count_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { --count_; }

 private:
  uint32_t& count_;
};

// The copies of one request. Each has headers and a record of its own.
class HedgeFilter::Race {
 public:
  static constexpr size_t copies_max = 4;
  struct Copy {
    Request* request = nullptr;
    std::optional<Reply> reply = {};
    // By the service, and no failure of its; what was refused below us is none either.
    bool answered() const { return reply && is_answer(*reply) && !request->record.error; }
  };

  Race(Context& context, Request& request)
      : began(context.loop.now()),
        original(request),
        tasks(context),
        tries_(*request.arena.make<Tries>()) {
    tasks.context().deadline = context.deadline;
  }

  // Prepares one more, and gives its number.
  size_t add() {
    Request& one = another(original, *original.arena.make<Record>(original.record));
    one.tries = &tries_;
    // The client need not hear of what may be called off.
    if (count != 0) one.interim = nullptr;
    copies[count].request = &one;
    return count++;
  }
  void ended(size_t index, Reply reply) {
    copies[index].reply.emplace(std::move(reply));
    ++ended_;
    changed.set();
  }
  bool decided() const {
    return ended_ == count ||
           std::any_of(copies.begin(), copies.end(), [](const Copy& c) { return c.answered(); });
  }
  // Waits until a copy has ended, or until then.
  Task<Result<>> wait_until(Time at) {
    changed.reset();
    co_return co_await within{at - tasks.context().loop.now(), wait()};
  }
  // Whose reply it is: an answer, else a failed answer rather than none.
  size_t winner() const {
    const auto rank = [](const Copy& c) {
      if (!c.reply || !*c.reply) return 0;
      return c.answered() ? 2 : 1;
    };
    return static_cast<size_t>(std::ranges::max_element(copies, {}, rank) - copies.begin());
  }

  const Time began;
  Request& original;
  std::array<Copy, copies_max> copies;
  size_t count = 0;
  Nursery tasks;
  Event changed;

 private:
  Task<Result<>> wait() { co_return co_await changed.wait(); }

  Tries& tries_;
  size_t ended_ = 0;
};

HedgeFilter::HedgeFilter(ServicePtr wrapped, const HedgeSettings& settings, RetryState& state)
    : Filter(std::move(wrapped)),
      settings_(settings),
      methods_(hedge_mask(settings.methods)),
      state_(state) {
  CHECK(settings.at_most < Race::copies_max);
  if (settings.after.quantile != 0) latency_.emplace(settings.after.quantile);
}

bool HedgeFilter::may_copy(const Request& request) const {
  const bool has_content = request.body != nullptr && !request.body->ended();
  const bool wanted = request.wishes == nullptr || request.wishes->hedge;
  return wanted && !has_content && request.upgrade.empty() &&
         (methods_ >> static_cast<unsigned>(request.method) & 1) != 0;
}

// nullopt: it is not known yet.
std::optional<Duration> HedgeFilter::late_after(const Request& request, Time now) {
  if (request.wishes != nullptr && request.wishes->hedge_after) return request.wishes->hedge_after;
  return latency_ ? latency_->value(now) : Duration(settings_.after.fixed);
}

void HedgeFilter::note_latency(Duration took, Time now) {
  if (latency_) latency_->record(took, now);
}

bool HedgeFilter::take_one_more(Time now) {
  if (waiting_ > settings_.in_flight) {
    RetryState::bump(state_.hedges_held_by_load);
    return false;
  }
  if (!state_.budget.try_take(now)) {
    RetryState::bump(state_.hedges_held_by_budget);
    return false;
  }
  RetryState::bump(state_.hedges);
  return true;
}

Task<Reply> HedgeFilter::call(Request& request) {
  Loop& loop = (co_await current_context()).loop;
  const Waiting waiting(waiting_);
  if (!may_copy(request)) co_return co_await next->call(request);
  if (const auto late = late_after(request, loop.now())) co_return co_await race(request, *late);
  co_return co_await timed(request);
}

// One copy, to learn how long it takes.
Task<Reply> HedgeFilter::timed(Request& request) {
  Loop& loop = (co_await current_context()).loop;
  const Time began = loop.now();
  auto reply = co_await next->call(request);
  if (reply) note_latency(loop.now() - began, loop.now());
  co_return reply;
}

void HedgeFilter::start(Race& race) {
  const size_t index = race.add();
  auto make = [this, &race, index] { return run(race, index); };
  if (!race.tasks.start(std::move(make)))
    race.ended(index, fail(Code::cancelled, Side::client, "called off before a copy was sent"));
}

Task<> HedgeFilter::run(Race& race, size_t index) {
  race.ended(index, co_await next->call(*race.copies[index].request));
}

Task<Reply> HedgeFilter::race(Request& request, Duration late) {
  Context& context = co_await current_context();
  Loop& loop = context.loop;
  Race race(context, request);
  start(race);
  Time next_at = after(race.began, late);
  while (!race.decided() && !context.cancel.requested()) {
    (void)co_await race.wait_until(race.count <= settings_.at_most ? next_at : never);
    if (race.decided() || context.cancel.requested() || loop.now() < next_at) continue;
    // (1) It is late: one more, if there is one to take; else only what is under way.
    const bool more = race.count <= settings_.at_most && take_one_more(loop.now());
    if (more) start(race);
    next_at = more ? after(loop.now(), late) : never;
  }
  // (2) The others are called off, and have ended before anything goes on.
  race.tasks.cancel();
  co_await race.tasks.join();
  co_return settle(race, loop.now());
}

Reply HedgeFilter::settle(Race& race, Time now) {
  const size_t winner = race.winner();
  // One that was called off has taken at least so long.
  const auto& first = race.copies[0].reply;
  if (winner != 0 || (first && *first)) note_latency(now - race.began, now);
  for (size_t i = 1; i < race.count; ++i)
    RetryState::bump(i == winner ? state_.hedges_won : state_.hedges_lost);
  // What happened is what happened to the winner; but all were sent.
  Record& record = race.original.record;
  const uint16_t sent_before = record.attempts;
  record = race.copies[winner].request->record;
  record.attempts = sent_before;
  for (size_t i = 0; i < race.count; ++i) {
    const Record& other = race.copies[i].request->record;
    record.attempts += other.attempts - sent_before;
    // The winner was refused before it went anywhere.
    if (record.endpoint.empty()) record.endpoint = other.endpoint;
    if (record.service.empty()) record.service = other.service;
  }
  return std::move(*race.copies[winner].reply);
}

}  // namespace banyan
