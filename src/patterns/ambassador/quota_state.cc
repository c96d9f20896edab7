#include "patterns/ambassador/quota_state.h"

#include <algorithm>

namespace banyan {

// What has ended is forgotten.
void QuotaState::begin_window(Time now) {
  if (now >= reset_at_) {
    reset_at_ = never;
    remaining_ = limit_;
  }
  if (own_reset_at_ && now >= *own_reset_at_) {
    own_reset_at_.reset();
    own_used_ = 0;
  }
}

// By the service's word, without those that are under way.
std::optional<uint64_t> QuotaState::left() const {
  if (!remaining_) return std::nullopt;
  return *remaining_ - std::min(*remaining_, under_way_);
}

QuotaState::Answer QuotaState::ask(Time now) {
  const std::lock_guard lock(mutex_);
  begin_window(now);
  if (now < paused_until_) return {false, paused_until_};
  if (settings_.limit && own_used_ >= *settings_.limit) return {false, *own_reset_at_};
  const auto remaining = left();
  // Used up; or all that is left may be with those under way, whose answers will tell.
  if (remaining && *remaining == 0) {
    const bool may_change = *remaining_ != 0 || reset_at_ == never;
    return {false, may_change ? std::min(reset_at_, after(now, look_again)) : reset_at_};
  }
  if (!remaining && learned_ && under_way_ != 0) return {false, after(now, look_again)};
  ++under_way_;
  if (settings_.limit) {
    if (!own_reset_at_) own_reset_at_ = after(now, *settings_.window);
    ++own_used_;
  }
  return {true, {}};
}

void QuotaState::ended(const QuotaSaid& said, std::optional<Duration> paused, Time now) {
  const std::lock_guard lock(mutex_);
  --under_way_;
  if (!settings_.learn) return;
  if (paused) paused_until_ = std::max(paused_until_, after(now, std::min(*paused, pause_max)));
  if (said.limit) limit_ = said.limit;
  if (!said.remaining) return;
  learned_ = true;
  begin_window(now);
  const Time reset = after(now, std::min(said.reset.value_or(look_again), pause_max));
  // Answers overtake each other: within one window the least is the newest.
  const bool same =
      remaining_ && reset_at_ != never && reset < after(reset_at_, std::chrono::milliseconds(1500));
  remaining_ = same ? std::min(*remaining_, *said.remaining) : *said.remaining;
  if (!same) reset_at_ = reset;
}

bool QuotaState::enter_queue() {
  const std::lock_guard lock(mutex_);
  if (queued_ >= settings_.queue) return false;
  ++queued_;
  return true;
}

void QuotaState::leave_queue(bool in_vain) {
  const std::lock_guard lock(mutex_);
  --queued_;
  if (!in_vain) ++waited_;
}

void QuotaState::refuse() {
  const std::lock_guard lock(mutex_);
  ++refused_;
}

QuotaState::Status QuotaState::status(Time now) const {
  const std::lock_guard lock(mutex_);
  Status out{.remaining = {}, .queued = queued_, .waited = waited_, .refused = refused_};
  if (remaining_ && now < reset_at_) out.remaining = left();
  if (settings_.limit) {
    const bool over = own_reset_at_ && now >= *own_reset_at_;
    const uint64_t own = *settings_.limit - (over ? 0 : own_used_);
    out.remaining = std::min(out.remaining.value_or(own), own);
  }
  if (now < paused_until_) out.remaining = 0;
  return out;
}

QuotaStatePtr QuotaStates::of(const std::string& service, const QuotaSettings& settings) {
  const std::lock_guard lock(mutex_);
  Kept& kept = all_[service];
  if (kept.state == nullptr || !(kept.settings == settings))
    kept = {settings, std::make_shared<QuotaState>(settings)};
  return kept.state;
}

std::map<std::string, QuotaStatePtr> QuotaStates::all() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, QuotaStatePtr> out;
  for (const auto& [name, kept] : all_) out.emplace(name, kept.state);
  return out;
}

}  // namespace banyan
