#include "task/loop.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace banyan {

namespace {

uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

// splitmix64: spreads a small seed over the state (Steele, Lea and Flood, 2014).
uint64_t spread(uint64_t& seed) {
  uint64_t z = seed += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

}  // namespace

Loop::Loop(Poller& poller, uint64_t seed)
    : poller_(poller),
      now_(poller.now()),
      wall_at_(poller.wall()),
      wall_read_(now_),
      timers_(now_) {
  for (auto& word : random_) word = spread(seed);
}

uint64_t Loop::random() {
  const uint64_t result = rotate(random_[1] * 5, 7) * 9;
  const uint64_t shifted = random_[1] << 17;
  random_[2] ^= random_[0];
  random_[3] ^= random_[1];
  random_[1] ^= random_[2];
  random_[0] ^= random_[3];
  random_[2] ^= shifted;
  random_[3] = rotate(random_[3], 45);
  return result;
}

uint64_t Loop::random_below(uint64_t bound) {
  CHECK(bound > 0);
  return static_cast<uint64_t>(static_cast<unsigned __int128>(random()) * bound >> 64);
}

void Loop::send(Message message) {
  {
    std::lock_guard lock(messages_mutex_);
    messages_.push_back(std::move(message));
  }
  has_messages_.store(true, std::memory_order_release);
  poller_.wake();
}

void Loop::run_messages() {
  if (!has_messages_.exchange(false, std::memory_order_acquire)) return;
  std::vector<Message> batch;
  {
    std::lock_guard lock(messages_mutex_);
    batch.swap(messages_);
  }
  for (auto& message : batch) message();
}

// A coroutine posted while the batch runs waits for the next batch: nobody can hold the loop.
void Loop::run_ready() {
  running_.swap(ready_);
  for (auto handle : running_) resume(handle);
  running_.clear();
}

void Loop::read_clock() {
  now_ = std::max(now_, poller_.now());
  // The wall clock is read once a second: between, it follows the steady one.
  if (now_ - wall_read_ >= std::chrono::seconds(1)) {
    wall_at_ = poller_.wall();
    wall_read_ = now_;
  }
}

bool Loop::turn() {
  run_ready();
  run_messages();
  const bool busy = !ready_.empty() || has_messages_.load(std::memory_order_acquire);
  longest_turn_ = std::max(longest_turn_, poller_.now() - now_);
  const bool alive = poller_.wait(busy || stopping_ ? Time{} : timers_.next());
  read_clock();
  // Events before timers: data that came in time wins over the limit that passed while we were
  // busy.
  poller_.dispatch();
  timers_.advance(now_);
  return alive || !ready_.empty();
}

void Loop::run() {
  while (!stopping_) CHECK(turn());
  stopping_ = false;
}

Duration Loop::take_longest_turn() { return std::exchange(longest_turn_, Duration{}); }

}  // namespace banyan
