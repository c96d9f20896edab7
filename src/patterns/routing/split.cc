#include "patterns/routing/split.h"

#include <cmath>

namespace banyan {

std::optional<SplitRule> SplitRule::compile(const SplitSettings& settings, Problems& problems) {
  const size_t before = problems.errors();
  SplitRule rule;
  for (const Named<uint32_t>& version : settings.to) {
    rule.versions_.push_back({version.name, version.value});
    rule.total_ += version.value;
  }
  if (rule.total_ == 0)
    problems.error(settings.place, "split.to", "no service has a weight above 0");
  if (!settings.cohort.empty())
    rule.cohort_ = Cohort::parse(settings.cohort, settings.place, problems);
  if (problems.errors() != before) return std::nullopt;
  return rule;
}

size_t SplitRule::choose(const Request& request, Loop& loop) const {
  const auto known = choose_known(request);
  return known ? *known : choose_at_random(loop);
}

std::optional<size_t> SplitRule::choose_known(const Request& request) const {
  const std::string_view key = cohort_ ? cohort_->key(request) : std::string_view{};
  if (key.empty()) return std::nullopt;
  return choose_for(key);
}

size_t SplitRule::choose_for(std::string_view key) const {
  size_t best = 0;
  double highest = 0;  // every score of a weight above 0 is above 0
  for (size_t i = 0; i < versions_.size(); ++i) {
    if (versions_[i].weight == 0) continue;
    const double weight = versions_[i].weight;
    const double score = -weight / std::log(cohort_place(key, versions_[i].name));
    if (score <= highest) continue;
    highest = score;
    best = i;
  }
  return best;
}

size_t SplitRule::choose_at_random(Loop& loop) const {
  uint64_t left = loop.random_below(total_);
  for (size_t i = 0;; ++i) {
    if (left < versions_[i].weight) return i;
    left -= versions_[i].weight;
  }
}

Split::Split(SplitRule rule, std::vector<ServicePtr> services, Loop& loop)
    : rule_(std::move(rule)), services_(std::move(services)), loop_(loop) {
  CHECK(services_.size() == rule_.size());
}

Task<Reply> Split::call(Request& request) {
  return services_[rule_.choose(request, loop_)]->call(request);
}

}  // namespace banyan
