// TimerWheel: every timer of a loop. Arming and disarming take O(1) whatever the number of timers;
// times are exact (no rounding to ticks), which the simulator's tests rely on. Owner: the loop. A
// Timer belongs to whoever waits and disarms itself when it dies. Thread: the loop's. Five levels
// of 64 slots; a level-0 slot spans 2^20 ns (about 1 ms). Beyond 2^50 ns (13 days) a timer waits in
// the last slot and is placed again. Source: Varghese and Lauck, "Hashed and Hierarchical Timing
// Wheels", 1987.
#pragma once
#include <cstdint>

#include "base/intrusive.h"
#include "task/time.h"

namespace banyan {

class Timer : public Hook {
 public:
  // Called once, already disarmed. May arm itself again.
  virtual void fire() noexcept = 0;
  bool armed() const { return linked(); }
  void disarm() { unlink(); }
  Time at() const { return at_; }

 protected:
  ~Timer() = default;

 private:
  friend class TimerWheel;
  Time at_{};
};

class TimerWheel {
 public:
  explicit TimerWheel(Time now) : tick_(tick_of(now)) {}
  // Arms, or moves an armed timer. A time in the past fires on the next advance().
  void arm(Timer& timer, Time at);
  // When to call advance() next: never later than the earliest timer. It may be earlier: when that
  // one is in a later block of 64 slots, or was disarmed. `never` when there has been none since
  // the last advance().
  Time next() const { return soonest_; }
  // Fires every timer with at <= now, earliest slot first. One that is armed by a timer that fires,
  // for a time that has passed too, may have to wait for the next call.
  void advance(Time now);

 private:
  static constexpr int tick_bits = 20, level_bits = 6, levels = 5, slots = 64;
  static uint64_t tick_of(Time at) {
    return static_cast<uint64_t>(at.time_since_epoch().count()) >> tick_bits;
  }
  struct Place {
    int level;
    int slot;
  };
  Place place(uint64_t tick) const;
  void insert(Timer& timer);
  Time find_soonest() const;
  void move_to(uint64_t tick, List<Timer>& late);
  // The next occupied slot after the current one, and its first tick.
  bool next_slot(Place& where, uint64_t& tick) const;
  void cascade(Place where);
  void fire_due(Time now);

  uint64_t tick_;         // of the last advance() that had something to do
  Time soonest_ = never;  // no timer is due before; kept, so that a turn need not look at any
  mutable uint64_t occupied_[levels] = {};  // a bit may be stale: set though its slot emptied
  List<Timer> wheel_[levels][slots];
};

}  // namespace banyan
