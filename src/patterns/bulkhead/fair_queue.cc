#include "patterns/bulkhead/fair_queue.h"

#include <algorithm>

namespace banyan {

namespace {

size_t index_of(Priority priority) { return static_cast<size_t>(priority); }

// a / b < c / d without a division.
bool smaller_part(uint64_t a, uint64_t b, uint64_t c, uint64_t d) { return a * d < c * b; }

}  // namespace

bool FairQueue::LessServed::operator()(const Key* a, const Key* b) const {
  if (smaller_part(a->in_flight, a->weight, b->in_flight, b->weight)) return true;
  if (smaller_part(b->in_flight, b->weight, a->in_flight, a->weight)) return false;
  if (a->served != b->served) return a->served < b->served;
  return a->name < b->name;
}

bool FairQueue::MoreWaiting::operator()(const Key* a, const Key* b) const {
  if (smaller_part(b->counts[level], b->weight, a->counts[level], a->weight)) return true;
  if (smaller_part(a->counts[level], a->weight, b->counts[level], b->weight)) return false;
  return a->name < b->name;
}

void FairQueue::set_shares(std::map<std::string, uint32_t, std::less<>> shares, uint32_t standard) {
  shares_ = std::move(shares);
  standard_share_ = standard;
  for (auto& [name, key] : keys_) {
    const auto share = shares_.find(name);
    const uint32_t weight = share != shares_.end() ? share->second : standard_share_;
    reorder(*key, [&] { key->weight = weight; });
  }
}

FairQueue::Key& FairQueue::key(std::string_view name) {
  if (const auto found = keys_.find(name); found != keys_.end()) return *found->second;
  const auto share = shares_.find(name);
  auto made = std::make_unique<Key>(name, share != shares_.end() ? share->second : standard_share_);
  return *keys_.emplace(std::string(name), std::move(made)).first->second;
}

void FairQueue::forget(Key& key) {
  if (key.idle()) keys_.erase(key.name);
}

// What a key is ordered by may only change while it is in no set.
template <class Change>
void FairQueue::reorder(Key& key, Change change) {
  for (size_t i = 0; i < priorities; ++i) {
    if (key.counts[i] == 0) continue;
    levels_[i].turn.erase(&key);
    levels_[i].crowd.erase(&key);
    levels_[i].weight -= key.weight;
  }
  change();
  for (size_t i = 0; i < priorities; ++i) {
    if (key.counts[i] == 0) continue;
    levels_[i].turn.insert(&key);
    levels_[i].crowd.insert(&key);
    levels_[i].weight += key.weight;
  }
}

void FairQueue::push(Ticket& ticket) {
  Key& key = *ticket.key;
  const size_t level = index_of(ticket.priority);
  reorder(key, [&] {
    key.waiting[level].push_back(ticket);
    ++key.counts[level];
  });
  ++levels_[level].waiting;
}

void FairQueue::remove(Ticket& ticket) {
  Key& key = *ticket.key;
  const size_t level = index_of(ticket.priority);
  reorder(key, [&] {
    ticket.unlink();
    --key.counts[level];
  });
  --levels_[level].waiting;
}

FairQueue::Ticket* FairQueue::next(bool newest_first) const {
  for (size_t i = 0; i < priorities; ++i) {
    if (levels_[i].turn.empty()) continue;
    const List<Ticket>& waiting = (*levels_[i].turn.begin())->waiting[i];
    return newest_first ? waiting.back() : waiting.front();
  }
  return nullptr;
}

FairQueue::Ticket* FairQueue::victim(const Key& key, Priority priority, bool newest_first) const {
  for (size_t i = priorities; i-- > index_of(priority);) {
    if (levels_[i].crowd.empty()) continue;
    const Key& most = **levels_[i].crowd.begin();
    const bool lower = i > index_of(priority);
    // Of the same priority, whoever waits most for its share goes. When that is the newcomer's own
    // key, the newcomer goes; but where the newest are served first, the oldest.
    const bool own = &most == &key || !smaller_part(uint64_t{key.counts[i]} + 1, key.weight,
                                                    most.counts[i], most.weight);
    if (!lower && own && !newest_first) return nullptr;
    const Key& from = !lower && own && key.counts[i] != 0 ? key : most;
    return newest_first ? from.waiting[i].front() : from.waiting[i].back();
  }
  return nullptr;
}

uint64_t FairQueue::ahead_of(const Key& key, Priority priority, bool newest_first) const {
  const size_t level = index_of(priority);
  uint64_t out = 0;
  for (size_t i = 0; i < level; ++i) out += levels_[i].waiting;
  const Level& own = levels_[level];
  const uint64_t mine = newest_first ? 0 : key.counts[level];
  const uint64_t weights = own.weight + (key.counts[level] == 0 ? key.weight : 0);
  return out + std::min(own.waiting, (mine + 1) * weights / key.weight - 1);
}

void FairQueue::started(Key& key) {
  reorder(key, [&] {
    ++key.in_flight;
    key.served = ++served_;
  });
}

void FairQueue::ended(Key& key) {
  reorder(key, [&] { --key.in_flight; });
  forget(key);
}

}  // namespace banyan
