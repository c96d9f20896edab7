#include "app/service_status.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"

namespace banyan {

namespace {

using Kind = Exposition::Kind;

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

// What keeps it from being used as the others are, the hardest first.
std::string_view state_of(const EndpointStatus& e) {
  if (e.breaker && e.breaker->state != Circuit::State::closed) return "breaker open";
  if (!e.healthy) return "unhealthy";
  if (e.ejected_for > Duration{}) return "ejected";
  if (e.skipped) return "connect failed";
  return e.weight_now < e.weight ? "warming up" : "ready";
}

std::string breaker_json(const Circuit::Status& b) {
  return fmt::format(R"({{"state": "{}", "open_for_s": {:.3f}, "failures": {}, "probes": {}, )"
                     R"("opened": {}, "refused": {}}})",
                     name(b.state), seconds(b.left), b.failures, b.probes, b.opened, b.refused);
}

void append_endpoint(std::string& out, const EndpointStatus& e) {
  out += R"({"endpoint": ")";
  append_json_escaped(out, e.name);
  out += fmt::format(R"(", "state": "{}", "used": {}, "weight": {}, "weight_now": {:.2f}, )"
                     R"("in_flight": {}, "connections": {}, )",
                     state_of(e), e.used, e.weight, e.weight_now, e.in_flight, e.connections);
  out += fmt::format(R"("healthy": {}, "ejected_for_s": {:.3f}, "ejections": {})", e.healthy,
                     seconds(e.ejected_for), e.ejections);
  if (e.breaker) out += R"(, "breaker": )" + breaker_json(*e.breaker);
  out += '}';
}

void append_worker(std::string& out, size_t worker, const ClusterStatus& seen) {
  out += fmt::format(R"({{"worker": {}, "panic": {}, "endpoints": [)", worker, seen.panic);
  for (size_t i = 0; i < seen.endpoints.size(); ++i) {
    out += i == 0 ? "\n      " : ",\n      ";
    append_endpoint(out, seen.endpoints[i]);
  }
  out += "]}";
}

void append_service(std::string& out, const ServiceStatus& service) {
  out += R"({"service": ")";
  append_json_escaped(out, service.name);
  out += '"';
  if (service.breaker) out += R"(, "breaker": )" + breaker_json(*service.breaker);
  out += R"(, "workers": [)";
  for (size_t i = 0; i < service.workers.size(); ++i) {
    out += i == 0 ? "\n    " : ",\n    ";
    append_worker(out, i, service.workers[i]);
  }
  out += "]}";
}

// An endpoint over all workers: how many of them see it so.
struct Sum {
  uint64_t used = 0, healthy = 0, ejected = 0, in_flight = 0;
  std::optional<uint64_t> breaker_open;
};
using Sums = std::map<std::pair<std::string_view, std::string_view>, Sum>;

void add(Sum& sum, const EndpointStatus& e) {
  sum.used += e.used;
  sum.healthy += e.healthy;
  sum.ejected += e.ejected_for > Duration{};
  sum.in_flight += e.in_flight;
  if (e.breaker)
    sum.breaker_open =
        sum.breaker_open.value_or(0) + (e.breaker->state == Circuit::State::closed ? 0 : 1);
}

Sums sums_of(std::span<const ServiceStatus> services) {
  Sums out;
  for (const ServiceStatus& service : services)
    for (const ClusterStatus& worker : service.workers)
      for (const EndpointStatus& e : worker.endpoints) {
        const std::pair<std::string_view, std::string_view> key(service.name, e.name);
        if (out.size() < ServiceStatus::endpoints_max || out.contains(key)) add(out[key], e);
      }
  return out;
}

void write_endpoints(Exposition& out, const Sums& sums) {
  const auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    out.family(Kind::gauge, name, help);
    for (const auto& [key, sum] : sums)
      out.sample({{"service", key.first}, {"endpoint", key.second}}, uint64_t{value(sum)});
  };
  gauge("banyan_endpoint_used", "Workers that may send the endpoint requests now.",
        [](const Sum& s) { return s.used; });
  gauge("banyan_endpoint_healthy", "Workers whose checks have not found it bad.",
        [](const Sum& s) { return s.healthy; });
  gauge("banyan_endpoint_ejected", "Workers that have ejected it for its failures.",
        [](const Sum& s) { return s.ejected; });
  gauge("banyan_endpoint_in_flight", "Exchanges with it that are under way.",
        [](const Sum& s) { return s.in_flight; });
  out.family(Kind::gauge, "banyan_endpoint_breaker_open",
             "Workers whose breaker of the endpoint is open or half-open.");
  for (const auto& [key, sum] : sums)
    if (sum.breaker_open)
      out.sample({{"service", key.first}, {"endpoint", key.second}}, *sum.breaker_open);
}

uint64_t number_of(Circuit::State state) {
  return state == Circuit::State::closed ? 0 : state == Circuit::State::half_open ? 1 : 2;
}

void write_breakers(Exposition& out, std::span<const ServiceStatus> services) {
  const auto family = [&](Kind kind, std::string_view name, std::string_view help, auto value) {
    out.family(kind, name, help);
    for (const ServiceStatus& s : services)
      if (s.breaker) out.sample({{"service", s.name}}, uint64_t{value(*s.breaker)});
  };
  using Status = Circuit::Status;
  family(Kind::gauge, "banyan_breaker_state", "Of the service: 0 closed, 1 half-open, 2 open.",
         [](const Status& s) { return number_of(s.state); });
  family(Kind::counter, "banyan_breaker_opened_total", "Times the breaker of the service opened.",
         [](const Status& s) { return s.opened; });
  family(Kind::counter, "banyan_breaker_refused_total", "Requests that it refused.",
         [](const Status& s) { return s.refused; });
}

}  // namespace

std::string services_json(std::span<const ServiceStatus> services) {
  std::string out = "[";
  for (size_t i = 0; i < services.size(); ++i) {
    out += i == 0 ? "\n  " : ",\n  ";
    append_service(out, services[i]);
  }
  return out + "\n]\n";
}

void write_services(Exposition& out, std::span<const ServiceStatus> services) {
  write_endpoints(out, sums_of(services));
  write_breakers(out, services);
}

}  // namespace banyan
