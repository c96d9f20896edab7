#include "patterns/ambassador/live_quantile.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace banyan {

namespace {

// Of those that are known at least two are expected beyond it; and a few are never enough.
uint64_t enough_for(double quantile) {
  constexpr uint64_t least = 20;
  return std::max(least, static_cast<uint64_t>(std::llround(2 / (1 - quantile))));
}

}  // namespace

LiveQuantile::LiveQuantile(double quantile)
    : quantile_(quantile), records_min_(enough_for(quantile)) {}

// What is old goes when there is enough that is newer.
void LiveQuantile::record(Duration took, Time now) {
  if (current_count_ == 0) began_ = now;
  if (now - began_ >= window && current_count_ >= records_min_) {
    before_ = std::exchange(current_, std::make_unique<Histogram>());
    before_count_ = std::exchange(current_count_, 0);
    began_ = now;
  }
  current_->record(took);
  ++current_count_;
}

std::optional<Duration> LiveQuantile::value(Time now) {
  if (current_count_ + before_count_ < records_min_) return std::nullopt;
  if (found_ && now - found_at_ < fresh) return found_;
  Distribution all;
  current_->add_to(all);
  before_->add_to(all);
  found_at_ = now;
  found_ = all.quantile(quantile_);
  return found_;
}

}  // namespace banyan
