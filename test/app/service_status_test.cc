#include "app/service_status.h"

#include <gtest/gtest.h>

#include "base/prometheus_text.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using State = Circuit::State;

EndpointStatus endpoint(const std::string& name) {
  return {.name = name, .weight = 2, .weight_now = 2, .in_flight = 3, .connections = 4};
}

// What /services tells of one endpoint.
std::string told(const EndpointStatus& e) {
  const ServiceStatus shop{.name = "shop", .breaker = {}, .workers = {{.endpoints = {e}}}};
  const std::string json = services_json({&shop, 1});
  const size_t begin = json.find("{\"endpoint\"");
  return json.substr(begin, json.rfind("]}]}") - begin);
}

TEST(ServiceStatusTest, AllOfAnEndpoint) {
  EXPECT_EQ(told(endpoint("10.0.0.1:80")),
            R"({"endpoint": "10.0.0.1:80", "state": "ready", "used": true, "weight": 2, )"
            R"("weight_now": 2.00, "in_flight": 3, "connections": 4, "healthy": true, )"
            R"("ejected_for_s": 0.000, "ejections": 0})");
}

TEST(ServiceStatusTest, ANameIsEscaped) {
  EXPECT_TRUE(told(endpoint("unix:/a\"b")).starts_with(R"({"endpoint": "unix:/a\"b")"));
}

// The hardest reason first.
TEST(ServiceStatusTest, StatesInTheirOrder) {
  EndpointStatus e = endpoint("a");
  const auto state = [&] {
    const std::string all = told(e);
    const size_t at = all.find("\"state\": \"") + 10;
    return all.substr(at, all.find('"', at) - at);
  };
  EXPECT_EQ(state(), "ready");
  e.weight_now = 0.2;
  EXPECT_EQ(state(), "warming up");
  e.skipped = true;
  EXPECT_EQ(state(), "connect failed");
  e.ejected_for = 1'500ms;
  EXPECT_EQ(state(), "ejected");
  EXPECT_NE(told(e).find(R"("ejected_for_s": 1.500)"), std::string::npos);
  e.healthy = false;
  EXPECT_EQ(state(), "unhealthy");
  e.breaker = Circuit::Status{.state = State::closed};
  EXPECT_EQ(state(), "unhealthy");
  e.breaker->state = State::half_open;
  EXPECT_EQ(state(), "breaker open");
  e.breaker = Circuit::Status{.state = State::open, .left = 250ms, .opened = 7, .refused = 9};
  EXPECT_TRUE(
      told(e).ends_with(R"("breaker": {"state": "open", "open_for_s": 0.250, "failures": 0, )"
                        R"("probes": 0, "opened": 7, "refused": 9}})"))
      << told(e);
}

TEST(ServiceStatusTest, Whole) {
  EXPECT_EQ(services_json({}), "[\n]\n");
  const ServiceStatus services[] = {
      {.name = "empty", .breaker = {}, .workers = {{}}},
      {.name = "shop",
       .breaker = Circuit::Status{.failures = 2},
       .workers = {{.endpoints = {}, .panic = true}, {.endpoints = {endpoint("a")}}}}};
  EXPECT_EQ(services_json(services), R"([
  {"service": "empty", "workers": [
    {"worker": 0, "panic": false, "endpoints": []}]},
  {"service": "shop", "breaker": {"state": "closed", "open_for_s": 0.000, "failures": 2, )"
                                     R"("probes": 0, "opened": 0, "refused": 0}, "workers": [
    {"worker": 0, "panic": true, "endpoints": []},
    {"worker": 1, "panic": false, "endpoints": [
      )" + told(endpoint("a")) + "]}]}\n]\n");
}

std::string metrics(std::span<const ServiceStatus> services) {
  Exposition out;
  write_services(out, services);
  return out.take();
}

TEST(ServiceStatusTest, MetricsAreSumsOverWorkers) {
  EndpointStatus good = endpoint("a"), bad = endpoint("a"), broken = endpoint("b");
  bad.healthy = bad.used = false;
  bad.ejected_for = 1s;
  broken.breaker = Circuit::Status{.state = State::open};
  EndpointStatus closed = broken;
  closed.breaker->state = State::closed;
  const ServiceStatus services[] = {
      {.name = "shop",
       .breaker = Circuit::Status{.state = State::half_open, .opened = 4, .refused = 5},
       .workers = {{.endpoints = {good, broken}}, {.endpoints = {bad, closed}}}},
      {.name = "other", .breaker = {}, .workers = {{.endpoints = {good}}}}};
  const std::string all = metrics(services);
  const PrometheusText text(all);
  EXPECT_EQ(text.fault(), "");
  const auto of = [&](const char* name, const char* service, const char* endpoint_name) {
    return text.value(std::string(name) + "{service=\"" + service + "\",endpoint=\"" +
                      endpoint_name + "\"}");
  };
  EXPECT_EQ(of("banyan_endpoint_used", "shop", "a"), 1);
  EXPECT_EQ(of("banyan_endpoint_used", "shop", "b"), 2);
  EXPECT_EQ(of("banyan_endpoint_healthy", "shop", "a"), 1);
  EXPECT_EQ(of("banyan_endpoint_healthy", "other", "a"), 1);
  EXPECT_EQ(of("banyan_endpoint_ejected", "shop", "a"), 1);
  EXPECT_EQ(of("banyan_endpoint_ejected", "shop", "b"), 0);
  EXPECT_EQ(of("banyan_endpoint_in_flight", "shop", "a"), 6);
  EXPECT_EQ(of("banyan_endpoint_breaker_open", "shop", "b"), 1);
  EXPECT_EQ(text.count("banyan_endpoint_breaker_open"), 1u) << "only of those that have one";
  EXPECT_EQ(text.value("banyan_breaker_state{service=\"shop\"}"), 1);
  EXPECT_EQ(text.value("banyan_breaker_opened_total{service=\"shop\"}"), 4);
  EXPECT_EQ(text.value("banyan_breaker_refused_total{service=\"shop\"}"), 5);
  EXPECT_EQ(text.count("banyan_breaker_state"), 1u);
  EXPECT_EQ(text.type("banyan_breaker_state"), "gauge");
}

TEST(ServiceStatusTest, TheStatesOfABreakerAsNumbers) {
  const std::pair<State, double> table[] = {
      {State::closed, 0}, {State::half_open, 1}, {State::open, 2}};
  for (const auto& [state, number] : table) {
    const ServiceStatus shop{
        .name = "shop", .breaker = Circuit::Status{.state = state}, .workers = {}};
    EXPECT_EQ(PrometheusText(metrics({&shop, 1})).value("banyan_breaker_state{service=\"shop\"}"),
              number);
  }
}

TEST(ServiceStatusTest, NothingToTellLeavesNoTrace) { EXPECT_EQ(metrics({}), ""); }

TEST(ServiceStatusTest, SeriesHaveABound) {
  ServiceStatus shop{.name = "shop", .breaker = {}, .workers = std::vector<ClusterStatus>(2)};
  for (size_t i = 0; i < ServiceStatus::endpoints_max + 5; ++i)
    for (auto& worker : shop.workers) worker.endpoints.push_back(endpoint(std::to_string(i)));
  const PrometheusText text(metrics({&shop, 1}));
  EXPECT_EQ(text.fault(), "");
  EXPECT_EQ(text.count("banyan_endpoint_used"), ServiceStatus::endpoints_max);
  EXPECT_EQ(text.value("banyan_endpoint_used{service=\"shop\",endpoint=\"9999\"}"), 2)
      << "those that are there are whole";
}

}  // namespace
}  // namespace banyan
