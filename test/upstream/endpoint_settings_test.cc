#include "upstream/endpoint_settings.h"

#include <gtest/gtest.h>

#include "config/texts.h"
#include "upstream/endpoint_rules.h"

namespace banyan {

using namespace std::chrono_literals;

// A service as far as this goes.
struct UsedService {
  uint32_t endpoints = 4;
  UseSettings use;
};
void declare(Fields<UsedService>& f) {
  f.about("service", "For tests.");
  f.field("endpoints", &UsedService::endpoints, "How many.");
  declare_use(f, &UsedService::use);
  f.verify([](const UsedService& s, const Node& node, const Reading& at) {
    verify_use(s.use, s.endpoints, node, at);
  });
}

namespace {

UseSettings read(const std::string& text) {
  ReadText<UsedService> out(text);
  EXPECT_TRUE(out.good) << text << "\n" << out.told;
  EXPECT_EQ(out.told, "") << text;
  return out.value.use;
}

TEST(EndpointSettingsTest, AllOfIt) {
  const UseSettings use = read(R"(
balance: { hash: header:x-user, load: 1.5 }
shard: { by: header:x-tenant, size: 3 }
health: { path: /healthz, interval: 2s, timeout: 500ms, unhealthy_after: 4, healthy_after: 1, status: 200-299 }
eject: { consecutive: 7, deviation: 2.5, for: 10s, for_most: 1m, at_most: 25%, status: none }
breaker: { failures: 3, open: 4s, probes: 2, status: 503, scope: service }
slow_start: 30s
panic: 40%
)");
  EXPECT_EQ(use.balance, (BalanceSettings{.hash = "header:x-user", .load = {150}}));
  EXPECT_EQ(use.shard, (ShardSettings{.by = "header:x-tenant", .size = 3}));
  EXPECT_EQ(use.health, (HealthSettings{.path = "/healthz",
                                        .interval = 2s,
                                        .timeout = 500ms,
                                        .unhealthy_after = 4,
                                        .healthy_after = 1,
                                        .status = {200, 299}}));
  EXPECT_EQ(use.eject, (EjectSettings{.consecutive = 7,
                                      .deviation = {Factor{250}},
                                      .for_ = 10s,
                                      .for_most = 1min,
                                      .at_most = {2500},
                                      .status = {}}));
  EXPECT_EQ(use.breaker, (BreakerSettings{.failures = 3,
                                          .open = 4s,
                                          .probes = 2,
                                          .status = {503, 503},
                                          .scope = BreakerScope::service}));
  EXPECT_EQ(use.slow_start, 30s);
  EXPECT_EQ(use.panic, Percent{4000});
}

TEST(EndpointSettingsTest, ShortForms) {
  EXPECT_EQ(read("balance: round_robin").balance.method, Balance::round_robin);
  EXPECT_EQ(read("balance: least_request").balance.method, Balance::least_request);
  EXPECT_EQ(read("health: /healthz").health->path, "/healthz");
  EXPECT_TRUE(read("health: { tcp: true }").health->tcp);
  EXPECT_EQ(read("breaker: 3").breaker->failures, 3u);
  EXPECT_EQ(read("eject: {}").eject, EjectSettings{});
  EXPECT_EQ(read("endpoints: 2"), UseSettings{});
  EXPECT_EQ(read("eject: { deviation: on }").eject->deviation.factor, Factor{190});
  EXPECT_EQ(read("eject: { deviation: off }").eject->deviation.factor, Factor{});
}

TEST(EndpointSettingsTest, WhatCannotBe) {
  const std::pair<const char*, const char*> table[] = {
      {"breaker: { probes: 0 }", "the breaker could never close again"},
      {"breaker: { failures: 0 }", "out of range"},
      {"breaker: { open: 0 }", "out of range"},
      {"breaker: { status: 500-400 }", "is not a status or a range"},
      {"breaker: { scope: all }", "is not one of: both, service, endpoint"},
      {"health: {}", "wants `path` or `tcp`"},
      {"health: { path: /, tcp: true }", "exclude each other"},
      {"health: healthz", "it begins with /"},
      {"health: '/a b'", "it begins with / and has no blank"},
      {"health: { path: /, interval: 1s, timeout: 2s }", "longer than the interval"},
      {"health: { path: /, status: none }", "could ever be healthy"},
      {"health: { path: /, unhealthy_after: 0 }", "out of range"},
      {"eject: { consecutive: 0 }", "nothing would be ejected"},
      {"eject: { at_most: 0% }", "out of range"},
      {"eject: { deviation: 0.5 }", "on, off or a factor"},
      {"eject: { for: 10m }", "`for_most` is shorter than `for`"},
      {"balance: { hash: user }", "none of cookie:NAME, header:NAME, ip, path"},
      {"balance: hash", "is not one of: ewma, round_robin, least_request"},
      {"balance: { hash: ip, method: ewma }", "exclude each other"},
      {"balance: { load: 1.5 }", "`load` bounds a `hash`, which is missing"},
      {"balance: { hash: ip, load: 0.9 }", "out of range; allowed is 1 to 10"},
      {"shard: { size: 2 }", "'by' is missing"},
      {"shard: { by: ip, size: 0 }", "out of range"},
      {"slow_start: 2h", "out of range"},
      {"panic: 101%", "percentage"},
  };
  for (const auto& [text, told] : table) {
    ReadText<UsedService> out(text);
    EXPECT_FALSE(out.good) << text;
    EXPECT_NE(out.told.find(told), std::string::npos) << text << "\n" << out.told;
  }
}

TEST(EndpointSettingsTest, WhatHasNoEffectIsToldButAccepted) {
  const std::pair<const char*, const char*> table[] = {
      {"{ endpoints: 2, shard: { by: ip, size: 2 } }", "every tenant has all 2 endpoints"},
      {"{ endpoints: 1, eject: {} }", "never ejects"},
      {"{ endpoints: 3, eject: { at_most: 33% } }", "never ejects"},
      {"{ endpoints: 2, eject: { deviation: on } }", "here are fewer"},
  };
  for (const auto& [text, told] : table) {
    ReadText<UsedService> out(text);
    EXPECT_TRUE(out.good) << text;
    EXPECT_NE(out.told.find(told), std::string::npos) << text << "\n" << out.told;
  }
  read("{ endpoints: 0, shard: { by: ip, size: 9 }, eject: { deviation: on } }");
  read("{ endpoints: 3, eject: { at_most: 34% } }");
}

TEST(EndpointSettingsTest, WrittenAsTheyAreRead) {
  for (const char* text : {"none", "503", "200-399"})
    EXPECT_EQ(to_text(*parse_status_range(text)), text);
  for (const char* text : {"", "99", "600", "2xx", "200-", "-200", "200-300-400", "299-200"})
    EXPECT_FALSE(parse_status_range(text)) << text;
  EXPECT_EQ(Value<Deviation>::text({}), "off");
  EXPECT_EQ(Value<Deviation>::text({Factor{190}}), "1.9");
  for (const char* text : {"", "yes", "101", "1.999"}) EXPECT_FALSE(parse_deviation(text)) << text;
}

TEST(EndpointSettingsTest, Rules) {
  UseSettings use;
  EXPECT_FALSE(rules_of(use).judging());
  EXPECT_FALSE(rules_of(use).hash || rules_of(use).shard);
  use.balance.hash = "ip";
  use.shard = ShardSettings{.by = "header:t", .size = 5};
  use.breaker = BreakerSettings{};
  use.panic = {2500};
  const EndpointRules rules = rules_of(use);
  EXPECT_EQ(rules.hash->key, RequestKey::parse("ip"));
  EXPECT_DOUBLE_EQ(rules.hash->load, 1.25);
  EXPECT_EQ(rules.shard->size, 5u);
  EXPECT_TRUE(rules.breaker);
  EXPECT_TRUE(rules.judging());
  EXPECT_FALSE(rules.panics(1, 4));
  EXPECT_TRUE(rules.panics(1, 5));
  use.breaker->scope = BreakerScope::service;
  EXPECT_FALSE(rules_of(use).breaker) << "endpoints have none of their own";
  use.panic = {};
  EXPECT_FALSE(rules_of(use).panics(0, 5)) << "never";
}

}  // namespace
}  // namespace banyan
