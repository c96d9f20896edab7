#include "patterns/bulkhead/bulkhead_filter.h"

#include "patterns/ambassador/call.h"
#include "upstream/proxy.h"

namespace banyan {
namespace {

using Step = Scripted::Step;

// Its answers' content comes in pieces, 10 ms each.
class Streaming final : public Service {
 public:
  Task<Reply> call(Request& request) override {
    Response rsp = make_response(request, 200);
    rsp.body = std::make_unique<Trickle>(std::vector<std::string>{"a", "b", "c"}, 10ms);
    co_return rsp;
  }
};

class BulkheadFilterTest : public testing::Test {
 protected:
  void over(const BulkheadSettings& settings, ServicePtr inner) {
    compartment = std::make_shared<Compartment>(limits_of(settings));
    filter = std::make_shared<BulkheadFilter>(std::move(inner), compartment, rules_of(settings));
  }
  void over(const BulkheadSettings& settings, std::vector<Step> steps) {
    service = std::make_shared<Scripted>(sim, std::move(steps));
    over(settings, service);
  }
  // Notes the name when the answer is whole, with the time and what came of it.
  Task<> call(std::string name, Duration at, Ask ask = {}) {
    (void)co_await sleep_for(at);
    last = co_await exchange(sim, *filter, ask);
    told +=
        name + "@" + std::to_string(sim.elapsed() / 1ms) + ":" + std::to_string(last.status) + " ";
  }
  template <class... Calls>
  void run(Calls... calls) {
    sim.run([&]() -> Task<> {
      Nursery all(co_await current_context());
      (all.start(calls), ...);
      co_await all.join();
    });
    EXPECT_EQ(compartment->status().in_flight, 0u) << "every permit is home";
    EXPECT_EQ(compartment->status().queued, 0u);
  }
  auto at(std::string name, Duration when, Ask ask = {}) {
    return [=, this] { return call(name, when, ask); };
  }

  Sim sim;
  CompartmentPtr compartment;
  std::shared_ptr<Scripted> service;
  ServicePtr filter;
  Answered last;
  std::string told;
};

TEST_F(BulkheadFilterTest, APermitIsHeldToTheEndOfTheContent) {
  over({.concurrency = 1, .queue = 5}, std::make_shared<Streaming>());
  run(at("a", 0ms), at("b", 1ms));
  EXPECT_EQ(told, "a@30:200 b@60:200 ");
  EXPECT_EQ(last.text, "abc");
}

TEST_F(BulkheadFilterTest, WhoFindsNoRoomGets503AndIsToldWhenToComeAgain) {
  over({.concurrency = 1}, {{.takes = 50ms}});
  run(at("a", 0ms), at("b", 10ms));
  EXPECT_EQ(told, "b@10:503 a@50:200 ");
  EXPECT_EQ(service->seen().size(), 1u) << "nothing was sent";
  told.clear();
  run([this]() -> Task<> {
    Nursery other(co_await current_context());
    other.start([this] { return call("c", 0ms); });
    co_await call("d", 1ms);
    EXPECT_EQ(last.field("retry-after"), "1");
    EXPECT_NE(last.text.find("the compartment is full, and so is its queue"), std::string::npos)
        << last.text;
    co_await other.join();
  });
}

TEST_F(BulkheadFilterTest, AFailureGivesThePermitBack) {
  over({.concurrency = 1, .queue = 5}, {{.takes = 10ms, .error = broke_off()}, {.takes = 10ms}});
  run(at("a", 0ms), at("b", 1ms));
  EXPECT_EQ(told, "a@10:0 b@20:200 ");
}

TEST_F(BulkheadFilterTest, WhoIsCalledOffWhileWaitingIsNotRefused) {
  over({.concurrency = 1, .queue = 5}, {{.takes = 50ms}});
  run(at("a", 0ms), [this]() -> Task<> { co_await within{20ms, call("b", 0ms)}; });
  EXPECT_EQ(told, "b@20:0 a@50:200 ");
  EXPECT_EQ(compartment->status().refused_full + compartment->status().refused_late, 0u);
}

TEST_F(BulkheadFilterTest, AFloodOfOneTenantWaitsBehindItself) {
  const Ask flood{.fields = {{"x-tenant", "a"}}}, other{.fields = {{"x-tenant", "b"}}};
  BulkheadSettings settings{.concurrency = 1, .queue = 9, .share_by = "header:x-tenant"};
  over(settings, {{.takes = 10ms}});
  run(at("a", 0ms, flood), at("a", 1ms, flood), at("a", 2ms, flood), at("b", 3ms, other));
  EXPECT_EQ(told, "a@10:200 b@20:200 a@30:200 a@40:200 ");
}

TEST_F(BulkheadFilterTest, TheHigherPriorityGoesFirst) {
  const Ask low{.fields = {{"x-priority", "low"}}}, high{.fields = {{"x-priority", "high"}}};
  const Ask nonsense{.fields = {{"x-priority", "top"}}};
  over({.concurrency = 1, .queue = 9, .priority = "header:x-priority"}, {{.takes = 10ms}});
  run(at("a", 0ms), at("low", 1ms, low), at("odd", 2ms, nonsense), at("high", 3ms, high));
  EXPECT_EQ(told, "a@10:200 high@20:200 odd@30:200 low@40:200 ");
}

TEST_F(BulkheadFilterTest, ContentIsBoundedInBytesAndOfUnknownLengthCountsAsAll) {
  over({.concurrency = 9, .queue = 9, .bytes = kib(1)}, {{.takes = 10ms}});
  TextBody a(std::string(600, 'a')), b(std::string(600, 'b'));
  Trickle unknown({"c"}, 0ms);
  run(at("a", 0ms, {.body = &a}), at("b", 1ms, {.body = &b}), at("c", 2ms, {.body = &unknown}),
      at("d", 3ms));
  EXPECT_EQ(told, "a@10:200 b@20:200 d@30:200 c@30:200 ");
}

TEST_F(BulkheadFilterTest, AnAdaptiveLimitFallsWhenTheServiceHangsAndNotWhenItFailsQuickly) {
  const Error slow{Code::timeout, Side::upstream, false, 0, "no answer in time"};
  BulkheadSettings settings{.concurrency = 20, .adaptive = AdaptiveSettings{}};
  std::vector<Step> steps(100, Step{.takes = 10ms});
  steps.insert(steps.end(), 100, Step{.takes = 0ms, .status = 503});
  steps.push_back({.takes = 10s, .error = slow});
  over(settings, steps);
  run([this]() -> Task<> {
    for (int i = 0; i < 200; ++i) co_await call("", 0ms);
    EXPECT_EQ(compartment->status().limit, 20u);
    for (int i = 0; i < 100; ++i) co_await call("", 0ms);
    EXPECT_LT(compartment->status().limit, 15u);
  });
}

TEST_F(BulkheadFilterTest, AnUploadThatIsSlowIsNoServiceThatIs) {
  BulkheadSettings settings{.concurrency = 20, .adaptive = AdaptiveSettings{}};
  over(settings, {{.takes = 10ms}});
  run([this]() -> Task<> {
    for (int i = 0; i < 100; ++i) co_await call("", 0ms);
    for (int i = 0; i < 100; ++i) {
      Trickle slow({"a", "b"}, 5s);
      co_await call("", 0ms, {.body = &slow});
    }
    EXPECT_EQ(compartment->status().limit, 20u);
  });
}

// ---- Over connections: what the record has, and what else an exchange can become.

class BulkheadProxy : public testing::Test {
 protected:
  void bulkhead(const BulkheadSettings& settings) {
    compartment = std::make_shared<Compartment>(limits_of(settings));
    proxy.wrap = [this, settings](ServicePtr next) {
      return std::make_shared<BulkheadFilter>(std::move(next), compartment, rules_of(settings));
    };
  }

  Proxy proxy;
  CompartmentPtr compartment;
};

TEST_F(BulkheadProxy, ATunnelHoldsItsPermitToItsEnd) {
  bulkhead({.concurrency = 1});
  proxy.sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    (void)co_await peer.send(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n"
        "upgrade: websocket\r\n\r\n");
    (void)co_await peer.read_all();
  });
  proxy.run([this](Proxy& p) -> Task<> {
    {
      Peer peer = co_await p.client();
      (void)co_await peer.send(
          "GET /ws HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
      EXPECT_TRUE((co_await peer.read_head()).starts_with("HTTP/1.1 101"));
      (void)co_await sleep_for(10s);
      EXPECT_EQ(compartment->status().in_flight, 1u);
      const std::string refused = co_await p.ask(Proxy::get());
      EXPECT_TRUE(refused.starts_with("HTTP/1.1 503")) << refused;
      EXPECT_NE(refused.find("retry-after: 1\r\n"), std::string::npos) << refused;
      EXPECT_EQ(p.finished().back().error, (Error{Code::overloaded, Side::self, true, 503,
                                                  "the compartment is full, and so is its queue"}));
    }
    (void)co_await sleep_for(1s);
    EXPECT_EQ(compartment->status().in_flight, 0u);
  });
}

TEST_F(BulkheadProxy, AClientThatLeavesInTheMiddleGivesItsPermitBack) {
  bulkhead({.concurrency = 1});
  proxy.sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
    (void)co_await peer.read_head();
    bool on = co_await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\nhalf");
    for (int i = 0; i < 900 && on; ++i) {
      (void)co_await sleep_for(100ms);
      on = co_await peer.send("x");
    }
    EXPECT_FALSE(on) << "nobody reads it any more";
  });
  proxy.run([this](Proxy& p) -> Task<> {
    {
      Peer peer = co_await p.client();
      (void)co_await peer.send(Proxy::get());
      (void)co_await peer.read_head();
      EXPECT_EQ(compartment->status().in_flight, 1u);
    }
    (void)co_await sleep_for(1s);
    EXPECT_EQ(compartment->status().in_flight, 0u);
  });
}

}  // namespace
}  // namespace banyan
