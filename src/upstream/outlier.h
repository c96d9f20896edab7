// OutlierDetector: ejects endpoints that behave worse than they should: by failures in a row, and
// by a success rate that is far below the others'. Owner: the cluster. Thread: its loop's: each
// worker judges by what it has seen. Never more than `at_most` of the endpoints are out at a time,
// also when others leave the service. Success rates are compared every 10 s, at the first outcome
// after it, between endpoints with 20 requests each: bad is whoever is below
//   median - factor * spread
// where the spread is estimated from the median distance to the median, as that is not moved by the
// outliers themselves (with mean and standard deviation two bad ones of five hide each other). It
// is at least 5 points, and at least three times the error that so few requests have by chance.
// Sources: the idea is Envoy's success rate outlier; median distance: Iglewicz and Hoaglin, "How to
// Detect and Handle Outliers", 1993.
#pragma once
#include <span>

#include "upstream/endpoint.h"

namespace banyan {

class OutlierDetector {
 public:
  static constexpr Duration interval = std::chrono::seconds(10);
  static constexpr uint32_t requests_min = 20;
  static constexpr size_t compared_min = 3;

  OutlierDetector(const EjectSettings& settings, Time now)
      : settings_(settings), interval_end_(after(now, interval)) {}

  // `all` are the members, which may have lost `endpoint` meanwhile.
  void note(std::span<const EndpointPtr> all, Endpoint& endpoint, Outcome outcome, Time now);
  // Keeps `at_most` when there are fewer now: those that would return first are free at once.
  void members_changed(std::span<const EndpointPtr> all, Time now) const;

 private:
  void eject(std::span<const EndpointPtr> all, Endpoint& endpoint, Time now) const;
  void compare(std::span<const EndpointPtr> all, Time now) const;
  size_t ejected_max(size_t members) const {
    return members * settings_.at_most.basis_points / 10'000;
  }

  const EjectSettings& settings_;
  Time interval_end_;
};

}  // namespace banyan
