#include "upstream/settings.h"

#include <algorithm>

#include "upstream/locate.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

std::string url_fault(const std::string& url) {
  auto location = locate(url);
  return location ? std::string() : std::move(location.error());
}

}  // namespace

std::vector<std::string> fixed_endpoints(std::span<const EndpointSettings> endpoints) {
  std::vector<std::string> out;
  for (const EndpointSettings& endpoint : endpoints) {
    const auto where = locate(endpoint.url);
    if (!where || where->kind != Location::Kind::fixed) return {};
    std::string name = to_string(where->address);
    if (std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
  }
  return out;
}

bool wants_http2(std::span<const EndpointSettings> endpoints, std::optional<bool> told) {
  return told.value_or(std::ranges::any_of(endpoints, [](const EndpointSettings& endpoint) {
    const auto where = locate(endpoint.url);
    return where && where->http2;
  }));
}

void verify_http2(std::span<const EndpointSettings> endpoints, std::optional<bool> told,
                  const std::string& path, Problems& problems) {
  const bool http2 = wants_http2(endpoints, told);
  for (const EndpointSettings& endpoint : endpoints) {
    const auto where = locate(endpoint.url);
    if (!where) continue;  // told by the reader
    const char* fault = nullptr;
    if (http2 && !where->http) fault = "is not HTTP, so it has no HTTP/2";
    if (!http2 && where->http2) fault = "is HTTP/2, but the service says `http2: false`";
    if (!told && http2 && !where->http2)
      fault = "is not h2c://, but others are; say `http2: true` for all of them";
    if (fault != nullptr)
      problems.error(endpoint.place, path + ".endpoints", printable(endpoint.url) + " " + fault);
  }
}

void declare(Fields<EndpointSettings>& f) {
  f.about("endpoint", "One place where a service is.");
  f.field(
      "url", &EndpointSettings::url,
      "`http://host:port`, `https://host:port` (see `tls`), `h2c://host:port` (HTTP/2 without "
      "TLS), "
      "`unix:/path/to.sock`, or a name whose "
      "every "
      "address becomes an endpoint: `dns:name:port` (A, AAAA), `dns+srv:_http._tcp.name` (SRV); "
      "`tcp://host:port` for what is not HTTP, behind an ambassador's `tcp`.",
      required, check(url_fault));
  f.field("weight", &EndpointSettings::weight, "Its share of requests, relative to the others.",
          between<uint32_t>(1, 65535));
  f.shorthand("url");
}

void declare(Fields<TimeoutSettings>& f) {
  f.about("timeout", "How long a service may take.");
  f.field("connect", &TimeoutSettings::connect, "To accept a new connection.", between(1ms, 5min));
  f.field("try", &TimeoutSettings::attempt,
          "From the end of the request to the head of the answer, for each attempt of `retry`. "
          "Standard: as long as `request`.",
          between(1ms, 24h));
  f.field("request", &TimeoutSettings::request,
          "From the end of the request to the head of its answer; all attempts together.",
          between(1ms, 24h));
  f.field("idle", &TimeoutSettings::idle, "Of silence within an answer's content.",
          between(1ms, 24h));
  f.verify([](const TimeoutSettings& s, const Node& node, const Reading& at) {
    if (s.attempt && *s.attempt > s.request)
      at.error(node.place, "try is longer than request (" + to_text(s.request) +
                               "), which holds for all attempts together");
  });
}

void declare(Fields<PoolSettings>& f) {
  f.about("pool", "Connections to one endpoint, of one worker.");
  f.field("connections", &PoolSettings::connections, "At most; a request beyond gets 503.",
          between<uint32_t>(1, 65535));
  f.field("idle", &PoolSettings::idle, "Kept open for the next request.",
          between<uint32_t>(0, 65535));
  f.field("idle_age", &PoolSettings::idle_age,
          "An idle connection is closed after this time. Keep it below the service's own.",
          between(1ms, 24h));
  f.field("life", &PoolSettings::life,
          "A connection is not used again after this time, so that load balancers below get their "
          "turn.",
          between(1s, 240h));
  f.field("requests", &PoolSettings::requests, "A connection carries at most so many.",
          between<uint32_t>(1, UINT32_MAX));
}

}  // namespace banyan
