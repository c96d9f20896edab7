// Loop: one thread's clock, timers and run queue. Time, randomness and wake-ups come from here
// alone, so the same code runs in a deterministic simulation (decision 5 of the architecture).
// Owner: the thread that runs it. Thread: its own, except send(), which any thread may call.
// A Poller decides what "wait" means: epoll blocks, the simulator jumps to the next timer.
// Bound: a coroutine may complete `turn_budget` operations without waiting, then it queues behind
// the others.
#pragma once
#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "task/timers.h"

namespace banyan {

// What a loop waits with. The engine (io/engine.h) is one.
class Poller {
 public:
  virtual ~Poller() = default;
  virtual Time now() = 0;
  virtual WallTime wall() = 0;
  // Waits for events until `until` (never: without limit; a past time: does not wait). Returns
  // false when nothing can ever happen any more (the simulator is stuck).
  virtual bool wait(Time until) = 0;
  // Handles the events that wait() found: completes operations, which resumes or posts coroutines.
  // Apart from wait() so that the loop reads the clock in between.
  virtual void dispatch() = 0;
  // Ends a wait, from any thread.
  virtual void wake() = 0;
};

class Loop {
 public:
  using Message = std::move_only_function<void()>;

  // `seed` makes random() repeatable.
  Loop(Poller& poller, uint64_t seed);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Stands still while coroutines run: one reading a turn.
  Time now() const { return now_; }
  WallTime wall() const { return wall_at_ + (now_ - wall_read_); }
  // Not for secrets: xoshiro256** (Blackman and Vigna, 2018).
  uint64_t random();
  // 0 <= value < bound; bound > 0.
  uint64_t random_below(uint64_t bound);

  // Runs the coroutine in this turn, or the next when this turn is used up.
  void post(std::coroutine_handle<> ready) { ready_.push_back(ready); }
  // Runs it now, with a budget of its own. For the engine, as the last act of an event.
  void resume(std::coroutine_handle<> ready) {
    budget_ = turn_budget;
    ready.resume();
  }
  void arm(Timer& timer, Time at) { timers_.arm(timer, at); }
  // True while the running coroutine may go on without waiting.
  bool spend() { return budget_ != 0 && budget_-- != 0; }

  // From any thread: runs `message` on this loop. Not bounded: senders are few (reload, admin,
  // limits).
  void send(Message message);

  // Turns until stop(); one that came before ends it at once.
  void run();
  void stop() { stopping_ = true; }
  // One turn: what is ready, then messages, events, timers. False when the poller is stuck.
  bool turn();
  // The longest time between two waits since the last call: how late an event can be seen (loop
  // lag).
  Duration take_longest_turn();

 private:
  void run_ready();
  void run_messages();
  void read_clock();

  static constexpr uint32_t turn_budget = 64;

  Poller& poller_;
  Time now_;
  WallTime wall_at_;
  Time wall_read_;
  TimerWheel timers_;
  std::vector<std::coroutine_handle<>> ready_, running_;
  uint32_t budget_ = turn_budget;
  bool stopping_ = false;
  uint64_t random_[4];
  Duration longest_turn_{};
  std::mutex messages_mutex_;
  std::vector<Message> messages_;
  std::atomic<bool> has_messages_{false};
};

}  // namespace banyan
