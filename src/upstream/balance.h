// Balance: which endpoint gets the next exchange.
// Owner: the cluster. Thread: its loop's.
// `ewma` (default) takes the cheaper of two random endpoints (power of two choices, Mitzenmacher
// 1996); the others are round robin (smooth, weighted) and least requests. Endpoints that are
// skipped after a failed connect are left out, unless all are: then all are tried again.
#pragma once
#include <cstdint>
#include <span>

#include "upstream/endpoint.h"

namespace banyan {

enum class Balance : uint8_t { ewma, round_robin, least_request };

class Balancer {
 public:
  explicit Balancer(Balance how) : how_(how) {}
  // Null when there is no endpoint but those in `except` (tried by this exchange already).
  Endpoint* pick(Loop& loop, std::span<const EndpointPtr> endpoints,
                 std::span<const EndpointPtr> except);

 private:
  Balance how_;
};

}  // namespace banyan
