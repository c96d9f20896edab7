#include "patterns/ambassador/hedge.h"

#include "patterns/ambassador/budget.h"
#include "patterns/ambassador/call.h"
#include "patterns/ambassador/deadline.h"
#include "patterns/ambassador/retry.h"
#include "upstream/proxy.h"

namespace banyan {
namespace {

using Step = Scripted::Step;

class HedgeTest : public testing::Test {
 protected:
  HedgeTest() { settings.after = {.fixed = 50ms}; }

  // Once for all calls of a test: the filter learns.
  HedgeFilter& over(std::vector<Step> steps) {
    service = std::make_shared<Scripted>(sim, std::move(steps));
    filter = std::make_shared<HedgeFilter>(service, settings, state);
    return *filter;
  }
  Answered ask(std::vector<Step> steps, Ask what = {}) {
    HedgeFilter& hedge = over(std::move(steps));
    return sim.run([&]() -> Task<Answered> { return exchange(sim, hedge, what); });
  }

  Sim sim;
  HedgeSettings settings;
  RetryState state{Percent{10'000}, 100};
  std::shared_ptr<Scripted> service;
  std::shared_ptr<HedgeFilter> filter;
};

TEST_F(HedgeTest, WhatAnswersInTimeIsSentOnce) {
  const auto answer = ask({{.takes = 50ms - 1ns}, {}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.took, 50ms - 1ns);
  EXPECT_EQ(answer.attempts, 1);
  EXPECT_EQ(service->seen().size(), 1u);
  EXPECT_EQ(state.hedges, 0u);
}

TEST_F(HedgeTest, TheSecondCopyAnswersFirst) {
  const auto answer = ask({{.takes = 1s}, {.takes = 10ms, .text = "second"}});
  EXPECT_EQ(answer.text, "second");
  EXPECT_EQ(answer.took, 60ms);
  EXPECT_EQ(answer.attempts, 2);
  EXPECT_EQ(answer.endpoint, "endpoint 2");
  EXPECT_EQ(service->times(), (std::vector<Duration>{0ms, 50ms}));
  EXPECT_EQ(service->called_off, 1);
  EXPECT_EQ(state.hedges, 1u);
  EXPECT_EQ(state.hedges_won, 1u);
}

TEST_F(HedgeTest, TheFirstCopyAnswersAfterAll) {
  const auto answer = ask({{.takes = 70ms, .text = "first"}, {.takes = 1s}});
  EXPECT_EQ(answer.text, "first");
  EXPECT_EQ(answer.took, 70ms);
  EXPECT_EQ(answer.attempts, 2);
  EXPECT_EQ(answer.endpoint, "endpoint 1");
  EXPECT_EQ(service->called_off, 1);
  EXPECT_EQ(state.hedges_won, 0u);
}

TEST_F(HedgeTest, OnlyWhatMayBeProcessedTwice) {
  const Step slow{.takes = 100ms};
  for (const char* method : {"GET", "HEAD"}) {
    ask({slow}, {.method = method});
    EXPECT_EQ(service->seen().size(), 2u) << method;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "get", "X"}) {
    ask({slow}, {.method = method});
    EXPECT_EQ(service->seen().size(), 1u) << method;
  }
  ask({slow}, {.method = "POST", .fields = {{"Idempotency-Key", "k"}}});
  EXPECT_EQ(service->seen().size(), 1u) << "processed once is all that the key is for";
  Trickle body({"content"}, 1ms);
  ask({slow}, {.body = &body});
  EXPECT_EQ(service->seen().size(), 1u);
  ask({slow}, {.upgrade = "websocket"});
  EXPECT_EQ(service->seen().size(), 1u);
  settings.methods = {{"OPTIONS"}};
  ask({slow}, {.method = "OPTIONS"});
  EXPECT_EQ(service->seen().size(), 2u);
  ask({slow}, {.method = "GET"});
  EXPECT_EQ(service->seen().size(), 1u);
}

TEST_F(HedgeTest, AFailureDoesNotWinWhileAnotherIsUnderWay) {
  const Step failures[] = {{.takes = 1ms, .error = refused()}, {.takes = 1ms, .status = 503}};
  for (const Step& failure : failures) {
    const auto answer = ask({{.takes = 100ms, .text = "first"}, failure});
    EXPECT_EQ(answer.text, "first");
    EXPECT_EQ(answer.took, 100ms);
  }
  for (Step failure : failures) {
    failure.takes = 60ms;
    const auto answer = ask({failure, {.takes = 30ms, .text = "second"}});
    EXPECT_EQ(answer.text, "second");
    EXPECT_EQ(answer.took, 80ms);
  }
}

TEST_F(HedgeTest, AFailureBeforeItIsLateIsForRetries) {
  const auto answer = ask({{.takes = 10ms, .error = broke_off()}, {}});
  EXPECT_EQ(answer.error, broke_off());
  EXPECT_EQ(answer.took, 10ms);
  EXPECT_EQ(service->seen().size(), 1u);
}

TEST_F(HedgeTest, WhenAllFailAnAnswerSaysMoreThanNone) {
  auto answer = ask({{.takes = 60ms, .error = broke_off()}, {.takes = 20ms, .status = 503}});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.took, 70ms);
  EXPECT_EQ(answer.endpoint, "endpoint 2");
  answer = ask({{.takes = 60ms, .error = broke_off()}, {.takes = 20ms, .error = refused()}});
  EXPECT_EQ(answer.error, broke_off());
  EXPECT_EQ(answer.attempts, 2);
}

TEST_F(HedgeTest, AFurtherCopyAfterAFurtherWait) {
  settings.at_most = 3;
  const auto answer = ask({{.takes = 1s}, {.takes = 1s}, {.takes = 1s}, {.takes = 5ms}});
  EXPECT_EQ(answer.took, 155ms);
  EXPECT_EQ(answer.attempts, 4);
  EXPECT_EQ(service->times(), (std::vector<Duration>{0ms, 50ms, 100ms, 150ms}));
  EXPECT_EQ(service->called_off, 3);
  EXPECT_EQ(state.hedges, 3u);
  EXPECT_EQ(state.hedges_won, 1u);
}

TEST_F(HedgeTest, NoMoreThanThose) {
  settings.at_most = 2;
  const auto answer = ask({{.takes = 1s}});
  EXPECT_EQ(answer.took, 1s);
  EXPECT_EQ(service->seen().size(), 3u);
}

TEST_F(HedgeTest, WithinTheBudgetOfRetries) {
  state.budget.set_limits(Percent{0}, 1);
  HedgeFilter& hedge = over({{.takes = 100ms}});
  sim.run([&]() -> Task<> {
    co_await exchange(sim, hedge, {});
    co_await exchange(sim, hedge, {});
  });
  EXPECT_EQ(service->seen().size(), 3u);
  EXPECT_EQ(state.hedges, 1u);
  EXPECT_EQ(state.hedges_held_by_budget, 1u);
}

TEST_F(HedgeTest, OffWhileTooManyWait) {
  settings.in_flight = 3;
  HedgeFilter& hedge = over({{.takes = 100ms}});
  const auto together = [&](size_t n) {
    return sim.run([&]() -> Task<size_t> {
      co_return (co_await gather(n, [&](size_t) { return exchange(sim, hedge, {}); })).size();
    });
  };
  together(3);
  EXPECT_EQ(service->seen().size(), 6u);
  EXPECT_EQ(state.hedges_held_by_load, 0u);
  together(4);
  EXPECT_EQ(service->seen().size(), 10u);
  EXPECT_EQ(state.hedges_held_by_load, 4u);
  EXPECT_EQ(state.hedges, 3u) << "what is held by load costs nothing of the budget";
}

TEST_F(HedgeTest, TheCallerMayAskForNoneOrForAnotherTime) {
  ask({{.takes = 1s}}, {.wishes = Wishes{.hedge = false}});
  EXPECT_EQ(service->seen().size(), 1u);
  ask({{.takes = 1s}}, {.wishes = Wishes{.hedge_after = 7ms}});
  EXPECT_EQ(service->seen()[1].at - service->seen()[0].at, 7ms);
  ask({{.takes = 1s}}, {.wishes = Wishes{}});
  EXPECT_EQ(service->seen()[1].at - service->seen()[0].at, 50ms);
}

TEST_F(HedgeTest, AQuantileIsLearned) {
  settings.after = {.quantile = 0.95};
  HedgeFilter& hedge = over({{.takes = 10ms}});
  sim.run([&]() -> Task<> {
    for (int i = 0; i < 39; ++i) co_await exchange(sim, hedge, {});
  });
  EXPECT_EQ(service->seen().size(), 39u);
  Histogram known;
  for (int i = 0; i < 40; ++i) known.record(10ms);
  Distribution d;
  known.add_to(d);
  const Duration late = d.quantile(0.95);
  // The 40th is slow, and nobody can say so yet; the 41st is.
  std::vector<Step> steps(40, {.takes = 10ms});
  steps.push_back({.takes = 500ms});
  steps.push_back({.takes = 1ms});
  HedgeFilter& slow = over(steps);
  const auto answer = sim.run([&]() -> Task<Answered> {
    for (int i = 0; i < 40; ++i) co_await exchange(sim, slow, {});
    co_return co_await exchange(sim, slow, {});
  });
  EXPECT_EQ(answer.took, late + 1ms);
  ASSERT_EQ(service->seen().size(), 42u);
  EXPECT_EQ(service->seen()[41].at - service->seen()[40].at, late);
}

// Else the quantile would fall with every copy that wins, until all requests are sent twice at
// once.
TEST_F(HedgeTest, WhatWasCalledOffCountsAsLate) {
  settings.after = {.quantile = 0.5};
  std::vector<Step> steps(20, {.takes = 100ms});
  for (int i = 0; i < 100; ++i) {
    steps.push_back({.takes = 200ms});
    steps.push_back({.takes = 1ms});
  }
  HedgeFilter& hedge = over(steps);
  sim.run([&]() -> Task<> {
    for (int i = 0; i < 120; ++i) co_await exchange(sim, hedge, {});
  });
  EXPECT_EQ(state.hedges_won, 100u);
  const auto times = service->times();
  for (size_t i = 20; i + 1 < times.size(); i += 2) EXPECT_GE(times[i + 1] - times[i], 98ms);
}

TEST_F(HedgeTest, HeadersAreNotShared) {
  class Adds final : public Filter {
   public:
    using Filter::Filter;
    Task<Reply> call(Request& request) override {
      request.headers.add("x-token", "t");
      return next->call(request);
    }
  };
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{.takes = 60ms}});
  HedgeFilter hedge(std::make_shared<Adds>(service), settings, state);
  sim.run([&]() -> Task<Answered> { return exchange(sim, hedge, {.fields = {{"x-own", "1"}}}); });
  ASSERT_EQ(service->seen().size(), 2u);
  EXPECT_EQ(service->seen()[0].fields, (FieldList{{"x-own", "1"}, {"x-token", "t"}}));
  EXPECT_EQ(service->seen()[1].fields, (FieldList{{"x-own", "1"}, {"x-token", "t"}}));
  EXPECT_EQ(service->seen()[0].tries, service->seen()[1].tries) << "but where they went";
  EXPECT_NE(service->seen()[0].tries, nullptr);
}

TEST_F(HedgeTest, CalledOffAllCopiesEnd) {
  HedgeFilter& hedge = over({{.takes = 1h}});
  sim.world().at(80ms, [&] { sim.cancel(); });
  const auto answer = sim.run([&]() -> Task<Answered> { return exchange(sim, hedge, {}); });
  EXPECT_EQ(answer.error->code, Code::cancelled);
  EXPECT_EQ(answer.took, 80ms);
  EXPECT_EQ(service->called_off, 2);
}

// At the same moment as the second copy is due.
TEST_F(HedgeTest, CalledOffNothingMoreIsSent) {
  HedgeFilter& hedge = over({{.takes = 1h}});
  sim.world().at(50ms, [&] { sim.cancel(); });
  sim.run([&]() -> Task<Answered> { return exchange(sim, hedge, {}); });
  EXPECT_EQ(service->seen().size(), 1u);
  EXPECT_EQ(state.hedges, 0u);
}

TEST_F(HedgeTest, BothHaveTheDeadlineOfTheCall) {
  DeadlineMemory memory;
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{.takes = 1h}});
  auto hedge =
      std::make_shared<HedgeFilter>(std::make_shared<TimeLeftFilter>(service), settings, state);
  DeadlineFilter top(hedge, DeadlineSettings{.trust = true}, memory, sim.loop());
  const auto answer = sim.run([&]() -> Task<Answered> {
    return exchange(sim, top, {.fields = {{"Banyan-Timeout", "200ms"}}});
  });
  EXPECT_EQ(answer.error->status, 504);
  EXPECT_EQ(answer.took, 200ms);
  EXPECT_EQ(service->called_off, 2);
  EXPECT_EQ(service->seen()[0].field("banyan-timeout"), "200ms");
  EXPECT_EQ(service->seen()[1].field("banyan-timeout"), "150ms");
}

TEST_F(HedgeTest, RetriesAndHedgesShareOneBudget) {
  state.budget.set_limits(Percent{0}, 2);
  RetrySettings retry;
  retry.backoff = 0ms;
  retry.attempts = 5;
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{.takes = 60ms, .status = 503}});
  auto again = std::make_shared<RetryFilter>(service, retry, RetryTimes{}, state);
  auto hedge = std::make_shared<HedgeFilter>(again, settings, state);
  BudgetFilter top(hedge, state.budget, sim.loop());
  const auto answer = sim.run([&]() -> Task<Answered> { return exchange(sim, top, {}); });
  // The first, its copy at 50 ms, and one retry at 60 ms; at 110 ms nothing is left.
  EXPECT_EQ(service->times(), (std::vector<Duration>{0ms, 50ms, 60ms}));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.attempts, 3);
  EXPECT_EQ(answer.decision, sentence_of(Refusal::budget));
  EXPECT_EQ(state.budget.counts(sim.loop().now()).requests, 1u);
}

TEST(HedgeProxy, TheLosersConnectionIsClosedAndTheAnswerWhole) {
  Proxy proxy;
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  HedgeSettings settings{.after = {.fixed = 50ms}};
  RetryState state{Percent{10'000}, 100};
  proxy.wrap = [&](ServicePtr next) {
    return std::make_shared<HedgeFilter>(std::move(next), settings, state);
  };
  std::string heads[2];
  proxy.sim.serve("10.0.0.1:80", [&](Peer& peer) -> Task<> {
    heads[0] = co_await peer.read_head();
    co_await peer.expect_end();
  });
  proxy.sim.serve("10.0.0.2:80", [&](Peer& peer) -> Task<> {
    heads[1] = co_await peer.read_head();
    co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst");
    (void)co_await sleep_for(1s);
    co_await peer.send("later");
    co_await peer.expect_end();
  });
  proxy.run([](Proxy& p) -> Task<> {
    EXPECT_TRUE((co_await p.ask(Proxy::get())).ends_with("\r\n\r\nfirstlater"));
    EXPECT_EQ(p.elapsed(), 1050ms);
    EXPECT_EQ(p.endpoint(0).pool().count(), 0u);
    EXPECT_EQ(p.endpoint(1).pool().idle(), 1u);
  });
  EXPECT_EQ(heads[0], "GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
  EXPECT_EQ(heads[0], heads[1]);
  EXPECT_EQ(proxy.last[0].attempts, 2);
  EXPECT_EQ(proxy.last[0].endpoint, "10.0.0.2:80");
}

TEST(HedgeProxy, AClientThatLeavesEndsBoth) {
  Proxy proxy;
  proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
  RetryState state{Percent{10'000}, 100};
  proxy.wrap = [&](ServicePtr next) {
    return std::make_shared<HedgeFilter>(std::move(next), HedgeSettings{.after = {.fixed = 50ms}},
                                         state);
  };
  int ended = 0;
  for (const char* at : {"10.0.0.1:80", "10.0.0.2:80"})
    proxy.sim.serve(at, [&](Peer& peer) -> Task<> {
      co_await peer.read_head();
      co_await peer.expect_end();
      ++ended;
    });
  proxy.run([](Proxy& p) -> Task<> {
    {
      Peer client = co_await p.client();
      co_await client.send("GET / HTTP/1.1\r\nhost: shop\r\n\r\n");
      (void)co_await sleep_for(1s);
    }
    (void)co_await sleep_for(1ms);
  });
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(proxy.last[0].error->what, std::string_view("the client left"));
}

}  // namespace
}  // namespace banyan
