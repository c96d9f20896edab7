#include "app/observer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "app/bulkheads.h"
#include "app/compose.h"
#include "app/json_line.h"
#include "app/process_stats.h"
#include "app/service_status.h"
#include "base/prometheus_text.h"
#include "config/texts.h"
#include "sim/run.h"

namespace banyan {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string read_all(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

class ObserverTest : public testing::Test {
 protected:
  ObserverTest() {
    std::string name = testing::TempDir() + "observer_XXXXXX";
    folder = ::mkdtemp(name.data());
    logged.access_log.emplace().path = folder / "access";
    settings.routes.resize(2);
    headers.add(Name::user_agent, "curl/8.5.0");
    request.host = "shop.example";
    request.target.path = "/catalog/7";
    record.started = sim.loop().now();
    record.ended = record.started + 10ms;
  }
  ~ObserverTest() override { fs::remove_all(folder); }

  void answered(std::string_view route, uint32_t index) {
    record.route = route;
    record.route_index = index;
    record.service = "catalog";
    record.endpoint = "10.0.0.3:9001";
    record.head_read = record.started + 1ms;
    record.connected = record.started + 2ms;
    record.answered = record.started + 8ms;
    record.status = 200;
    record.attempts = 1;
    record.reused = true;
    record.bytes_in = 1;
    record.bytes_out = 2;
  }
  ExchangeObserver observer(unsigned worker, const OffloadSettings& offload) {
    return observers.observer(worker, settings, "public", offload, sim.loop()).value();
  }
  std::string log() {
    observers.flush_logs();
    return read_all(folder / "access");
  }
  // All families at once.
  std::string everything() {
    auto one = observer(0, logged);
    answered("shop", 1);
    record.blame({Code::timeout, Side::client, false, 408, "x"});
    one.finished(&request, client, record);
    observers.set_connections(0, "public", {.accepted = 2, .refused = 1, .active = 1});
    observers.set_lag(0, 1ms);
    observers.count_reload(true, sim.loop().wall());
    const ServiceStatus shop{
        .name = "shop",
        .breaker = Circuit::Status{},
        .workers = {{.endpoints = {{.name = "10.0.0.1:80", .breaker = Circuit::Status{}}}}}};
    RetryStates states;
    RetryState& state = states.of("catalog", {}, 0);
    for (auto* count : {&state.retried_ok, &state.hedges_won, &state.hedges_held_by_load})
      *count = 1;
    state.count(Refusal::unsafe);
    Exposition more;
    write_services(more, {&shop, 1});
    write_retries(more, states);
    TokenStores tokens;
    tokens.of("shop", {})->failed("x", sim.loop());
    write_tokens(more, tokens);
    QuotaStates quotas;
    quotas.of("shop", {.limit = 9, .window = 1s});
    write_quotas(more, quotas, sim.loop().now());
    Compartments compartments;
    const CompartmentPtr held = compartments.of("service shop", {});
    write_bulkheads(more, compartments);
    return observers.prometheus() + more.take();
  }

  Sim sim;
  fs::path folder;
  std::vector<std::string> told;
  Observers observers{2, "1.2.3", [this](const std::string& what) { told.push_back(what); }};
  OffloadSettings logged;
  const OffloadSettings silent;
  Settings settings;
  Arena arena;
  Headers headers{arena};
  const Address client = *parse_address("192.0.2.7:41000");
  Record record;
  Request request{.arena = arena, .headers = headers, .client = client, .record = record};
};

TEST_F(ObserverTest, AnExchangeIsALineAndACount) {
  auto one = observer(0, logged);
  answered("shop", 1);
  one.finished(&request, client, record);
  const JsonLine line(log());
  EXPECT_EQ(line.fault(), "");
  EXPECT_EQ(line["listener"], "public");
  EXPECT_EQ(line["route"], "shop");
  EXPECT_EQ(line["service"], "catalog");
  EXPECT_EQ(line["status"], "200");
  const PrometheusText text(observers.prometheus());
  EXPECT_EQ(text.fault(), "");
  EXPECT_EQ(text.value("banyan_requests_total{route=\"shop\",service=\"catalog\",status=\"2xx\"}"),
            1);
  EXPECT_EQ(text.value("banyan_access_log_dropped_total"), 0);
  EXPECT_EQ(text.value("banyan_build_info{version=\"1.2.3\"}"), 1);
}

TEST_F(ObserverTest, TheTimeOfALineIsTheLoopsClock) {
  auto one = observer(0, logged);
  one.finished(&request, client, record);
  AccessLine same("public", false);
  EXPECT_EQ(log(), same.format(&request, client, record, sim.loop().wall()));
}

TEST_F(ObserverTest, AHeadThatCouldNotBeReadIsLoggedAndCounted) {
  auto one = observer(0, logged);
  record.status = 400;
  record.blame({Code::protocol, Side::client, false, 400, "x"});
  one.finished(nullptr, client, record);
  EXPECT_EQ(JsonLine(log())["error.side"], "client");
  EXPECT_EQ(PrometheusText(observers.prometheus())
                .value("banyan_errors_total{side=\"client\",code=\"protocol\"}"),
            1);
}

TEST_F(ObserverTest, WithoutAnAccessLogThereAreCountsAlone) {
  auto one = observer(0, silent);
  answered("shop", 1);
  one.finished(&request, client, record);
  observers.flush_logs();
  EXPECT_TRUE(fs::is_empty(folder));
  EXPECT_EQ(PrometheusText(observers.prometheus())
                .value("banyan_request_duration_seconds_count{route=\"shop\"}"),
            1);
}

TEST_F(ObserverTest, ARewrittenPathIsLoggedAsTheClientAskedForIt) {
  Texts texts;
  texts.files["c"] =
      "version: 1\nlisteners: { public: 127.0.0.1:0 }\n"
      "services: { empty: { respond: { status: 204 } } }\nroutes:\n"
      "  - { name: r, match: { path: '/catalog/{id}' }, rewrite: '/items/{id}', to: empty }\n";
  const Loaded loaded = load_model("c", texts.sources());
  ASSERT_NE(loaded.model, nullptr) << loaded.problems.text();
  CallShares calls;
  Composer composer(loaded.model, sim.loop(), calls,
                    {[](std::string_view) { return nullptr; },
                     [](std::string_view) { return nullptr; }, nullptr});
  const auto edge =
      composer.edge(loaded.model->settings.listeners[0].value, {}, observer(0, logged));
  sim.run([&]() -> Task<> {
    const auto reply = co_await edge->call(request);
    record.status = reply ? reply->status : 0;
  });
  EXPECT_EQ(request.target.path, "/items/7");
  edge->finished(&request, client, record);
  const JsonLine line(log());
  EXPECT_EQ(line["path"], "/catalog/7");
  EXPECT_EQ(line["route"], "r");
  EXPECT_EQ(line["status"], "204");
}

TEST_F(ObserverTest, TheQueryIsLoggedWhereItIsAskedFor) {
  request.target.query = "q=secret";
  request.target.has_query = true;
  observer(0, logged).finished(&request, client, record);
  EXPECT_EQ(log().find("secret"), std::string::npos);
  logged.access_log->query = true;
  observer(0, logged).finished(&request, client, record);
  EXPECT_NE(log().find("\"query\":\"q=secret\""), std::string::npos);
}

TEST_F(ObserverTest, ALogThatCannotBeOpenedIsAReasonForTheUser) {
  logged.access_log->path = folder / "none" / "access";
  const auto made = observers.observer(0, settings, "public", logged, sim.loop());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(),
            "access_log: cannot open '" + logged.access_log->path + "': No such file or directory");
}

// What the workers open later is open already: they open nothing themselves.
TEST_F(ObserverTest, TheLogsOfAVersionAreOpenedBeforeItIsBuilt) {
  settings.listeners = {{.name = "public", .place = {}, .value = {}},
                        {.name = "inside", .place = {}, .value = {}}};
  settings.offload = logged;
  settings.listeners[1].value.offload.access_log.emplace().path = folder / "inside";
  std::optional<ExchangeObserver> made;
  {
    const auto logs = observers.open_logs(settings);
    ASSERT_TRUE(logs) << logs.error();
    EXPECT_EQ(logs->size(), 2u);
    fs::remove(folder / "access");
    made = observer(1, logged);
    EXPECT_FALSE(fs::exists(folder / "access")) << "it was opened a second time";
    EXPECT_TRUE(fs::exists(folder / "inside"));
  }
  observers.reopen_logs();
  made->finished(&request, client, record);
  EXPECT_EQ(JsonLine(log())["listener"], "public");
}

TEST_F(ObserverTest, WhichListenersLogCannotBeOpenedIsSaid) {
  settings.listeners = {{.name = "public", .place = {}, .value = {}}};
  EXPECT_EQ(observers.open_logs(settings)->size(), 0u);
  settings.offload.access_log.emplace().path = folder;
  EXPECT_EQ(observers.open_logs(settings).error(),
            "listener public: access_log: cannot open '" + folder.string() + "': Is a directory");
}

// An exchange that began before a reload is counted and logged by the version it began with.
TEST_F(ObserverTest, TwoVersionsAtOnce) {
  auto before = observer(0, logged);
  settings.routes.resize(1);
  auto after = observer(0, logged);
  answered("new", 1);
  after.finished(&request, client, record);
  answered("old", 2);
  before.finished(&request, client, record);
  const std::string all = log();
  const size_t end = all.find('\n') + 1;
  EXPECT_EQ(JsonLine(all.substr(0, end))["route"], "new");
  EXPECT_EQ(JsonLine(all.substr(end))["route"], "old");
  const PrometheusText text(observers.prometheus());
  for (const char* route : {"old", "new"})
    EXPECT_EQ(text.value("banyan_requests_total{route=\"" + std::string(route) +
                         "\",service=\"catalog\",status=\"2xx\"}"),
              1);
}

TEST_F(ObserverTest, RotationAndWhatIsLostAreSeen) {
  auto one = observer(0, logged);
  one.finished(&request, client, record);
  observers.flush_logs();
  fs::rename(folder / "access", folder / "access.1");
  observers.reopen_logs();
  one.finished(&request, client, record);
  EXPECT_EQ(log(), read_all(folder / "access.1"));
  logged.access_log->path = "/dev/full";
  observer(1, logged).finished(&request, client, record);
  observers.flush_logs();
  const PrometheusText text(observers.prometheus());
  EXPECT_EQ(text.value("banyan_access_log_dropped_total"), 1);
  EXPECT_EQ(text.value("banyan_access_log_write_errors_total"), 1);
  EXPECT_THAT(told, testing::ElementsAre(
                        "cannot write '/dev/full': No space left on device; lines are lost"));
}

TEST_F(ObserverTest, TheTextOfEverythingKeepsTheFormat) {
  const std::string text = everything();
  EXPECT_EQ(PrometheusText(text).fault(), "");
  for (const char* not_a_number : {"NaN", "nan", "inf ", " -"})
    EXPECT_EQ(text.find(not_a_number), std::string::npos) << not_a_number;
}

// ---- What the kernel says.

TEST(ProcessStatsTest, AreThoseOfThisProcess) {
  Exposition out;
  write_process_stats(out);
  const PrometheusText before(out.take());
  EXPECT_EQ(before.fault(), "");
  EXPECT_GT(before.value("process_resident_memory_bytes"), 1'000'000);
  EXPECT_GT(before.value("process_cpu_seconds_total"), 0);
  EXPECT_GT(before.value("process_start_time_seconds"), 1'600'000'000);
  rlimit files;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_EQ(before.value("process_max_fds"), static_cast<double>(files.rlim_cur));
  int more[8];
  for (int& fd : more) fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  write_process_stats(out);
  for (const int fd : more) close(fd);
  EXPECT_EQ(PrometheusText(out.take()).value("process_open_fds"),
            before.value("process_open_fds") + 8);
}

// ---- docs/observability.md says what there is, and nothing else.

class ObservabilityPageTest : public ObserverTest {
 protected:
  static std::string page() {
    return read_all(fs::path(BANYAN_SOURCE_DIR) / "docs" / "observability.md");
  }
  // What stands in the first column of a table under the heading.
  static std::set<std::string> named(const std::string& heading) {
    const std::string all = page();
    const size_t from = all.find("\n" + heading + "\n");
    EXPECT_NE(from, std::string::npos) << heading;
    std::set<std::string> out;
    std::istringstream in(all.substr(from + heading.size() + 2));
    for (std::string line; std::getline(in, line) && !line.starts_with("## ");)
      if (std::smatch m; std::regex_search(line, m, std::regex("^\\| `([a-z_.]+)` \\|")))
        EXPECT_TRUE(out.insert(m[1]).second) << m[1] << " twice";
    return out;
  }
};

TEST_F(ObservabilityPageTest, NamesEveryMetricWithItsTypeAndLabels) {
  std::istringstream in(everything());
  std::set<std::string> families;
  std::map<std::string, std::set<std::string>> labels;
  std::string family;
  const std::string all = page();
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# HELP ")) continue;
    if (line.starts_with("# TYPE ")) {
      const size_t space = line.find(' ', 7);
      family = line.substr(7, space - 7);
      families.insert(family);
      EXPECT_NE(all.find("\n| `" + family + "` | " + line.substr(space + 1) + " | "),
                std::string::npos)
          << line;
      continue;
    }
    const std::regex label("([a-z_]+)=\"");
    for (std::sregex_iterator at(line.begin(), line.end(), label), end; at != end; ++at)
      if ((*at)[1] != "le") labels[family].insert((*at)[1]);
  }
  EXPECT_EQ(named("## Metrics"), families);
  for (const auto& [name, wanted] : labels) {
    const size_t row = all.find("\n| `" + name + "` | ");
    const std::string text = all.substr(row, all.find('\n', row + 1) - row);
    for (const std::string& label : wanted)
      EXPECT_NE(text.find("`" + label + "`"), std::string::npos) << name << " " << label;
  }
}

TEST_F(ObservabilityPageTest, NamesEveryFieldOfTheAccessLog) {
  logged.access_log->query = true;
  request.target.query = "q=1";
  request.target.has_query = true;
  headers.add(Name::x_request_id, "7");
  auto one = observer(0, logged);
  answered("shop", 1);
  record.blame({Code::reset, Side::upstream, false, 0, "x"});
  record.decision = "why not";
  one.finished(&request, client, record);
  const std::set<std::string> fields = named("## Access log");
  const JsonLine line(log());
  EXPECT_EQ(line.paths(), fields);
}

// The example can be read, and has no field of its own.
TEST_F(ObservabilityPageTest, ShowsALineThatIsOne) {
  const std::string all = page();
  const size_t from = all.find("\n{\"time\":");
  ASSERT_NE(from, std::string::npos);
  const JsonLine line(all.substr(from + 1, all.find('\n', from + 1) - from));
  EXPECT_EQ(line.fault(), "");
  const std::set<std::string> fields = named("## Access log");
  for (const std::string& path : line.paths()) EXPECT_TRUE(fields.contains(path)) << path;
}

}  // namespace
}  // namespace banyan
