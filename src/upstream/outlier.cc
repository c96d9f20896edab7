#include "upstream/outlier.h"

#include <algorithm>
#include <cmath>

namespace banyan {

namespace {

constexpr double spread_min = 0.05;
// The standard deviation of a normal distribution, in median distances.
constexpr double deviation_of_distance = 1.4826;

struct Rate {
  Endpoint* endpoint;
  double rate;
  uint32_t requests;
};

double median(std::vector<double> values) {
  const size_t half = values.size() / 2;
  std::ranges::nth_element(values, values.begin() + static_cast<ptrdiff_t>(half));
  if (values.size() % 2 != 0) return values[half];
  return (values[half] +
          *std::max_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(half))) /
         2;
}

// The lowest rate that is not an outlier, for so many requests.
class Bound {
 public:
  Bound(std::span<const Rate> rates, double factor) : factor_(factor) {
    std::vector<double> values;
    for (const Rate& r : rates) values.push_back(r.rate);
    median_ = median(values);
    for (double& v : values) v = std::abs(v - median_);
    spread_ = std::max(deviation_of_distance * median(std::move(values)), spread_min);
  }
  double of(uint32_t requests) const {
    const double chance = std::sqrt(median_ * (1 - median_) / requests);
    return median_ - factor_ * std::max(spread_, 3 * chance);
  }

 private:
  double factor_;
  double median_ = 0;
  double spread_ = 0;
};

void count(EndpointHealth::Conduct& conduct, Outcome outcome) {
  conduct.run.note(outcome);
  if (outcome == Outcome::answered) ++conduct.good;
  if (outcome == Outcome::failed) ++conduct.bad;
  if (outcome == Outcome::broken && conduct.good != 0) {
    --conduct.good;
    ++conduct.bad;
  }
}

size_t count_ejected(std::span<const EndpointPtr> all, Time now) {
  return static_cast<size_t>(
      std::ranges::count_if(all, [&](const auto& e) { return e->health().ejected(now); }));
}

}  // namespace

void OutlierDetector::note(std::span<const EndpointPtr> all, Endpoint& endpoint, Outcome outcome,
                           Time now) {
  EndpointHealth& health = endpoint.health();
  // What was under way when it was ejected has been judged with the rest.
  if (!health.ejected(now)) {
    count(health.conduct, outcome);
    const bool bad =
        settings_.consecutive != 0 && health.conduct.run.longest() >= settings_.consecutive;
    if (bad) eject(all, endpoint, now);
  }
  if (settings_.deviation.factor == Factor{} || now < interval_end_) return;
  compare(all, now);
  interval_end_ = after(now, interval);
}

void OutlierDetector::eject(std::span<const EndpointPtr> all, Endpoint& endpoint, Time now) const {
  if (count_ejected(all, now) < ejected_max(all.size())) endpoint.health().eject(now);
}

void OutlierDetector::compare(std::span<const EndpointPtr> all, Time now) const {
  std::vector<Rate> rates;
  for (const EndpointPtr& e : all) {
    auto& conduct = e->health().conduct;
    const uint32_t requests = conduct.good + conduct.bad;
    if (requests >= requests_min && !e->health().ejected(now))
      rates.push_back({e.get(), static_cast<double>(conduct.good) / requests, requests});
    conduct.good = conduct.bad = 0;
  }
  if (rates.size() < compared_min) return;
  const Bound bound(rates, settings_.deviation.factor.value());
  // The worst first: `at_most` may not suffice for all.
  std::ranges::sort(rates, {}, &Rate::rate);
  for (const Rate& r : rates)
    if (r.rate < bound.of(r.requests)) eject(all, *r.endpoint, now);
}

void OutlierDetector::members_changed(std::span<const EndpointPtr> all, Time now) const {
  std::vector<Endpoint*> out;
  for (const EndpointPtr& e : all)
    if (e->health().ejected(now)) out.push_back(e.get());
  const size_t most = ejected_max(all.size());
  if (out.size() <= most) return;
  std::ranges::sort(out, {}, [](const Endpoint* e) { return e->health().ejected_until(); });
  for (size_t i = 0; i < out.size() - most; ++i) out[i]->health().end_ejection(now);
}

}  // namespace banyan
