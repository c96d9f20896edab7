#include "patterns/ambassador/retry.h"

#include "patterns/ambassador/budget.h"
#include "patterns/ambassador/call.h"

namespace banyan {
namespace {

using Step = Scripted::Step;

class RetryTest : public testing::Test {
 protected:
  RetryTest() { settings.backoff = 0ms; }

  ServicePtr over(std::shared_ptr<Scripted> script) {
    state.budget.set_limits(settings.budget, settings.budget_floor);
    auto retry = std::make_shared<RetryFilter>(std::move(script), settings, times, state);
    return std::make_shared<BudgetFilter>(std::move(retry), state.budget, sim.loop());
  }
  // One exchange with the script; `service` is what it saw.
  Answered ask(std::vector<Step> steps, Ask what = {}) {
    service = std::make_shared<Scripted>(sim, std::move(steps));
    const auto filter = over(service);
    return sim.run([&]() -> Task<Answered> { return exchange(sim, *filter, what); });
  }
  uint64_t refused_for(Refusal why) const { return state.refused[static_cast<size_t>(why)]; }
  // The random pauses of this run, drawn from a loop like its own.
  std::vector<Duration> pauses(std::vector<Duration> most) {
    Loop twin(sim.engine(), seed);
    std::vector<Duration> out;
    for (const Duration m : most)
      out.push_back(Duration(twin.random_below(static_cast<uint64_t>(m.count()) + 1)));
    return out;
  }

  static constexpr uint64_t seed = 7;
  Sim sim{seed};
  RetrySettings settings;
  RetryTimes times;
  RetryState state{Percent{10'000}, 100};
  std::shared_ptr<Scripted> service;
};

TEST_F(RetryTest, WhatSucceedsIsSentOnce) {
  const auto answer = ask({{.takes = 3ms}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.took, 3ms);
  EXPECT_EQ(answer.attempts, 1);
  EXPECT_EQ(answer.decision, "");
  EXPECT_EQ(state.retries, 0u);
  EXPECT_EQ(state.budget.counts(sim.loop().now()).requests, 1u);
}

TEST_F(RetryTest, WhatFailedIsSentAgainUntilItSucceeds) {
  const auto answer = ask({{.takes = 1ms, .error = broke_off()},
                           {.takes = 2ms, .status = 503, .text = "busy"},
                           {.takes = 4ms}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text, "done");
  EXPECT_EQ(answer.took, 7ms);
  EXPECT_EQ(answer.attempts, 3);
  EXPECT_EQ(answer.endpoint, "endpoint 3");
  EXPECT_EQ(service->times(), (std::vector<Duration>{0ms, 1ms, 3ms}));
  EXPECT_EQ(state.retries, 2u);
  EXPECT_EQ(state.retried_failed, 1u);
  EXPECT_EQ(state.retried_ok, 1u);
}

TEST_F(RetryTest, TheLastFailureIsTheAnswer) {
  const auto answer = ask({{.error = broke_off()}, {.error = refused()}, {.status = 502}});
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.text, "done");
  EXPECT_EQ(answer.attempts, 3);
  EXPECT_EQ(answer.decision, sentence_of(Refusal::attempts));
  EXPECT_EQ(refused_for(Refusal::attempts), 1u);
}

TEST_F(RetryTest, PausesAreRandomUpToABoundThatDoubles) {
  settings.attempts = 6;
  settings.backoff = 100ms;
  settings.backoff_max = 500ms;
  const auto random = pauses({100ms, 200ms, 400ms, 500ms, 500ms});
  ask({{.takes = 1ms, .status = 503}});
  std::vector<Duration> expected = {0ms};
  for (const Duration pause : random) expected.push_back(expected.back() + 1ms + pause);
  EXPECT_EQ(service->times(), expected);
}

struct Row {
  const char* method;
  FieldList fields;
  Step failure;
  bool again;
};

// What is sent again, and what is not: the proof of safety as a table.
TEST_F(RetryTest, OnlyWhatIsProvedSafe) {
  const FieldList key = {{"Idempotency-Key", "\"8e03978e\""}};
  const Step reset{.error = broke_off()};
  const Step connect{.error = refused()};
  const Step slow{.error = Error{Code::timeout, Side::upstream, false, 0, "slow"}};
  const Step garbage{.error = Error{Code::protocol, Side::upstream, false, 0, "no HTTP"}};
  const Step busy{.status = 503};
  const Row rows[] = {
      {"GET", {}, reset, true},     {"HEAD", {}, slow, true},
      {"OPTIONS", {}, busy, true},  {"TRACE", {}, reset, true},
      {"PUT", {}, reset, true},     {"PUT", {}, slow, true},
      {"DELETE", {}, busy, true},   {"GET", {}, garbage, true},
      {"GET", {}, connect, true},   {"POST", {}, connect, true},
      {"PATCH", {}, connect, true}, {"BREW", {}, connect, true},
      {"POST", {}, reset, false},   {"POST", {}, slow, false},
      {"POST", {}, busy, false},    {"POST", {}, garbage, false},
      {"PATCH", {}, reset, false},  {"CONNECT", {}, reset, false},
      {"get", {}, reset, false},    {"BREW", {}, busy, false},
      {"POST", key, reset, true},   {"PATCH", key, busy, true},
      {"POST", key, slow, true},    {"POST", {{"Idempotency-Key", ""}}, reset, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.method) + " " +
                 (row.failure.error ? row.failure.error->what : ""));
    const auto before = refused_for(Refusal::unsafe);
    const auto answer = ask({row.failure, {}}, {.method = row.method, .fields = row.fields});
    EXPECT_EQ(service->seen().size(), row.again ? 2u : 1u);
    EXPECT_EQ(refused_for(Refusal::unsafe), before + (row.again ? 0 : 1));
    EXPECT_EQ(answer.decision, row.again ? "" : sentence_of(Refusal::unsafe));
  }
}

// Neither failures of others, nor answers that are none.
TEST_F(RetryTest, NotEverythingIsAFailureToSendAgainFor) {
  const Step rows[] = {
      {.error = Error{Code::cancelled, Side::client, false, 0, "left"}},
      {.error = Error{Code::cancelled, Side::upstream, true, 0, "called off"}},
      {.error = Error{Code::reset, Side::client, false, 0, "a cut content"}},
      {.error = Error{Code::too_large, Side::upstream, false, 0, "large"}},
      {.error = Error{Code::bug, Side::self, false, 0, "ours"}},
      {.error = Error{Code::overloaded, Side::self, false, 0, "a bound of ours"}},
      {.status = 200},
      {.status = 304},
      {.status = 404},
      {.status = 429},
      {.status = 500},
      {.status = 501},
      {.status = 505},
  };
  for (const Step& step : rows) {
    const auto answer = ask({step, {}});
    EXPECT_EQ(service->seen().size(), 1u) << step.status;
    EXPECT_EQ(answer.decision, "");
  }
}

// A breaker that is open since the first attempt: its Retry-After is for the caller.
TEST_F(RetryTest, AnAnswerOfOurOwnIsNotTriedAgain) {
  const Error open{Code::unavailable, Side::upstream, false, 0, "the breaker is open"};
  const auto answer =
      ask({{.status = 502}, {.status = 503, .fields = {{"Retry-After", "9"}}, .own = open}, {}});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.took, 0ms);
  EXPECT_EQ(service->seen().size(), 2u);
  EXPECT_EQ(answer.decision, "");
}

TEST_F(RetryTest, OnSaysWhatIsSentAgain) {
  settings.on = {{RetryOn::s429, RetryOn::s500}};
  for (const uint16_t status : {429, 500}) {
    ask({{.status = status}, {}});
    EXPECT_EQ(service->seen().size(), 2u) << status;
  }
  for (const uint16_t status : {502, 503, 504}) {
    ask({{.status = status}, {}});
    EXPECT_EQ(service->seen().size(), 1u) << status;
  }
  ask({{.error = refused()}, {}});
  EXPECT_EQ(service->seen().size(), 1u);
}

TEST_F(RetryTest, OneAttemptIsNone) {
  settings.attempts = 1;
  EXPECT_EQ(ask({{.status = 503}, {}}).decision, sentence_of(Refusal::attempts));
  EXPECT_EQ(service->seen().size(), 1u);
}

TEST_F(RetryTest, EachTryHasItsTime) {
  times.try_max = 100ms;
  const auto answer = ask({{.takes = 1s}, {.takes = 99ms}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.took, 199ms);
  EXPECT_EQ(service->called_off, 1);
}

TEST_F(RetryTest, AndAllOfThemHaveOne) {
  times = {.try_max = 100ms, .all_max = 250ms};
  settings.attempts = 10;
  const auto answer = ask({{.takes = 1s}});
  EXPECT_EQ(answer.error->code, Code::timeout);
  EXPECT_EQ(answer.took, 250ms) << "the last has only what is left";
  EXPECT_EQ(service->times(), (std::vector<Duration>{0ms, 100ms, 200ms}));
  EXPECT_EQ(answer.decision, sentence_of(Refusal::deadline));
}

TEST_F(RetryTest, RetryAfterIsWaitedFor) {
  const auto answer =
      ask({{.takes = 5ms, .status = 503, .fields = {{"Retry-After", "2"}}}, {.takes = 7ms}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(service->times(), (std::vector<Duration>{0ms, 2005ms}));
}

TEST_F(RetryTest, RetryAfterAndThePauseAddUp) {
  settings.backoff = 100ms;
  const auto random = pauses({100ms});
  ask({{.status = 503, .fields = {{"Retry-After", "1"}}}, {}});
  EXPECT_EQ(service->seen()[1].at, 1s + random[0]);
}

// The simulated day begins at midnight of 2026-01-01.
TEST_F(RetryTest, RetryAfterAsADate) {
  ask({{.status = 503, .fields = {{"Retry-After", "Thu, 01 Jan 2026 00:00:03 GMT"}}}, {}});
  EXPECT_EQ(service->times(), (std::vector<Duration>{0ms, 3s}));
}

TEST_F(RetryTest, WhatHasNotTheTimeForRetryAfterIsNotSentAgain) {
  times.all_max = 2s;
  const auto answer = ask({{.status = 503, .fields = {{"Retry-After", "2"}}, .text = "later"}, {}});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.text, "later");
  EXPECT_EQ(answer.took, 0ms) << "told at once, not after the wait";
  EXPECT_EQ(answer.decision, sentence_of(Refusal::deadline));
  EXPECT_EQ(state.retries, 0u);
  EXPECT_EQ(state.budget.counts(sim.loop().now()).retries, 0u);
}

TEST_F(RetryTest, NorWhatWouldPassTheDeadlineFromAbove) {
  service = std::make_shared<Scripted>(
      sim, std::vector<Step>{{.status = 503, .fields = {{"Retry-After", "1"}}}, {}});
  const auto filter = over(service);
  const auto one = [&]() -> Task<Answered> { return exchange(sim, *filter, {}); };
  sim.run([&]() -> Task<> {
    EXPECT_EQ((co_await within{1s, one()}).decision, sentence_of(Refusal::deadline));
  });
  EXPECT_EQ(service->seen().size(), 1u);
}

TEST_F(RetryTest, TheBudgetEnds) {
  settings.budget = Percent{2000};
  settings.budget_floor = 2;
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{.status = 503}});
  const auto filter = over(service);
  std::vector<std::string> decisions;
  sim.run([&]() -> Task<> {
    for (int i = 0; i < 20; ++i)
      decisions.push_back((co_await exchange(sim, *filter, {})).decision);
  });
  // 2 of the floor; then a fifth of what came: the 15th has one more, the 20th another.
  EXPECT_EQ(service->seen().size(), 20u + 4u);
  EXPECT_EQ(state.retries, 4u);
  EXPECT_EQ(decisions[0], sentence_of(Refusal::attempts));
  EXPECT_EQ(decisions[1], sentence_of(Refusal::budget));
  EXPECT_EQ(refused_for(Refusal::budget), 19u);
}

TEST_F(RetryTest, TheCallerMayAskForLess) {
  struct {
    Wishes asked;
    size_t sent;
    Refusal why;
  } const rows[] = {{{.retries = 0}, 1, Refusal::caller},
                    {{.retries = 1}, 2, Refusal::attempts},
                    {{.retries = 2}, 3, Refusal::attempts},
                    {{.retries = UINT32_MAX}, 3, Refusal::attempts},
                    {{}, 3, Refusal::attempts}};
  for (const auto& row : rows) {
    const auto answer = ask({{.status = 503}}, {.wishes = row.asked});
    EXPECT_EQ(service->seen().size(), row.sent);
    EXPECT_EQ(answer.decision, sentence_of(row.why));
  }
}

// Nobody else has read it, so nobody has said that the caller is believed.
TEST_F(RetryTest, AFieldOfTheRequestAloneIsNoWish) {
  ask({{.status = 503}}, {.fields = {{"Banyan-Retry", "off"}}});
  EXPECT_EQ(service->seen().size(), 3u);
}

TEST_F(RetryTest, AContentIsSentAgainWhole) {
  Trickle body({"one ", "two ", "three"}, 10ms);
  const auto answer =
      ask({{.error = refused(), .reads = 0}, {.error = broke_off(), .reads = 5}, {.takes = 1ms}},
          {.method = "PUT", .body = &body});
  EXPECT_EQ(answer.status, 200);
  ASSERT_EQ(service->seen().size(), 3u);
  EXPECT_EQ(service->seen()[0].content, "");
  EXPECT_EQ(service->seen()[1].content, "one two ");
  EXPECT_EQ(service->seen()[2].content, "one two three");
  EXPECT_EQ(service->seen()[2].at, 20ms) << "what was read is not waited for again";
  EXPECT_EQ(answer.took, 31ms);
  EXPECT_EQ(body.reads, 3) << "the client sent it once";
}

TEST_F(RetryTest, AContentThatIsTooLongIsSentOnce) {
  settings.replay = Size{8};
  const std::pair<size_t, Refusal> rows[] = {
      {0, Refusal::attempts}, {8, Refusal::attempts}, {9, Refusal::content}};
  for (const auto& [read, why] : rows) {
    Trickle body({"1234", "5678", "9"}, 1ms);
    const auto answer =
        ask({{.error = broke_off(), .reads = read}}, {.method = "PUT", .body = &body});
    EXPECT_EQ(answer.decision, sentence_of(why)) << read;
  }
  Trickle body({"1234", "5678", "9"}, 1ms);
  EXPECT_EQ(ask({{}}, {.method = "PUT", .body = &body}).status, 200);
  EXPECT_EQ(service->seen()[0].content, "123456789") << "passed on whole all the same";
}

TEST_F(RetryTest, APostThatWasNotSentGoesOutOnceWithItsContent) {
  Trickle body({"order ", "7"}, 1ms);
  const auto answer = ask({{.error = refused(), .reads = 0}, {.error = broke_off()}, {}},
                          {.method = "POST", .body = &body});
  EXPECT_EQ(service->seen().size(), 2u);
  EXPECT_EQ(service->seen()[1].content, "order 7");
  EXPECT_EQ(answer.decision, sentence_of(Refusal::unsafe));
}

// The content is held back until the service asks for it: that time is the service's.
TEST_F(RetryTest, WhileTheClientWaitsFor100AllTriesTogetherHaveOneTime) {
  times = {.try_max = 100ms, .all_max = 250ms};
  settings.attempts = 10;
  Trickle body({"abc"}, 1ms);
  const auto answer =
      ask({{.takes = 1s, .reads = 0}}, {.method = "PUT", .body = &body, .expects_continue = true});
  EXPECT_EQ(answer.took, 250ms);
  EXPECT_EQ(service->seen().size(), 3u);
  EXPECT_EQ(body.reads, 0);
}

// A slow upload is the client's time.
TEST_F(RetryTest, WhileTheClientSendsNoTryIsGivenUp) {
  times = {.try_max = 50ms, .all_max = 60ms};
  Trickle body({"a", "b", "c"}, 40ms);
  const auto answer = ask({{.takes = 49ms}}, {.method = "PUT", .body = &body});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.took, 169ms);
}

TEST_F(RetryTest, CalledOffDuringATryNothingIsSentAgain) {
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{.takes = 1s}});
  const auto filter = over(service);
  sim.world().at(10ms, [&] { sim.cancel(); });
  const auto answer = sim.run([&]() -> Task<Answered> { return exchange(sim, *filter, {}); });
  EXPECT_EQ(answer.error->code, Code::cancelled);
  EXPECT_EQ(service->seen().size(), 1u);
  EXPECT_EQ(answer.took, 10ms);
}

TEST_F(RetryTest, CalledOffDuringAPause) {
  service = std::make_shared<Scripted>(
      sim, std::vector<Step>{{.status = 503, .fields = {{"Retry-After", "5"}}}});
  const auto filter = over(service);
  sim.world().at(10ms, [&] { sim.cancel(); });
  const auto answer = sim.run([&]() -> Task<Answered> { return exchange(sim, *filter, {}); });
  EXPECT_EQ(answer.error->code, Code::cancelled);
  EXPECT_EQ(service->seen().size(), 1u);
  EXPECT_EQ(answer.took, 10ms);
}

TEST_F(RetryTest, ATryChangesOnlyItsOwnFields) {
  class Adds final : public Filter {
   public:
    using Filter::Filter;
    Task<Reply> call(Request& request) override {
      request.headers.add("x-token", "t");
      return next->call(request);
    }
  };
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{.status = 503}, {}});
  state.budget.set_limits(settings.budget, 10);
  RetryFilter filter(std::make_shared<Adds>(service), settings, times, state);
  sim.run([&]() -> Task<Answered> { return exchange(sim, filter, {.fields = {{"x-own", "1"}}}); });
  ASSERT_EQ(service->seen().size(), 2u);
  EXPECT_EQ(service->seen()[1].fields, (FieldList{{"x-own", "1"}, {"x-token", "t"}}));
  EXPECT_EQ(service->seen()[0].tries, service->seen()[1].tries);
  EXPECT_NE(service->seen()[0].tries, nullptr);
}

}  // namespace
}  // namespace banyan
