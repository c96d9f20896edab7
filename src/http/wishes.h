// Wishes: what a caller asks of how its request is sent on, when it is one whose word counts.
// Owner: the filter that reads them from the request's fields; in the request's arena. Thread: its
// loop's. They ask for less than the configuration allows, or for the same; never for more.
#pragma once
#include <cstdint>
#include <optional>

#include "task/time.h"

namespace banyan {

struct Wishes {
  std::optional<uint32_t> retries = {};      // at most so many
  bool hedge = true;                         // false: no second copy
  std::optional<Duration> hedge_after = {};  // a second copy after this time

  friend bool operator==(const Wishes&, const Wishes&) = default;
};

}  // namespace banyan
