// RegexGroup: the regular expressions of one site's paths, asked together. A few are tried one by
// one; many go through one RE2::Set, so that the cost follows the length of the path and not their
// number. Owner: the route table. Thread: built on one, then read only (RE2 guards its own cache).
// Bound: the Set's memory; when a path needs more than it has, each expression is tried by itself.
#pragma once
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "patterns/routing/regex.h"

namespace banyan {

constexpr size_t regexes_one_by_one_max = 4;
constexpr int64_t regex_set_memory_bytes_max = 64 << 20;

class RegexGroup {
 public:
  RegexGroup();
  RegexGroup(RegexGroup&&) noexcept;
  ~RegexGroup();

  // Its number; the same text has the same.
  uint32_t add(const RegexPtr& regex);
  // After the last add(). False: together they are too large.
  bool compile(int64_t memory_bytes_max = regex_set_memory_bytes_max);

  // Which of them match a path; made for one search.
  class Matches {
   public:
    Matches(const RegexGroup& group, std::string_view path);
    bool has(uint32_t number) const;
    // The numbers of all that match, in ascending order; nullptr: they must be asked one by one.
    const std::vector<int>* all() const { return asked_all_ ? &found_ : nullptr; }

   private:
    const RegexGroup& group_;
    const std::string_view path_;
    bool asked_all_ = false;
    std::vector<int> found_;  // sorted
  };

 private:
  struct Together;

  std::vector<RegexPtr> all_;
  std::unordered_map<std::string_view, uint32_t> numbers_;
  std::unique_ptr<Together> together_;  // null: one by one
};

}  // namespace banyan
