#include "patterns/routing/regex_group.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>

namespace banyan {

namespace {

re2::RE2::Options set_options(int64_t memory_bytes_max) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory_bytes_max);
  return options;
}

}  // namespace

struct RegexGroup::Together {
  explicit Together(int64_t memory_bytes_max)
      : set(set_options(memory_bytes_max), re2::RE2::ANCHOR_BOTH) {}
  re2::RE2::Set set;
};

RegexGroup::RegexGroup() = default;
RegexGroup::RegexGroup(RegexGroup&&) noexcept = default;
RegexGroup::~RegexGroup() = default;

uint32_t RegexGroup::add(const RegexPtr& regex) {
  const auto [it, fresh] =
      numbers_.try_emplace(text_of(*regex), static_cast<uint32_t>(all_.size()));
  if (fresh) all_.push_back(regex);
  return it->second;
}

bool RegexGroup::compile(int64_t memory_bytes_max) {
  if (all_.size() <= regexes_one_by_one_max) return true;
  together_ = std::make_unique<Together>(memory_bytes_max);
  for (const RegexPtr& regex : all_)
    if (together_->set.Add(regex->pattern(), nullptr) < 0) return false;
  return together_->set.Compile();
}

RegexGroup::Matches::Matches(const RegexGroup& group, std::string_view path)
    : group_(group), path_(path) {
  if (group.together_ == nullptr) return;
  re2::RE2::Set::ErrorInfo error{};
  group.together_->set.Match(re2::StringPiece(path.data(), path.size()), &found_, &error);
  asked_all_ = error.kind == re2::RE2::Set::kNoError;
  std::sort(found_.begin(), found_.end());
}

bool RegexGroup::Matches::has(uint32_t number) const {
  if (asked_all_) return std::binary_search(found_.begin(), found_.end(), static_cast<int>(number));
  return matches_whole(*group_.all_[number], path_);
}

}  // namespace banyan
