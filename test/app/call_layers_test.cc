#include "app/call_layers.h"

#include <gmock/gmock.h>

#include "app/compose.h"
#include "sim/gateway.h"

namespace banyan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Time start{std::chrono::hours(24)};

std::string with(std::string_view policies) {
  return "version: 1\nlisteners: { web: 10.0.0.1:80 }\nservices:\n  a: { endpoints: "
         "[http://10.0.1.1:80]" +
         std::string(policies) + " }\nroutes: [ { to: a } ]\n";
}
std::string told(std::string_view policies) { return load_text(with(policies)).problems.text(); }

std::vector<std::string> roles(std::string_view policies) {
  const Loaded loaded = load_text(with(policies));
  EXPECT_EQ(loaded.problems.text(), "");
  std::vector<std::string> out;
  if (loaded.model == nullptr) return out;
  for (const LayerNote& note : describe_route(*loaded.model, {}, 0)) {
    EXPECT_FALSE(note.why.empty()) << note.role;
    out.push_back(note.role);
  }
  return out;
}

TEST(CallLayers, OnlyWhatIsAskedForIsThere) {
  EXPECT_THAT(roles(""), ElementsAre("hop-by-hop", "forwarded", "router", "context", "service a"));
  EXPECT_THAT(roles(", retry: {}"), ElementsAre("hop-by-hop", "forwarded", "router", "context",
                                                "budget", "retry", "service a"));
  EXPECT_THAT(roles(", hedge: p95"), ElementsAre("hop-by-hop", "forwarded", "router", "context",
                                                 "budget", "hedge", "service a"));
}

TEST(CallLayers, TheOrderStandsWhateverTheFileSays) {
  EXPECT_THAT(roles(", context: { accept: true }, hedge: 50ms, retry: {}, deadline: {}"),
              ElementsAre("hop-by-hop", "forwarded", "router", "deadline", "context", "budget",
                          "hedge", "retry", "time left", "service a"));
}

TEST(CallLayers, WhatIsWrongIsTold) {
  EXPECT_THAT(told(", retry: { attempts: 0 }"), HasSubstr("services.a.retry.attempts"));
  EXPECT_THAT(told(", retry: { budget: 150% }"), HasSubstr("not a percentage"));
  EXPECT_THAT(told(", hedge: { methods: [POST] }"), HasSubstr("'POST' is not safe"));
  EXPECT_THAT(told(", hedge: { after: soon }"), HasSubstr("a quantile (p50 to p99.99) or a time"));
  EXPECT_THAT(told(", deadline: { remember: true }"), HasSubstr("remember without trust"));
  EXPECT_THAT(told(", timeout: { try: 2s, request: 1s }"), HasSubstr("try is longer than request"));
  const std::string text =
      "version: 1\nlisteners: { web: 10.0.0.1:80 }\n"
      "services: { a: { respond: { status: 204 }, retry: {} } }\nroutes: [ { to: a } ]\n";
  EXPECT_THAT(load_text(text).problems.text(),
              HasSubstr("retry, hedge, deadline and context go with endpoints"));
}

TEST(CallLayers, BudgetsAreThoseOfTheVersionThatIsUsed) {
  RetryStates states;
  const auto taken = [&](const char* name) {
    size_t n = 0;
    while (states.of(name, {}, 0).budget.try_take(start)) ++n;
    return n;
  };
  const auto use = [&](std::string_view policies) {
    const Loaded loaded = load_text(with(policies));
    set_budgets(loaded.model->settings, states);
  };
  use(", retry: { budget_floor: 3 }");
  EXPECT_EQ(taken("a"), 3u);
  use(", retry: { budget_floor: 5 }");
  EXPECT_EQ(taken("a"), 2u) << "what is spent stays spent over a reload";
  use(", hedge: p95");
  EXPECT_EQ(taken("a"), 25u) << "the standard floor is 30";
  use("");
  EXPECT_EQ(taken("b"), 0u) << "nobody has said anything of it";
}

TEST(CallLayers, MetricsByServiceResultAndReason) {
  RetryStates states;
  Exposition none;
  write_retries(none, states);
  EXPECT_EQ(none.take(), "");
  RetryState& a = states.of("a", {}, 0);
  a.retried_ok = 3;
  a.retried_failed = 1;
  a.hedges_won = 2;
  a.hedges_lost = 4;
  a.hedges_held_by_load = 5;
  a.count(Refusal::unsafe);
  states.of("b", {}, 0).count(Refusal::budget);
  states.of("c", {}, 0);
  Exposition out;
  write_retries(out, states);
  const std::string text = out.take();
  for (const char* line : {"banyan_retries_total{service=\"a\",result=\"ok\"} 3\n",
                           "banyan_retries_total{service=\"a\",result=\"failed\"} 1\n",
                           "banyan_retries_refused_total{service=\"a\",reason=\"unsafe\"} 1\n",
                           "banyan_retries_refused_total{service=\"b\",reason=\"budget\"} 1\n",
                           "banyan_hedges_total{service=\"a\",result=\"won\"} 2\n",
                           "banyan_hedges_total{service=\"a\",result=\"lost\"} 4\n",
                           "banyan_hedges_held_total{service=\"a\",reason=\"load\"} 5\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, testing::Not(HasSubstr("\"c\"")));
  EXPECT_THAT(text, testing::Not(HasSubstr("reason=\"caller\"")));
}

}  // namespace
}  // namespace banyan
