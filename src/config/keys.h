// Keys: finds a key among the entries of a map that is still growing: by looking at each while they
// are few, by a hash once they are many (services come by the thousand). Owner: whoever fills the
// map; `entries` outlives it, and only grows. Thread: one.
#pragma once
#include <string>
#include <unordered_map>

#include "config/yaml.h"

namespace banyan {

class Keys final {
 public:
  explicit Keys(std::vector<Entry>& entries) : entries_(entries) {}

  Entry* find(const std::string& key) {
    if (entries_.size() <= few) return find_among_few(key);
    for (; indexed_ < entries_.size(); ++indexed_) index_.emplace(entries_[indexed_].key, indexed_);
    const auto found = index_.find(key);
    return found != index_.end() ? &entries_[found->second] : nullptr;
  }

 private:
  static constexpr size_t few = 16;

  Entry* find_among_few(const std::string& key) {
    for (Entry& entry : entries_)
      if (entry.key == key) return &entry;
    return nullptr;
  }

  std::vector<Entry>& entries_;
  // The keys are copies: those in `entries_` move when it grows.
  std::unordered_map<std::string, size_t> index_;
  size_t indexed_ = 0;
};

}  // namespace banyan
