// FairQueue: who gets the next permit of a compartment. Between priorities the higher one first;
// between keys (tenants) the one that has the smallest part of its share in use, so that each gets
// its share under load, shares that are idle are lent, and a flood by one key waits behind itself;
// within a key the oldest, or under overload the newest (the oldest will time out anyway).
// Owner: a compartment, under its lock. Thread: any. Bound: the compartment's queue; keys that have
// nothing in flight and nobody waiting are forgotten. Cost: O(log keys) a call.
// Source: max-min fairness as in weighted fair queueing (Demers, Keshav and Shenker, 1989), on what
// is in use instead of on what was sent, because a permit is held for an unknown time.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/intrusive.h"
#include "task/time.h"

namespace banyan {

enum class Priority : uint8_t { high, normal, low };
inline constexpr size_t priorities = 3;

class FairQueue {
 public:
  struct Key;

  // One that waits: a hook in its key's list.
  struct Ticket : Hook {
    Key* key = nullptr;
    Priority priority = Priority::normal;
    uint64_t bytes = 0;
    Time until = never;  // a start after it would be too late
  };

  struct Key {
    Key(std::string_view n, uint32_t w) : name(n), weight(w) {}
    const std::string name;
    uint32_t weight;  // 1 and more
    uint32_t in_flight = 0;
    uint64_t served = 0;  // when it was served last, as a running number
    std::array<List<Ticket>, priorities> waiting;
    std::array<uint32_t, priorities> counts{};
    bool waits() const { return counts[0] + counts[1] + counts[2] != 0; }
    bool idle() const { return in_flight == 0 && !waits(); }
  };

  // Weights by name; names that are not in it have `standard`.
  void set_shares(std::map<std::string, uint32_t, std::less<>> shares, uint32_t standard);

  // The key of that name, made if need be; forget() it when it may be idle.
  Key& key(std::string_view name);
  void forget(Key& key);

  void push(Ticket& ticket);
  void remove(Ticket& ticket);
  // Who is next; null: nobody waits. It stays in the queue.
  Ticket* next(bool newest_first) const;
  // Who makes room for one more of `key`, when the queue is full: of the lowest priority that is no
  // higher than the newcomer's, the key that takes the most room for its share. Null: the newcomer
  // itself has no better claim.
  Ticket* victim(const Key& key, Priority priority, bool newest_first) const;

  // About how many are served before one more of `key`: those of higher priority, and of its own as
  // many as the others' shares let go while its own are served.
  uint64_t ahead_of(const Key& key, Priority priority, bool newest_first) const;

  void started(Key& key);
  void ended(Key& key);
  size_t keys() const { return keys_.size(); }

 private:
  // Least part of its share in use first; among equals the one that was served longest ago.
  struct LessServed {
    bool operator()(const Key* a, const Key* b) const;
  };
  // Most waiting for its share first.
  struct MoreWaiting {
    size_t level;
    bool operator()(const Key* a, const Key* b) const;
  };
  struct Level {
    explicit Level(size_t index) : crowd(MoreWaiting{index}) {}
    std::set<Key*, LessServed> turn;
    std::set<Key*, MoreWaiting> crowd;
    uint64_t waiting = 0;
    uint64_t weight = 0;  // of the keys in it
  };
  template <class Change>
  void reorder(Key& key, Change change);

  std::map<std::string, std::unique_ptr<Key>, std::less<>> keys_;
  std::map<std::string, uint32_t, std::less<>> shares_;
  uint32_t standard_share_ = 1;
  uint64_t served_ = 0;
  std::array<Level, priorities> levels_{Level(0), Level(1), Level(2)};
};

}  // namespace banyan
