#include "app/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/prometheus_text.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

constexpr Time at(Duration d) { return Time(1000s) + d; }

std::string written(Metrics& metrics) {
  Exposition out;
  metrics.write(out);
  return out.take();
}

// An exchange that took so long, answered by a service after half of it.
Record exchange(std::string_view route, uint32_t index, std::string_view service,
                Duration took = 10ms) {
  return {.route = route,
          .service = service,
          .endpoint = "10.0.0.1:80",
          .route_index = index,
          .started = at(0ms),
          .head_read = at(0ms),
          .connected = at(1ms),
          .answered = at(took / 2),
          .ended = at(took),
          .bytes_in = 3,
          .bytes_out = 100,
          .status = 200,
          .attempts = 1};
}

std::string requests(std::string_view route, std::string_view service, std::string_view status) {
  std::string out = "banyan_requests_total{route=\"";
  out.append(route).append("\",service=\"").append(service).append("\",status=\"").append(status);
  return out + "\"}";
}

TEST(MetricsTest, WhatANewProcessSays) {
  Metrics metrics(2);
  EXPECT_EQ(
      written(metrics),
      "# HELP banyan_loop_turn_max_seconds The longest turn of a worker's loop since the last "
      "scrape: how late events were seen at worst.\n"
      "# TYPE banyan_loop_turn_max_seconds gauge\n"
      "banyan_loop_turn_max_seconds{worker=\"0\"} 0\n"
      "banyan_loop_turn_max_seconds{worker=\"1\"} 0\n"
      "# HELP banyan_reloads_total Reloads of the configuration.\n"
      "# TYPE banyan_reloads_total counter\n"
      "banyan_reloads_total{result=\"ok\"} 0\n"
      "banyan_reloads_total{result=\"failed\"} 0\n"
      "# HELP banyan_generation Which configuration runs: 1 since the start, one more with "
      "each reload that went well.\n"
      "# TYPE banyan_generation gauge\n"
      "banyan_generation 1\n");
}

TEST(MetricsTest, AnExchangeOfEachWorkerAddsUp) {
  Metrics metrics(2);
  RouteCounters first(metrics.shard(0), 1), second(metrics.shard(1), 1);
  first.count(exchange("shop", 1, "catalog"));
  second.count(exchange("shop", 1, "catalog", 30ms));
  const PrometheusText text(written(metrics));
  EXPECT_EQ(text.fault(), "");
  EXPECT_EQ(text.value(requests("shop", "catalog", "2xx")), 2);
  EXPECT_EQ(text.value("banyan_request_bytes_total{route=\"shop\"}"), 6);
  EXPECT_EQ(text.value("banyan_response_bytes_total{route=\"shop\"}"), 200);
  EXPECT_EQ(text.value("banyan_request_duration_seconds_sum{route=\"shop\"}"), 0.040);
  EXPECT_EQ(text.value("banyan_request_duration_seconds_count{route=\"shop\"}"), 2);
  EXPECT_EQ(text.value("banyan_upstream_duration_seconds_sum{service=\"catalog\"}"), 0.018);
  EXPECT_EQ(text.value("banyan_upstream_attempts_total{service=\"catalog\"}"), 2);
  EXPECT_FALSE(text.has("banyan_upstream_reused_total{service=\"catalog\"}"));
}

// Buckets are "this or less": 5 ms falls into le="0.005".
TEST(MetricsTest, DurationsFallIntoTheirBuckets) {
  Metrics metrics(1);
  RouteCounters routes(metrics.shard(0), 1);
  const Duration edges[] = {1ms,   2'500us, 5ms, 10ms,    25ms, 50ms, 100ms,
                            250ms, 500ms,   1s,  2'500ms, 5s,   10s};
  for (const Duration edge : edges)
    for (const Duration took : {edge, edge + 1ns}) {
      auto record = exchange("r", 1, "s");
      record.ended = record.started + took;
      routes.count(record);
    }
  const PrometheusText text(written(metrics));
  EXPECT_EQ(text.fault(), "");
  int below = 1;
  for (const char* le : {"0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5",
                         "1", "2.5", "5", "10"}) {
    EXPECT_EQ(text.value("banyan_request_duration_seconds_bucket{route=\"r\",le=\"" +
                         std::string(le) + "\"}"),
              below)
        << le;
    below += 2;
  }
  EXPECT_EQ(text.value("banyan_request_duration_seconds_bucket{route=\"r\",le=\"+Inf\"}"), 26);
  EXPECT_EQ(text.count("banyan_request_duration_seconds_bucket{"), std::size(edges) + 1);
}

TEST(MetricsTest, StatusesAreCountedByClass) {
  Metrics metrics(1);
  RouteCounters routes(metrics.shard(0), 1);
  for (const int status : {0, 101, 200, 204, 299, 301, 400, 404, 499, 500, 503, 599, 600, 999}) {
    auto record = exchange("r", 1, "s");
    record.status = static_cast<uint16_t>(status);
    routes.count(record);
  }
  const PrometheusText text(written(metrics));
  const std::pair<const char*, int> classes[] = {{"none", 1}, {"1xx", 1}, {"2xx", 3},
                                                 {"3xx", 1},  {"4xx", 3}, {"5xx", 5}};
  for (const auto& [status, count] : classes)
    EXPECT_EQ(text.value(requests("r", "s", status)), count) << status;
}

TEST(MetricsTest, EverySideAndCodeHasItsOwnCount) {
  Metrics metrics(2);
  RouteCounters routes(metrics.shard(1), 0);
  std::set<std::string> series;
  int times = 0;
  for (Side side : {Side::client, Side::upstream, Side::self})
    for (int c = 0; c <= static_cast<int>(Code::bug); ++c) {
      Record record{.started = at(0ms), .ended = at(1ms)};
      record.blame({static_cast<Code>(c), side, false, 0, "x"});
      ++times;
      for (int i = 0; i < times; ++i) routes.count(record);
      series.insert("banyan_errors_total{side=\"" + std::string(name(side)) + "\",code=\"" +
                    std::string(name(static_cast<Code>(c))) + "\"}");
    }
  const PrometheusText text(written(metrics));
  EXPECT_EQ(text.fault(), "");
  EXPECT_EQ(text.count("banyan_errors_total"), 24u);
  std::set<double> values;
  for (const std::string& one : series) values.insert(text.value(one));
  EXPECT_EQ(values.size(), 24u) << "each its own";
  EXPECT_EQ(*values.rbegin(), 24);
}

TEST(MetricsTest, AServiceThatNeverAnsweredHasAttemptsButNoDuration) {
  Metrics metrics(1);
  RouteCounters routes(metrics.shard(0), 1);
  auto record = exchange("r", 1, "s");
  record.answered = {};
  record.attempts = 2;
  record.reused = true;
  routes.count(record);
  record.attempts = 0;  // no connection was to be had
  record.connected = {};
  routes.count(record);
  const PrometheusText text(written(metrics));
  EXPECT_EQ(text.value("banyan_upstream_attempts_total{service=\"s\"}"), 2);
  EXPECT_EQ(text.value("banyan_upstream_reused_total{service=\"s\"}"), 1);
  EXPECT_EQ(text.count("banyan_upstream_duration_seconds"), 0u);
  EXPECT_EQ(text.value("banyan_request_duration_seconds_count{route=\"r\"}"), 2);
}

TEST(MetricsTest, AnExchangeWithoutARouteIsCountedWithoutAName) {
  Metrics metrics(1);
  RouteCounters routes(metrics.shard(0), 1);
  Record record{.started = at(0ms), .ended = at(1ms), .status = 404};
  routes.count(record);
  EXPECT_EQ(PrometheusText(written(metrics)).value(requests("", "", "4xx")), 1);
}

// The order of routes changes, one is renamed, one goes: series follow the names.
TEST(MetricsTest, SeriesSurviveAReloadByTheirNames) {
  Metrics metrics(1);
  RouteCounters before(metrics.shard(0), 2);
  before.count(exchange("a", 1, "s"));
  before.count(exchange("b", 2, "s"));
  RouteCounters after(metrics.shard(0), 2);
  after.count(exchange("b", 1, "s"));
  after.count(exchange("c", 2, "t"));
  before.count(exchange("a", 1, "s"));  // one that began before the reload
  after.count(exchange("c", 2, "t"));
  after.count(exchange("c", 2, "t"));
  const PrometheusText text(written(metrics));
  EXPECT_EQ(text.value(requests("a", "s", "2xx")), 2);
  EXPECT_EQ(text.value(requests("b", "s", "2xx")), 2);
  EXPECT_EQ(text.value(requests("c", "t", "2xx")), 3);
  EXPECT_EQ(text.count("banyan_requests_total"), 3u);
}

// The names of a version that is gone are not looked at again.
TEST(MetricsTest, NamesAreKeptNotPointedTo) {
  Metrics metrics(1);
  RouteCounters routes(metrics.shard(0), 1);
  for (int i = 0; i < 3; ++i) {
    const std::string route = "a route with quite a long name";
    std::string service = "a service with quite a long name";
    routes.count(exchange(route, 1, service));
    service.assign(service.size(), 'x');  // the memory says something else now
  }
  const PrometheusText text(written(metrics));
  EXPECT_EQ(text.value(requests("a route with quite a long name",
                                "a service with quite a long name", "2xx")),
            3);
}

TEST(MetricsTest, ASplitCountsEachOfItsServices) {
  Metrics metrics(1);
  RouteCounters routes(metrics.shard(0), 1);
  for (int i = 0; i < 10; ++i) routes.count(exchange("r", 1, i % 5 == 0 ? "new" : "old"));
  const PrometheusText text(written(metrics));
  EXPECT_EQ(text.value(requests("r", "old", "2xx")), 8);
  EXPECT_EQ(text.value(requests("r", "new", "2xx")), 2);
  EXPECT_EQ(text.value("banyan_request_duration_seconds_count{route=\"r\"}"), 10);
}

TEST(MetricsTest, AnIndexThatIsNotOfTheTableGoesByName) {
  Metrics metrics(1);
  RouteCounters routes(metrics.shard(0), 1);
  routes.count(exchange("far", 4'000'000'000, "s"));
  routes.count(exchange("far", 2, "s"));
  EXPECT_EQ(PrometheusText(written(metrics)).value(requests("far", "s", "2xx")), 2);
}

TEST(MetricsTest, NamesOfAnyBytesKeepTheFormat) {
  Metrics metrics(1);
  RouteCounters routes(metrics.shard(0), 1);
  routes.count(exchange("a\"b\\c\nd", 1, "\xc3\xa9"));
  const std::string text = written(metrics);
  EXPECT_EQ(PrometheusText(text).fault(), "");
  EXPECT_EQ(PrometheusText(text).value(requests("a\\\"b\\\\c\\nd", "\xc3\xa9", "2xx")), 1);
}

// Reloads that rename for ever do not fill the memory.
TEST(MetricsTest, TooManyNamesAreCountedTogether) {
  Metrics metrics(1);
  MetricsShard& shard = metrics.shard(0);
  RouteCell& kept = shard.route("r0");
  for (size_t i = 1; i < MetricsShard::routes_max - 1; ++i)
    ASSERT_EQ(shard.route("r" + std::to_string(i)).name, "r" + std::to_string(i));
  RouteCell& other = shard.route("one too many");
  EXPECT_EQ(other.name, "(other)");
  EXPECT_EQ(&shard.route("another"), &other);
  EXPECT_EQ(&shard.route("r0"), &kept);
}

TEST(MetricsTest, TooManyServicesAreCountedTogether) {
  Metrics metrics(1);
  MetricsShard& shard = metrics.shard(0);
  constexpr size_t kept = MetricsShard::services_max - 1;
  for (size_t i = 0; i < kept; ++i)
    shard.count(shard.route("r" + std::to_string(i)), exchange("", 0, "s" + std::to_string(i)));
  RouteCell& last = shard.route("last");
  for (int i = 0; i < 5; ++i) shard.count(last, exchange("", 0, "more" + std::to_string(i)));
  EXPECT_NE(written(metrics).find("\n" + requests("last", "(other)", "2xx") + " 5\n"),
            std::string::npos);
}

TEST(MetricsTest, ListenersShowTotalsAndAZeroOfOpenConnections) {
  Metrics metrics(2);
  metrics.shard(0).set_connections("public", {.accepted = 7, .refused = 0, .active = 2});
  metrics.shard(1).set_connections("public", {.accepted = 3, .refused = 1, .active = 0});
  metrics.shard(1).set_connections("plain", {.accepted = 0, .refused = 0, .active = 0});
  PrometheusText text(written(metrics));
  EXPECT_EQ(text.fault(), "");
  EXPECT_EQ(text.value("banyan_connections_accepted_total{listener=\"public\"}"), 10);
  EXPECT_EQ(text.value("banyan_connections_refused_total{listener=\"public\"}"), 1);
  EXPECT_EQ(text.value("banyan_connections_active{listener=\"public\"}"), 2);
  EXPECT_EQ(text.value("banyan_connections_active{listener=\"plain\"}"), 0);
  metrics.shard(0).set_connections("public", {.accepted = 7, .refused = 0, .active = 0});
  EXPECT_EQ(
      PrometheusText(written(metrics)).value("banyan_connections_active{listener=\"public\"}"), 0);
}

TEST(MetricsTest, AListenerTooManyIsNotShown) {
  Metrics metrics(1);
  MetricsShard& shard = metrics.shard(0);
  for (size_t i = 0; i <= MetricsShard::listeners_max; ++i)
    shard.set_connections("l" + std::to_string(i), {.accepted = 1, .refused = 0, .active = 1});
  shard.set_connections("l0", {.accepted = 2, .refused = 0, .active = 1});
  const PrometheusText text(written(metrics));
  EXPECT_EQ(text.fault(), "");
  EXPECT_EQ(text.count("banyan_connections_active{"), MetricsShard::listeners_max);
  EXPECT_EQ(text.value("banyan_connections_accepted_total{listener=\"l0\"}"), 2);
}

TEST(MetricsTest, TheLongestTurnBeginsAnewWithEachScrape) {
  Metrics metrics(2);
  metrics.shard(1).set_lag(3ms);
  metrics.shard(1).set_lag(1ms);
  PrometheusText text(written(metrics));
  EXPECT_EQ(text.fault(), "");
  EXPECT_EQ(text.value("banyan_loop_turn_max_seconds{worker=\"1\"}"), 0.003);
  EXPECT_EQ(text.value("banyan_loop_turn_max_seconds{worker=\"0\"}"), 0);
  EXPECT_EQ(text.value("banyan_loop_turn_seconds_bucket{worker=\"1\",le=\"0.001\"}"), 1);
  EXPECT_EQ(text.value("banyan_loop_turn_seconds_count{worker=\"1\"}"), 2);
  PrometheusText next(written(metrics));
  EXPECT_EQ(next.value("banyan_loop_turn_max_seconds{worker=\"1\"}"), 0);
  EXPECT_EQ(next.value("banyan_loop_turn_seconds_count{worker=\"1\"}"), 2);
}

TEST(MetricsTest, Reloads) {
  Metrics metrics(1);
  metrics.count_reload(true, WallTime(1'700'000'000'250ms));
  PrometheusText good(written(metrics));
  EXPECT_EQ(good.fault(), "");
  EXPECT_EQ(good.value("banyan_generation"), 2);
  EXPECT_EQ(good.value("banyan_last_reload_success"), 1);
  EXPECT_EQ(good.value("banyan_last_reload_timestamp_seconds"), 1'700'000'000.25);
  metrics.count_reload(false, WallTime(1'700'000'001s));
  PrometheusText bad(written(metrics));
  EXPECT_EQ(bad.value("banyan_generation"), 2);
  EXPECT_EQ(bad.value("banyan_reloads_total{result=\"ok\"}"), 1);
  EXPECT_EQ(bad.value("banyan_reloads_total{result=\"failed\"}"), 1);
  EXPECT_EQ(bad.value("banyan_last_reload_success"), 0);
  EXPECT_EQ(bad.value("banyan_last_reload_timestamp_seconds"), 1'700'000'001);
}

// For the thread sanitizer, too: every text is whole, no count goes back, and at the end nothing is
// lost.
TEST(MetricsTest, AScrapeSeesNothingTornWhileWorkersCount) {
  constexpr unsigned workers = 2, exchanges = 20'000, names = 7;
  Metrics metrics(workers);
  std::atomic<unsigned> running{workers};
  std::vector<std::thread> threads;
  for (unsigned w = 0; w < workers; ++w)
    threads.emplace_back([&, w] {
      RouteCounters routes(metrics.shard(w), names);
      for (unsigned i = 0; i < exchanges; ++i) {
        const unsigned n = i % names;
        const std::string route = "route " + std::to_string(n);
        auto record = exchange(route, n + 1, n % 2 ? "odd" : "even", Duration(i * 7919));
        record.answered = after(record.connected, Duration(i));
        record.bytes_out = uint64_t{1} << 33;  // more than one word of 32 bits
        if (i % 10 == 0) record.blame({Code::timeout, Side::upstream, false, 504, "x"});
        routes.count(record);
      }
      --running;
    });
  double before = 0;
  for (bool last = false; !last;) {
    last = running == 0;
    const PrometheusText text(written(metrics));
    ASSERT_EQ(text.fault(), "");
    double now = 0;
    for (unsigned n = 0; n < names; ++n) {
      const std::string label = "{route=\"route " + std::to_string(n) + "\"}";
      if (text.has("banyan_request_duration_seconds_count" + label))
        now += text.value("banyan_request_duration_seconds_count" + label);
    }
    ASSERT_GE(now, before);
    before = now;
    if (!last) continue;
    EXPECT_EQ(now, workers * exchanges);
    EXPECT_EQ(text.value("banyan_errors_total{side=\"upstream\",code=\"timeout\"}"),
              workers * exchanges / 10);
    EXPECT_EQ(text.value("banyan_upstream_attempts_total{service=\"odd\"}") +
                  text.value("banyan_upstream_attempts_total{service=\"even\"}"),
              workers * exchanges);
  }
  for (auto& t : threads) t.join();
}

}  // namespace
}  // namespace banyan
