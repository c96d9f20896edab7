// What the configuration says of an upstream service: its endpoints, how they are chosen, how long
// it may take. Owner: the model. Thread: any (read only).
#pragma once
#include "config/schema.h"
#include "upstream/endpoint_settings.h"

namespace banyan {

struct EndpointSettings {
  std::string url;
  uint32_t weight = 1;
  Place place;
};

struct TimeoutSettings {
  Nanoseconds connect = std::chrono::milliseconds(500);
  std::optional<Nanoseconds> attempt;  // `try`
  Nanoseconds request = std::chrono::seconds(30);
  Nanoseconds idle = std::chrono::seconds(60);
  friend bool operator==(const TimeoutSettings&, const TimeoutSettings&) = default;
};

struct PoolSettings {
  uint32_t connections = 10'000;
  uint32_t idle = 1024;
  Nanoseconds idle_age = std::chrono::seconds(60);
  Nanoseconds life = std::chrono::hours(1);
  uint32_t requests = 100'000;
  friend bool operator==(const PoolSettings&, const PoolSettings&) = default;
};

// The names that the endpoints will have, each address once; empty when some come from the DNS.
std::vector<std::string> fixed_endpoints(std::span<const EndpointSettings> endpoints);

// Whether a service is spoken to in HTTP/2: it says so, or its endpoints are h2c://. What is wrong
// with that is told.
bool wants_http2(std::span<const EndpointSettings> endpoints, std::optional<bool> told);
void verify_http2(std::span<const EndpointSettings> endpoints, std::optional<bool> told,
                  const std::string& path, Problems& problems);

void declare(Fields<EndpointSettings>& f);
void declare(Fields<TimeoutSettings>& f);
void declare(Fields<PoolSettings>& f);

}  // namespace banyan
