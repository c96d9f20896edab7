#include "task/timers.h"

#include <algorithm>
#include <bit>

namespace banyan {

void TimerWheel::arm(Timer& timer, Time at) {
  timer.disarm();
  timer.at_ = std::max(at, Time{});
  soonest_ = std::min(soonest_, timer.at_);
  insert(timer);
}

void TimerWheel::insert(Timer& timer) {
  const Place p = place(std::max(tick_of(timer.at_), tick_));
  wheel_[p.level][p.slot].push_back(timer);
  occupied_[p.level] |= uint64_t{1} << p.slot;
}

// The level is where the tick first differs from the current one, so a slot is never behind us.
TimerWheel::Place TimerWheel::place(uint64_t tick) const {
  const uint64_t differs = tick ^ tick_;
  const int level = differs == 0 ? 0 : (std::bit_width(differs) - 1) / level_bits;
  if (level >= levels) return {levels - 1, slots - 1};
  return {level, static_cast<int>(tick >> (level * level_bits) & (slots - 1))};
}

bool TimerWheel::next_slot(Place& where, uint64_t& tick) const {
  for (int level = 0; level < levels; ++level) {
    const int shift = level * level_bits;
    const int current = static_cast<int>(tick_ >> shift & (slots - 1));
    uint64_t later = current == slots - 1 ? 0 : occupied_[level] & (~uint64_t{0} << (current + 1));
    while (later != 0) {
      const int slot = std::countr_zero(later);
      if (!wheel_[level][slot].empty()) {
        where = {level, slot};
        tick = ((tick_ >> shift & ~uint64_t{slots - 1}) | static_cast<uint64_t>(slot)) << shift;
        return true;
      }
      occupied_[level] &= ~(uint64_t{1} << slot);
      later &= later - 1;
    }
  }
  return false;
}

Time TimerWheel::find_soonest() const {
  auto earliest = [](const List<Timer>& list) {
    Time best = never;
    for (Timer* t = list.front(); t != nullptr; t = list.after(*t)) best = std::min(best, t->at());
    return best;
  };
  // What was armed for the past sits in the current slot.
  const auto& current = wheel_[0][tick_ & (slots - 1)];
  if (!current.empty()) return earliest(current);
  // The last slot of the last level holds timers beyond the wheel's span, also when it is current.
  Place where{};
  uint64_t tick = 0;
  if (!next_slot(where, tick)) {
    return wheel_[levels - 1][slots - 1].empty() ? never : earliest(wheel_[levels - 1][slots - 1]);
  }
  if (where.level == 0) return earliest(wheel_[0][where.slot]);
  return Time(Duration(static_cast<int64_t>(tick << tick_bits)));
}

void TimerWheel::cascade(Place where) {
  List<Timer> moved;
  moved.take(wheel_[where.level][where.slot]);
  occupied_[where.level] &= ~(uint64_t{1} << where.slot);
  while (Timer* timer = moved.pop_front()) insert(*timer);
}

void TimerWheel::fire_due(Time now) {
  auto& slot = wheel_[0][tick_ & (slots - 1)];
  List<Timer> due;
  for (Timer* t = slot.front(); t != nullptr;) {
    Timer* following = slot.after(*t);
    if (t->at() <= now) {
      t->unlink();
      due.push_back(*t);
    }
    t = following;
  }
  // Firing one may disarm another that is due: it then leaves the list, and is not fired.
  while (Timer* timer = due.pop_front()) timer->fire();
}

// Time moves on. What is left in the current slot was armed by a timer that fired, for a moment
// that has passed: it is taken along, because a slot behind us is not looked at again.
void TimerWheel::move_to(uint64_t tick, List<Timer>& late) {
  late.take(wheel_[0][tick_ & (slots - 1)]);
  const bool beyond = (tick ^ tick_) >> (levels * level_bits) != 0;
  tick_ = tick;
  // Out of the wheel's span: what waited beyond it is placed again.
  if (beyond) cascade({levels - 1, slots - 1});
}

void TimerWheel::advance(Time now) {
  if (now < soonest_) return;  // nothing is due: most turns end here
  const uint64_t target = tick_of(now);
  List<Timer> late;
  fire_due(now);
  Place where{};
  uint64_t tick = 0;
  while (next_slot(where, tick) && tick <= target) {
    move_to(tick, late);
    if (where.level > 0) cascade(where);
    fire_due(now);
  }
  if (target > tick_) {
    move_to(target, late);
    fire_due(now);
  }
  while (Timer* timer = late.pop_front()) insert(*timer);
  soonest_ = find_soonest();
}

}  // namespace banyan
