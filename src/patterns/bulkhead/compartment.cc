#include "patterns/bulkhead/compartment.h"

#include <algorithm>
#include <cmath>

namespace banyan {

namespace {

constexpr const char* full = "the compartment is full, and so is its queue";
constexpr const char* late = "the compartment is full, and the wait would be too long";
constexpr const char* waited_out = "no permit of the compartment came free in time";

Error refusal(const char* why) { return {Code::overloaded, Side::self, true, 503, why}; }

// One more value of a moving average. Two workers may do it at once, and one be lost.
void average(std::atomic<int64_t>& of, Duration value) {
  constexpr int64_t weight = 16;
  const int64_t before = of.load(std::memory_order_relaxed);
  const int64_t now = value.count();
  of.store(before == 0 ? now : before + (now - before) / weight, std::memory_order_relaxed);
}

}  // namespace

Compartment::Compartment(const CompartmentLimits& limits) { configure(limits); }
Compartment::~Compartment() { CHECK(state_.load().in_flight == 0 && state_.load().queued == 0); }

void Compartment::configure(const CompartmentLimits& limits) {
  const std::lock_guard lock(mutex_);
  if (!gradient_ || limits.adaptive != limits_.adaptive) {
    gradient_.reset();
    if (limits.adaptive) gradient_.emplace(*limits.adaptive);
  }
  limits_ = limits;
  queue_.set_shares(limits.shares, limits.standard_share);
  set_limit(gradient_ ? gradient_->limit() : limits.concurrency);
  fast_ = !limits.keyed && limits.bytes == 0 && !limits.adaptive;
}

void Compartment::wake(Loop& loop) {
  const std::lock_guard lock(mutex_);
  dispatch(loop);
}

// ---- The word of permits and waiters.

template <class Change>
void Compartment::change(Change f) {
  State now = state_.load(std::memory_order_relaxed);
  State next;
  do {
    next = now;
    f(next);
  } while (!state_.compare_exchange_weak(now, next, std::memory_order_acq_rel));
}

// Only while nobody waits: else a newcomer would overtake.
bool Compartment::take_fast() {
  State now = state_.load(std::memory_order_relaxed);
  while (now.queued == 0 && now.in_flight < limit_.load(std::memory_order_relaxed))
    if (state_.compare_exchange_weak(now, State{now.in_flight + 1, 0}, std::memory_order_acq_rel))
      return true;
  return false;
}

bool Compartment::release_fast() {
  State now = state_.load(std::memory_order_relaxed);
  while (now.queued == 0)
    if (state_.compare_exchange_weak(now, State{now.in_flight - 1, 0}, std::memory_order_acq_rel))
      return true;
  return false;
}

// ---- Under the lock.

bool Compartment::fits(uint64_t bytes) const {
  return limits_.bytes == 0 || bytes_ + bytes <= limits_.bytes;
}

bool Compartment::overloaded(Time now) const {
  return busy_since_ != never && now - busy_since_ >= overload_after;
}

// Whether it would still be in time when so many go first.
bool Compartment::too_late(const Acquire& waiter, Time now, uint64_t ahead) const {
  if (waiter.deadline_ == never) return false;
  const auto held = static_cast<uint64_t>(held_ns_.load(std::memory_order_relaxed));
  const uint64_t limit = std::max(1u, limit_.load(std::memory_order_relaxed));
  const Duration turn(static_cast<int64_t>(held * ahead / limit));
  return after(now, turn + answer_time()) > waiter.deadline_;
}

// How full it may be for one more of that key.
uint32_t Compartment::limit_for(const FairQueue::Key& key) const {
  const uint32_t limit = limit_.load(std::memory_order_relaxed);
  const auto lent = std::max(1u, static_cast<uint32_t>(uint64_t{limit} * limits_.lend / 10'000));
  return key.in_flight < std::max(1u, limit - lent) ? limit : lent;
}

void Compartment::take(Acquire& waiter) {
  bytes_ += waiter.bytes;
  waiter.permit_key_ = waiter.key;
  if (waiter.key != nullptr) queue_.started(*waiter.key);
  admitted_.fetch_add(1, std::memory_order_relaxed);
}

void Compartment::enqueue(Acquire& waiter) {
  queue_.push(waiter);
  waiter.waiting_ = true;
}

void Compartment::dequeue(Acquire& waiter) {
  queue_.remove(waiter);
  waiter.waiting_ = false;
  change([](State& s) { --s.queued; });
  if (state_.load(std::memory_order_relaxed).queued == 0) busy_since_ = never;
}

void Compartment::drop(Acquire& waiter, Counter& count, const char* why, Loop& from) {
  dequeue(waiter);
  queue_.forget(*waiter.key);
  count.fetch_add(1, std::memory_order_relaxed);
  waiter.decide(fail(refusal(why)), from);
}

// Gives what is free to those who wait.
void Compartment::dispatch(Loop& from) {
  const Time now = from.now();
  for (;;) {
    const State state = state_.load(std::memory_order_relaxed);
    if (state.queued == 0) return;
    // Who has least comes first, so nobody behind it has a better claim.
    auto* next = static_cast<Acquire*>(queue_.next(overloaded(now)));
    if (state.in_flight >= limit_for(*next->key)) return;
    if (too_late(*next, now, 0)) {
      drop(*next, refused_late_, late, from);
      continue;
    }
    if (!fits(next->bytes)) return;
    change([](State& s) { ++s.in_flight; });
    dequeue(*next);
    take(*next);
    waited_.fetch_add(1, std::memory_order_relaxed);
    waited_ns_.fetch_add(static_cast<uint64_t>(std::max<int64_t>(0, (now - next->since_).count())),
                         std::memory_order_relaxed);
    next->decide({}, from);
  }
}

Compartment::Entered Compartment::enter(Acquire& waiter) {
  if (has_fast_path() && take_fast()) {
    admitted_.fetch_add(1, std::memory_order_relaxed);
    return Entered::permit;
  }
  const std::lock_guard lock(mutex_);
  const Time now = waiter.loop_->now();
  if (gradient_ && gradient_->check(now)) {
    set_limit(gradient_->limit());
    dispatch(*waiter.loop_);
  }
  waiter.key = &queue_.key(limits_.keyed ? waiter.ask_.key : std::string_view());
  waiter.bytes = limits_.bytes != 0 ? std::min(waiter.ask_.bytes, limits_.bytes) : 0;
  bool got = false;
  const uint32_t limit = limit_for(*waiter.key);
  const bool room = fits(waiter.bytes);
  // Those that wait for what is kept for others are not overtaken by them.
  const bool kept = !waiter.key->waits() && limits_.lend < 10'000;
  change([&](State& s) {
    got = room && (s.queued == 0 || kept) && s.in_flight < limit;
    got ? ++s.in_flight : ++s.queued;
  });
  if (got) {
    take(waiter);
    return Entered::permit;
  }
  // It counts as one that waits from here on, so that no permit comes back unseen.
  const uint64_t others = state_.load(std::memory_order_relaxed).queued - 1;
  if (others == 0) busy_since_ = now;
  const bool newest_first = overloaded(now);
  const uint64_t ahead = queue_.ahead_of(*waiter.key, waiter.priority, newest_first);
  enqueue(waiter);
  if (too_late(waiter, now, ahead + 1)) {
    dequeue(waiter);
    queue_.forget(*waiter.key);
    refused_late_.fetch_add(1, std::memory_order_relaxed);
    waiter.result_ = fail(refusal(late));
    return Entered::refused;
  }
  return others < limits_.queue ? wait_for_turn(waiter, now) : make_room(waiter, now);
}

// Until a start would be too late.
Compartment::Entered Compartment::wait_for_turn(Acquire& waiter, Time now) {
  const Time last =
      waiter.deadline_ == never ? never : std::max(now, waiter.deadline_ - answer_time());
  waiter.late_first_ = last < after(now, limits_.wait);
  waiter.until = std::min(after(now, limits_.wait), last);
  return Entered::queued;
}

// The queue is full: one of those in it, or the newcomer, must go.
Compartment::Entered Compartment::make_room(Acquire& waiter, Time now) {
  dequeue(waiter);
  auto* out =
      limits_.queue == 0
          ? nullptr
          : static_cast<Acquire*>(queue_.victim(*waiter.key, waiter.priority, overloaded(now)));
  if (out == nullptr) {
    queue_.forget(*waiter.key);
    refused_full_.fetch_add(1, std::memory_order_relaxed);
    waiter.result_ = fail(refusal(full));
    return Entered::refused;
  }
  change([](State& s) { ++s.queued; });
  enqueue(waiter);
  drop(*out, refused_full_, full, *waiter.loop_);
  return wait_for_turn(waiter, now);
}

void Compartment::release(Permit& permit) {
  average(held_ns_, permit.loop_->now() - permit.since_);
  if (permit.key_ == nullptr && release_fast()) return;
  const std::lock_guard lock(mutex_);
  bytes_ -= permit.bytes_;
  if (permit.key_ != nullptr) queue_.ended(*permit.key_);
  change([](State& s) { --s.in_flight; });
  dispatch(*permit.loop_);
}

void Compartment::learn(Learn from, Duration took, Loop& loop) {
  if (has_fast_path()) return;
  const std::lock_guard lock(mutex_);
  const uint32_t in_flight = state_.load(std::memory_order_relaxed).in_flight;
  if (!gradient_ || !((*gradient_).*from)(took, in_flight, loop.now())) return;
  set_limit(gradient_->limit());
  dispatch(loop);
}

Compartment::Status Compartment::status() const {
  const State now = state_.load(std::memory_order_relaxed);
  const auto count = [](const Counter& c) { return c.load(std::memory_order_relaxed); };
  const std::lock_guard lock(mutex_);  // for the bytes
  return {.limit = limit_.load(std::memory_order_relaxed),
          .in_flight = now.in_flight,
          .queued = now.queued,
          .admitted = count(admitted_),
          .waited = count(waited_),
          .refused_full = count(refused_full_),
          .refused_late = count(refused_late_),
          .refused_waited = count(refused_waited_),
          .bytes = bytes_,
          .waited_for = Duration(static_cast<int64_t>(count(waited_ns_)))};
}

// Those that wait, at the speed at which permits come back. Rounded up: who comes a moment too
// early is refused again.
uint32_t Compartment::retry_after_seconds() const {
  const State now = state_.load(std::memory_order_relaxed);
  const double limit = std::max(1u, limit_.load(std::memory_order_relaxed));
  const double held = static_cast<double>(held_ns_.load(std::memory_order_relaxed)) * 1e-9;
  return static_cast<uint32_t>(std::clamp(std::ceil((now.queued + 1) * held / limit), 1.0, 60.0));
}

// ---- The one who waits.

bool Compartment::Acquire::begin(Context& context, std::coroutine_handle<> caller) {
  if (auto why = context.cancel.why()) {
    result_ = fail(*why, Side::self, "called off before a permit was asked for");
    return false;
  }
  loop_ = &context.loop;
  caller_ = caller;
  since_ = loop_->now();
  deadline_ = context.deadline;
  priority = ask_.priority;
  if (home_.enter(*this) != Entered::queued) return false;
  context.cancel.add(*this);
  if (until != never) loop_->arm(*this, until);
  return true;
}

Result<Compartment::Permit> Compartment::Acquire::await_resume() {
  if (!result_) return std::unexpected(result_.error());
  return Permit(home_, *loop_, permit_key_, bytes);
}

// Under the lock, on any thread. On another loop's thread only a message may touch this one.
void Compartment::Acquire::decide(Result<> result, Loop& from) {
  result_ = std::move(result);
  if (loop_ == &from)
    arrive();
  else
    loop_->send([this] { arrive(); });
}

void Compartment::Acquire::arrive() {
  Cancellable::unlink();
  disarm();
  loop_->post(caller_);
}

// Ends the wait, if nobody has decided yet: a decision is on its way, and comes.
bool Compartment::Acquire::leave(Error why) {
  {
    const std::lock_guard lock(home_.mutex_);
    if (!waiting_) return false;
    home_.dequeue(*this);
    home_.queue_.forget(*key);
    result_ = fail(why);
    // It may have stood before smaller ones, for which there are bytes enough.
    home_.dispatch(*loop_);
  }
  arrive();
  return true;
}

void Compartment::Acquire::fire() noexcept {
  if (!leave(refusal(late_first_ ? late : waited_out))) return;
  Counter& count = late_first_ ? home_.refused_late_ : home_.refused_waited_;
  count.fetch_add(1, std::memory_order_relaxed);
}

void Compartment::Acquire::on_cancel(Code why) noexcept {
  leave({why, Side::self, false, 0, "called off while waiting for a permit"});
}

void Compartment::Acquire::describe(std::string& out, int depth) const {
  describe_line(out, depth, "permit of a compartment");
}

Compartment::Permit::Permit(Compartment& home, Loop& loop, FairQueue::Key* key, uint64_t bytes)
    : home_(&home), loop_(&loop), key_(key), bytes_(bytes), since_(loop.now()) {}

Compartment::Permit::Permit(Permit&& other) noexcept
    : home_(std::exchange(other.home_, nullptr)),
      loop_(other.loop_),
      key_(other.key_),
      bytes_(other.bytes_),
      since_(other.since_) {}

Compartment::Permit::~Permit() {
  if (home_ != nullptr) home_->release(*this);
}

void Compartment::Permit::answered(Time begun) {
  const Duration took = loop_->now() - std::max(since_, begun);
  average(home_->answer_ns_, took);
  home_->learn(&Gradient::sample, took, *loop_);
}

void Compartment::Permit::unanswered(Time begun) {
  home_->learn(&Gradient::unanswered, loop_->now() - std::max(since_, begun), *loop_);
}

}  // namespace banyan
