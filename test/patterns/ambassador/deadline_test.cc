#include "patterns/ambassador/deadline.h"

#include "patterns/ambassador/call.h"
#include "patterns/ambassador/retry.h"
#include "task/sync.h"
#include "upstream/proxy.h"

namespace banyan {
namespace {

using Step = Scripted::Step;

TEST(GrpcTimeout, IsReadAsTheProtocolSays) {
  struct {
    const char* text;
    std::optional<Duration> expected;
  } const rows[] = {
      {"250m", 250ms},
      {"1S", 1s},
      {"2M", 2min},
      {"3H", 3h},
      {"4u", 4us},
      {"5n", 5ns},
      {"0m", 0ms},
      {"99999999n", 99'999'999ns},
      {"00000001S", 1s},
      {"99999999S", 99'999'999s},
      {"", std::nullopt},
      {"S", std::nullopt},
      {"250", std::nullopt},
      {"250ms", std::nullopt},
      {"-1S", std::nullopt},
      {"1.5S", std::nullopt},
      {"1 S", std::nullopt},
      {"100000000n", std::nullopt},
      {"1s", std::nullopt},
      {"m1", std::nullopt},
      {"0x1S", std::nullopt},
  };
  for (const auto& row : rows) EXPECT_EQ(parse_grpc_timeout(row.text), row.expected) << row.text;
  EXPECT_GT(*parse_grpc_timeout("99999999H"), 24h * 365 * 200) << "as long as there is";
}

TEST(GrpcTimeout, IsWrittenAsExactlyAsItCanBe) {
  const std::pair<Duration, const char*> rows[] = {
      {0ns, "1n"},
      {1ns, "1n"},
      {99'999'999ns, "99999999n"},
      {100ms, "100000u"},
      {250ms, "250000u"},
      {3min, "180000m"},
      {100s + 999us, "100000m"},
      {48h, "172800S"},
      {Duration::max(), "153722867M"},
  };
  for (const auto& [left, text] : rows) {
    if (left != Duration::max()) {
      EXPECT_EQ(grpc_timeout_text(left), text);
    }
    const auto back = parse_grpc_timeout(grpc_timeout_text(left));
    ASSERT_TRUE(back.has_value()) << grpc_timeout_text(left);
    EXPECT_LE(*back, std::max<Duration>(left, 1ns)) << "never more than there is";
  }
}

TEST(BanyanTimeout, IsWrittenShort) {
  const std::pair<Duration, const char*> rows[] = {
      {0ns, "1us"},   {999ns, "1us"},           {1'999ns, "1us"}, {9'999us, "9999us"},
      {10ms, "10ms"}, {249ms + 999us, "249ms"}, {1s, "1s"},       {90s, "1m30s"},
  };
  for (const auto& [left, text] : rows)
    EXPECT_EQ(parse_duration(banyan_timeout_text(left)), parse_duration(text));
}

class DeadlineTest : public testing::Test {
 protected:
  DeadlineTest() { settings.trust = true; }
  ServicePtr over(ServicePtr inner) {
    auto left = std::make_shared<TimeLeftFilter>(std::move(inner));
    return std::make_shared<DeadlineFilter>(std::move(left), settings, memory, sim.loop());
  }
  Answered ask(std::vector<Step> steps, FieldList fields, Ask what = {}) {
    service = std::make_shared<Scripted>(sim, std::move(steps));
    const auto filter = over(service);
    what.fields = std::move(fields);
    return sim.run([&]() -> Task<Answered> { return exchange(sim, *filter, what); });
  }
  static std::string trace(char digit) {
    return "00-" + std::string(32, digit) + "-b7ad6b7169203331-01";
  }

  Sim sim;
  DeadlineSettings settings;
  DeadlineMemory memory;
  std::shared_ptr<Scripted> service;
};

TEST_F(DeadlineTest, TheCallEndsAtItsDeadline) {
  const auto answer = ask({{.takes = 1s}}, {{"Banyan-Timeout", "250ms"}});
  EXPECT_EQ(answer.error,
            (Error{Code::timeout, Side::client, false, 504, "the caller's deadline has passed"}));
  EXPECT_EQ(answer.took, 250ms);
  EXPECT_EQ(service->called_off, 1);
}

TEST_F(DeadlineTest, WhatComesInTimeIsTheAnswer) {
  const auto answer = ask({{.takes = 249ms}}, {{"Banyan-Timeout", "250ms"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.took, 249ms);
}

TEST_F(DeadlineTest, AFailureBeforeItIsToldAsItIs) {
  const auto answer = ask({{.takes = 100ms, .error = broke_off()}}, {{"Banyan-Timeout", "250ms"}});
  EXPECT_EQ(answer.error, broke_off());
}

TEST_F(DeadlineTest, EitherFieldAndTheShorterOfBoth) {
  const std::pair<FieldList, Duration> rows[] = {
      {{{"grpc-timeout", "250m"}}, 250ms},
      {{{"Banyan-Timeout", "100ms"}, {"grpc-timeout", "250m"}}, 100ms},
      {{{"Banyan-Timeout", "300ms"}, {"grpc-timeout", "250m"}}, 250ms},
      {{{"Banyan-Timeout", "soon"}, {"grpc-timeout", "250m"}}, 250ms},
      {{{"Banyan-Timeout", "1m"}}, 30s},  // bounded
      {{{"Banyan-Timeout", "1us"}}, 1us},
  };
  for (const auto& [fields, expected] : rows)
    EXPECT_EQ(ask({{.takes = 1h}}, fields).took, expected);
}

TEST_F(DeadlineTest, NoTimeAtAllIsNoCall) {
  for (const char* none : {"0", "0ms"}) {
    const auto answer = ask({{}}, {{"Banyan-Timeout", none}});
    EXPECT_EQ(answer.error->status, 504);
    EXPECT_TRUE(service->seen().empty());
  }
}

TEST_F(DeadlineTest, WhatCannotBeReadIsNotSaid) {
  for (const char* text : {"", "250", "-1s", "1 s", "250 ms", "forever"}) {
    EXPECT_EQ(ask({{.takes = 1s}}, {{"Banyan-Timeout", text}}).status, 200) << text;
    EXPECT_EQ(service->seen()[0].fields, FieldList()) << "and not passed on";
  }
}

TEST_F(DeadlineTest, ACallerThatIsNotTrustedHasNone) {
  settings.trust = false;
  EXPECT_EQ(ask({{.takes = 1s}}, {{"Banyan-Timeout", "1ms"}, {"grpc-timeout", "1m"}}).status, 200);
  EXPECT_EQ(service->seen()[0].fields, (FieldList{{"grpc-timeout", "1m"}}))
      << "gRPC's own field is the service's business, ours is nobody's";
}

TEST_F(DeadlineTest, TheServiceIsToldWhatIsLeft) {
  class Slow final : public Filter {
   public:
    using Filter::Filter;
    Task<Reply> call(Request& request) override {
      (void)co_await sleep_for(50ms);
      co_return co_await next->call(request);
    }
  };
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{}});
  auto left = std::make_shared<TimeLeftFilter>(service);
  DeadlineFilter filter(std::make_shared<Slow>(left), settings, memory, sim.loop());
  sim.run([&]() -> Task<> {
    co_await exchange(sim, filter, {.fields = {{"Banyan-Timeout", "250ms"}}});
    co_await exchange(sim, filter, {.fields = {{"grpc-timeout", "250m"}}});
    co_await exchange(
        sim, filter,
        {.fields = {{"content-type", "application/grpc+proto"}, {"Banyan-Timeout", "250ms"}}});
  });
  EXPECT_EQ(service->seen()[0].fields, (FieldList{{"banyan-timeout", "200ms"}}));
  EXPECT_EQ(service->seen()[1].fields, (FieldList{{"grpc-timeout", "200000u"}}));
  EXPECT_EQ(service->seen()[2].field("grpc-timeout"), "200000u");
  EXPECT_EQ(service->seen()[2].field("banyan-timeout"), "");
}

TEST_F(DeadlineTest, AShorterTimeOfGrpcStays) {
  settings = {.by_trace = true};
  memory.remember(*parse_traceparent(trace('7')), sim.loop().now() + 10s, sim.loop().now());
  ask({{}}, {{"traceparent", trace('7')}, {"grpc-timeout", "1S"}});
  EXPECT_EQ(service->seen()[0].field("grpc-timeout"), "1000000u");
}

TEST_F(DeadlineTest, EachTryIsToldItsOwn) {
  RetryState state{Percent{10'000}, 100};
  RetrySettings retry;
  retry.backoff = 0ms;
  service = std::make_shared<Scripted>(
      sim, std::vector<Step>{{.takes = 40ms, .status = 503}, {.takes = 40ms, .status = 503}, {}});
  auto left = std::make_shared<TimeLeftFilter>(service);
  auto again = std::make_shared<RetryFilter>(left, retry, RetryTimes{}, state);
  DeadlineFilter filter(again, settings, memory, sim.loop());
  sim.run([&]() -> Task<Answered> {
    return exchange(sim, filter, {.fields = {{"Banyan-Timeout", "250ms"}}});
  });
  ASSERT_EQ(service->seen().size(), 3u);
  const char* const expected[] = {"250ms", "210ms", "170ms"};
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(service->seen()[i].fields, (FieldList{{"banyan-timeout", expected[i]}})) << i;
}

TEST_F(DeadlineTest, AnUploadThatIsTooSlowForItsCallerEnds) {
  Trickle body({"a", "b", "c", "d"}, 100ms);
  const auto answer = ask({{}}, {{"Banyan-Timeout", "250ms"}}, {.method = "PUT", .body = &body});
  EXPECT_EQ(answer.error->status, 504);
  EXPECT_EQ(answer.took, 250ms);
}

TEST_F(DeadlineTest, CalledOffFromAboveIsNoDeadline) {
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{.takes = 1h}});
  const auto filter = over(service);
  sim.world().at(250ms, [&] { sim.cancel(); });
  const auto answer = sim.run([&]() -> Task<Answered> {
    return exchange(sim, *filter, {.fields = {{"Banyan-Timeout", "250ms"}}});
  });
  EXPECT_EQ(answer.took, 250ms);
  EXPECT_EQ(answer.error->what, std::string_view("called off"));
}

// The application's side: what came in for a trace holds for what it calls.
class ThroughTheApplication : public DeadlineTest {
 protected:
  ThroughTheApplication() {
    inbound = {.trust = true, .remember = true};
    outbound = {.by_trace = true};
  }
  // The application takes `before`, then makes a call of the same trace that takes `call`.
  Answered pass(FieldList fields, Duration before, Duration call, std::string called_trace) {
    class Application final : public Service {
     public:
      Application(Sim& s, Service& out, Duration wait, std::string t, Answered& into)
          : sim_(s), out_(out), wait_(wait), trace_(std::move(t)), into_(into) {}
      Task<Reply> call(Request& request) override {
        (void)co_await sleep_for(wait_);
        // Its call is an exchange of its own, with nothing of this one but the trace.
        Event called;
        sim_.background([&] { return call_out(called); });
        (void)co_await called.wait();
        co_return make_response(request, 200);
      }

     private:
      Task<> call_out(Event& called) {
        into_ = co_await exchange(sim_, out_, {.fields = {{"traceparent", trace_}}});
        called.set();
      }
      Sim& sim_;
      Service& out_;
      const Duration wait_;
      const std::string trace_;
      Answered& into_;
    };
    service = std::make_shared<Scripted>(sim, std::vector<Step>{{.takes = call}});
    DeadlineFilter out(std::make_shared<TimeLeftFilter>(service), outbound, memory, sim.loop());
    Answered inner;
    DeadlineFilter in(std::make_shared<Application>(sim, out, before, called_trace, inner), inbound,
                      memory, sim.loop());
    sim.run([&]() -> Task<Answered> { return exchange(sim, in, {.fields = fields}); });
    return inner;
  }
  DeadlineSettings inbound, outbound;
};

TEST_F(ThroughTheApplication, ACallHasWhatIsLeft) {
  const auto answer =
      pass({{"traceparent", trace('a')}, {"Banyan-Timeout", "300ms"}}, 100ms, 10ms, trace('a'));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(service->seen()[0].field("banyan-timeout"), "200ms");
}

TEST_F(ThroughTheApplication, AnotherTraceHasNone) {
  const auto answer =
      pass({{"traceparent", trace('a')}, {"Banyan-Timeout", "300ms"}}, 100ms, 10ms, trace('b'));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(service->seen()[0].field("banyan-timeout"), "");
}

TEST_F(ThroughTheApplication, NorDoesACallerWhoWaitsWithoutEnd) {
  memory.remember(*parse_traceparent(trace('a')), sim.loop().now() + 1s, sim.loop().now());
  pass({{"traceparent", trace('a')}}, 100ms, 10ms, trace('a'));
  EXPECT_EQ(service->seen()[0].field("banyan-timeout"), "");
}

TEST_F(ThroughTheApplication, ALateCallIsNotMade) {
  memory.remember(*parse_traceparent(trace('a')), sim.loop().now() + 100ms, sim.loop().now());
  service = std::make_shared<Scripted>(sim, std::vector<Step>{{}});
  DeadlineFilter out(service, outbound, memory, sim.loop());
  const auto late = sim.run([&]() -> Task<Answered> {
    (void)co_await sleep_for(150ms);
    co_return co_await exchange(sim, out, {.fields = {{"traceparent", trace('a')}}});
  });
  EXPECT_EQ(late.error->status, 504);
  EXPECT_TRUE(service->seen().empty());
}

TEST(DeadlineProxy, AsItIsOnTheWire) {
  Proxy proxy;
  DeadlineMemory memory;
  proxy.wrap = [&](ServicePtr next) -> ServicePtr {
    auto left = std::make_shared<TimeLeftFilter>(std::move(next));
    return std::make_shared<DeadlineFilter>(std::move(left), DeadlineSettings{.trust = true},
                                            memory, proxy.sim.loop());
  };
  proxy.sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    co_await peer.expect("GET / HTTP/1.1\r\nhost: shop\r\nbanyan-timeout: 50ms\r\n\r\n");
    co_await peer.expect_end();
  });
  proxy.run([](Proxy& p) -> Task<> {
    const auto answer = co_await p.ask(
        "GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\nbanyan-timeout: 50ms\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 504 Gateway Timeout\r\n")) << answer;
    EXPECT_NE(answer.find("the caller's deadline has passed"), std::string::npos);
    EXPECT_EQ(p.elapsed(), 50ms);
  });
  EXPECT_EQ(proxy.last[0].error->side, Side::client);
}

}  // namespace
}  // namespace banyan
