#include "patterns/bulkhead/settings.h"

#include <gmock/gmock.h>

#include "config/texts.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string told(const std::string& text) { return ReadText<BulkheadSettings>(text).told; }
CompartmentLimits limits(const std::string& text) {
  const ReadText<BulkheadSettings> read(text);
  EXPECT_TRUE(read.good) << read.told;
  return limits_of(read.value);
}

TEST(BulkheadSettings, Standards) {
  EXPECT_EQ(limits("{}"), CompartmentLimits{});
  EXPECT_FALSE(share_key_of({}));
}

TEST(BulkheadSettings, ANumberIsTheLimit) { EXPECT_EQ(limits("64").concurrency, 64u); }

TEST(BulkheadSettings, AllWords) {
  const std::string text =
      "{concurrency: 64, queue: 32, wait: 100ms, bytes: 1MiB, adaptive: {min: 4, max: 50}, "
      "share_by: header:x-tenant, shares: {gold: 4, default: 2}, priority: low}";
  const CompartmentLimits expected{.concurrency = 64,
                                   .queue = 32,
                                   .wait = 100ms,
                                   .bytes = 1024 * 1024,
                                   .adaptive = GradientBounds{4, 50},
                                   .keyed = true,
                                   .shares = {{"gold", 4}},
                                   .standard_share = 2};
  EXPECT_EQ(limits(text), expected);
  EXPECT_EQ(share_key_of(ReadText<BulkheadSettings>(text).value),
            RequestKey::parse("header:x-tenant"));
}

TEST(BulkheadSettings, AdaptiveIsBoundedByTheConcurrency) {
  EXPECT_EQ(limits("{concurrency: 64, adaptive: true}").adaptive, (GradientBounds{1, 64}));
  EXPECT_EQ(limits("{concurrency: 64, adaptive: false}").adaptive, std::nullopt);
  EXPECT_EQ(limits("{concurrency: 64, adaptive: {min: 64}}").adaptive, (GradientBounds{64, 64}));
}

TEST(BulkheadSettings, WhatIsWrongIsTold) {
  const std::pair<const char*, const char*> rows[] = {
      {"{concurrency: 0}", "concurrency: 0 is out of range"},
      {"0", "0 is out of range"},
      {"{queue: 5, wait: 0ms}", "out of range"},
      {"{queue: 5, wait: 6m}", "allowed is 1ms to 5m"},
      {"{wait: 1s}", "wait without queue"},
      {"{bytes: 0}", "out of range"},
      {"{adaptive: {min: 0}}", "min: 0 is out of range"},
      {"{concurrency: 9, adaptive: {min: 10}}", "adaptive.min is more than the most"},
      {"{concurrency: 9, adaptive: {min: 5, max: 4}}", "adaptive.min is more than the most"},
      {"{concurrency: 9, adaptive: {max: 10}}", "adaptive.max is more than concurrency (9)"},
      {"{queue: 1, shares: {gold: 4}}", "shares without share_by"},
      {"{share_by: ip}", "share_by without queue"},
      {"{queue: 1, lend: 50%}", "lend without share_by"},
      {"{queue: 1, share_by: ip, lend: 0%}", "lend"},
      {"{queue: 1, share_by: ip, shares: {gold: 0}}", "the share of 'gold' is 0; allowed is 1 to"},
      {"{queue: 1, share_by: ip, shares: {gold: 10001}}", "the share of 'gold' is 10001"},
      {"{queue: 1, share_by: path}", "a client chooses the path"},
      {"{queue: 1, share_by: claim:tenant}", "claims are not known yet"},
      {"{queue: 1, share_by: tenant}", "'tenant' is none of header:NAME, cookie:NAME, ip"},
      {"{queue: 1, share_by: \"header:\"}", "is none of header:NAME, cookie:NAME, ip"},
      {"{priority: urgent}", "'urgent' is none of high, normal, low, header:NAME"},
      {"{priority: cookie:p}", "'cookie:p' is none of"},
      {"{concurency: 4}", "did you mean 'concurrency'"},
  };
  for (const auto& [text, fault] : rows) EXPECT_THAT(told(text), HasSubstr(fault)) << text;
}

TEST(BulkheadUse, ItsOwnOrAGroup) {
  const BulkheadGroups groups = {{.name = "vendors", .value = {.concurrency = 7}}};
  const auto limit = [&](const char* text) {
    const ReadText<BulkheadUse> read(text);
    EXPECT_TRUE(read.good) << read.told;
    EXPECT_EQ(group_fault(read.value, groups), "");
    return settings_of(read.value, groups).concurrency;
  };
  EXPECT_EQ(limit("vendors"), 7u);
  EXPECT_EQ(limit("64"), 64u);
  EXPECT_EQ(limit("{concurrency: 5}"), 5u);
}

TEST(BulkheadUse, WhatIsWrongIsTold) {
  const BulkheadGroups groups = {{.name = "vendors", .value = {}}};
  EXPECT_THAT(group_fault({.group = "vendor"}, groups),
              HasSubstr("there is no bulkhead 'vendor'; did you mean 'vendors'"));
  EXPECT_THAT(group_fault({.group = "x"}, {}), HasSubstr("there is no bulkhead 'x'"));
  EXPECT_THAT(ReadText<BulkheadUse>("{queue: 1, share_by: path}").told,
              HasSubstr("a client chooses the path"));
  EXPECT_FALSE(ReadText<BulkheadUse>("0").good);
  EXPECT_FALSE(ReadText<BulkheadUse>("-1").good);
  EXPECT_FALSE(ReadText<BulkheadUse>("[1]").good);
}

}  // namespace
}  // namespace banyan
