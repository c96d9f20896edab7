// Split: shares requests between versions of a service by weight. Owner: the worker's snapshot; the
// rule is compiled once at load. Thread: its loop's. With a cohort a user stays where it is, and
// cohorts are monotonic: each version has a score for a user, which only its own weight raises, and
// the highest wins (weighted rendezvous hashing: Schindelhauer and Schomaker, 2005; score
// -w / ln(u)). So raising one weight only moves users to that version, lowering one only moves its
// own users away, and a version that is added or removed touches no one else. Two splits with the
// same names and weights put a user on the same side. A user that is not known is shared at random.
#pragma once
#include <span>
#include <vector>

#include "patterns/routing/cohort.h"
#include "patterns/routing/settings.h"
#include "service/service.h"

namespace banyan {

class SplitRule {
 public:
  // nullopt when something is wrong, which is told.
  static std::optional<SplitRule> compile(const SplitSettings& settings, Problems& problems);
  // Index of a version in the order of the settings; one of weight 0 is never it.
  size_t choose(const Request& request, Loop& loop) const;
  // The same for a user that is known by its cohort; nullopt: it is shared at random.
  std::optional<size_t> choose_known(const Request& request) const;
  size_t size() const { return versions_.size(); }

 private:
  struct Version {
    std::string name;
    uint32_t weight;
  };
  SplitRule() = default;
  size_t choose_for(std::string_view key) const;
  size_t choose_at_random(Loop& loop) const;

  std::vector<Version> versions_;
  uint64_t total_ = 0;
  std::optional<Cohort> cohort_;
};

class Split final : public Service {
 public:
  // One service for each version, in the order of the settings. The loop outlives it.
  Split(SplitRule rule, std::vector<ServicePtr> services, Loop& loop);
  Task<Reply> call(Request& request) override;

 private:
  const SplitRule rule_;
  const std::vector<ServicePtr> services_;
  Loop& loop_;
};

}  // namespace banyan
