// Bulkheads, as a user writes them: from the text of a configuration to stacks, limits that are
// exact over workers and reloads, and what `check`, /stack, /bulkheads and /metrics tell.
#include "app/bulkheads.h"

#include <gmock/gmock.h>

#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Three services, of which `slow` never answers by itself; `more` is behind the endpoint of `slow`.
std::string config(std::string_view more, std::string_view routes = "", std::string_view top = "",
                   std::string_view listener = "10.0.0.1:80") {
  std::string out = "listeners: { web: '" + std::string(listener) + "' }\n" + std::string(top);
  out += "services:\n  slow: { endpoints: [http://10.0.1.1:80]" + std::string(more) + " }\n";
  out += "  quick: { endpoints: [http://10.0.1.2:80] }\n";
  out += "  both: { split: { to: { slow: 1 } } }\n";
  out += "routes:\n  - { to: quick }\n  - { match: { path: '/slow/{rest...}' }, to: slow }\n";
  return out + std::string(routes);
}
std::string told(std::string_view more, std::string_view routes = "", std::string_view top = "") {
  return load_text(config(more, routes, top)).problems.text();
}
std::string layers(const std::string& text, size_t route) {
  const Loaded loaded = load_text(text);
  EXPECT_EQ(loaded.problems.text(), "");
  std::string out;
  for (const LayerNote& note : describe_route(*loaded.model, {}, route))
    out += note.role + ": " + note.why + "\n";
  return out;
}

// ---- What check tells.
TEST(BulkheadsTest, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_EQ(told(", bulkhead: { concurrency: 0 }"),
            "config:3:69: services.slow.bulkhead.concurrency: 0 is out of range; allowed is 1 to "
            "1000000\n");
  EXPECT_THAT(told(", bulkhead: { shares: { gold: 4 } }"), HasSubstr("shares without share_by"));
  EXPECT_THAT(told(", bulkhead: { wait: 1s }"), HasSubstr("wait without queue: nobody waits"));
  EXPECT_EQ(told(", bulkhead: bakc", "", "bulkheads: { back: 4 }\n"),
            "config:4:54: services.slow.bulkhead: there is no bulkhead 'bakc'; did you mean "
            "'back'?\n");
  EXPECT_THAT(told("", "  - { match: { path: /a }, to: quick, bulkhead: nobody }\n"),
              HasSubstr("routes[2].bulkhead: there is no bulkhead 'nobody'"));
  EXPECT_THAT(told("", "  - { match: { path: /a }, respond: {}, bulkhead: 4 }\n"),
              HasSubstr("bulkhead goes with to"));
  EXPECT_THAT(load_text("listeners: { web: 10.0.0.1:80 }\nservices: { a: { respond: {}, "
                        "bulkhead: 4 } }\nroutes: [ { to: a } ]\n")
                  .problems.text(),
              HasSubstr("bulkhead goes with endpoints or split"));
}

TEST(BulkheadsTest, APlaceInAGroupIsNotWantedTwiceByOneCall) {
  const char* group = "bulkheads: { back: 4 }\n";
  EXPECT_EQ(told(", bulkhead: back", "", group), "");
  const auto direct =
      told(", bulkhead: back", "  - { match: { path: /a }, to: slow, bulkhead: back }\n", group);
  EXPECT_THAT(direct, HasSubstr("service 'slow', which the call goes on to, has a place in it"));
  const auto by_split =
      told(", bulkhead: back", "  - { match: { path: /a }, to: both, bulkhead: back }\n", group);
  EXPECT_THAT(by_split, HasSubstr("a call would wait for itself"));
  EXPECT_EQ(told(", bulkhead: 4", "  - { match: { path: /a }, to: both, bulkhead: back }\n", group),
            "")
      << "another compartment is no circle";
}

// ---- What /stack tells.
TEST(BulkheadsTest, TheStackTellsItsPlace) {
  const std::string service =
      layers(config(", bulkhead: { concurrency: 4, queue: 8, wait: 100ms }, retry: {}, "
                    "deadline: {}"),
             1);
  EXPECT_THAT(service, HasSubstr("(4 at once, 8 more wait 100ms)"));
  EXPECT_LT(service.find("deadline: "), service.find("bulkhead: "));
  EXPECT_LT(service.find("bulkhead: "), service.find("budget: "));
  const std::string route = layers(
      config("", "  - { match: { path: /a }, to: both, bulkhead: back }\n",
             "bulkheads: { back: { concurrency: 4, queue: 1, share_by: ip, adaptive: true } }\n"),
      2);
  EXPECT_THAT(route, HasSubstr("bulkhead: above the service: who finds no room here takes none "
                               "there (with all of 'back': at most 4 at once, 1 more wait 1s, "
                               "shared by ip)\nservice both: "));
  EXPECT_EQ(layers(config(", bulkhead: 4"), 0).find("bulkhead"), std::string::npos)
      << "another service has none";
}

// ---- The gateway. `slow` answers when it is let go; `quick` at once.
class BulkheadsGatewayTest : public testing::Test {
 protected:
  BulkheadsGatewayTest() {
    sim.serve("10.0.1.1:80", [this](Peer& peer) { return endpoint(peer, true); });
    sim.serve("10.0.1.2:80", [this](Peer& peer) { return endpoint(peer, false); });
  }
  Task<> endpoint(Peer& peer, bool slow) {
    while (!(co_await peer.read_head()).empty()) {
      if (slow) {
        most = std::max(most, ++inside);
        (void)co_await let_go.wait();
        --inside;
      }
      if (!co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) co_return;
    }
  }
  std::unique_ptr<SimGateway> make(Context& context, CallShares* calls = nullptr) {
    return std::make_unique<SimGateway>(
        context, sim.engine(), names,
        [this](const Request*, const Record& record) {
          if (record.error) reason = record.error->what;
        },
        calls);
  }
  static ModelPtr model(const std::string& text) {
    Loaded loaded = load_text(text);
    EXPECT_EQ(loaded.problems.text(), "");
    return loaded.model;
  }
  // Asks, and notes the whole answer.
  Task<> ask(std::string path, std::string& answer, std::string_view address = "10.0.0.1:80") {
    Peer client = co_await dial(sim.host("10.9.0.1"), address);
    co_await client.send("GET " + path + " HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
    answer = co_await client.read_all();
  }
  static std::string status(const std::string& answer) { return answer.substr(9, 3); }

  Sim sim{1, "10.0.0.1"};
  SimResolver names;
  Event let_go;
  int inside = 0, most = 0;
  std::string reason;
  std::string answers[8];
};

TEST_F(BulkheadsGatewayTest, AServiceThatHangsTakesNoMoreThanItsCompartment) {
  sim.run([&]() -> Task<> {
    Context& context = co_await current_context();
    const auto gateway = make(context);
    co_await gateway->use(model(config(", bulkhead: { concurrency: 2, queue: 1, wait: 100ms }")));
    Nursery clients(context);
    for (int i = 0; i < 4; ++i) clients.start([this, i] { return ask("/slow/x", answers[i]); });
    (void)co_await sleep_for(50ms);
    EXPECT_EQ(inside, 2);
    EXPECT_EQ(status(answers[3]), "503") << "no room, not even to wait";
    EXPECT_THAT(answers[3], HasSubstr("\r\nretry-after: "));
    EXPECT_THAT(answers[3], HasSubstr("\"side\":\"self\""));
    EXPECT_EQ(answers[2], "");
    co_await ask("/", answers[4]);
    EXPECT_EQ(status(answers[4]), "200") << "the others are well";
    (void)co_await sleep_for(100ms);
    EXPECT_EQ(status(answers[2]), "503") << "waited as long as it may";
    EXPECT_THAT(reason, HasSubstr("no permit of the compartment came free in time"));
    let_go.set();
    co_await clients.join();
    EXPECT_EQ(status(answers[0]) + status(answers[1]), "200200");
    EXPECT_THAT(bulkheads_json(gateway->calls().compartments),
                HasSubstr(R"({"of": "service", "name": "slow", "limit": 2, "in_flight": 0, )"
                          R"("queued": 0, "bytes": 0, "admitted": 2, "waited": 0, )"
                          R"("waited_s": 0.000, "refused": {"full": 1, "late": 0, "waited": 1})"));
    co_await gateway->stop();
  });
  EXPECT_EQ(most, 2);
}

TEST_F(BulkheadsGatewayTest, AClientThatLeavesTakesItsPlaceHome) {
  sim.run([&]() -> Task<> {
    Context& context = co_await current_context();
    const auto gateway = make(context);
    co_await gateway->use(model(config(", bulkhead: 1")));
    {
      Peer client = co_await dial(sim.host("10.9.0.1"), "10.0.0.1:80");
      co_await client.send("GET /slow/x HTTP/1.1\r\nHost: shop\r\n\r\n");
      (void)co_await sleep_for(200ms);
      co_await ask("/slow/y", answers[0]);
      EXPECT_EQ(status(answers[0]), "503");
    }
    (void)co_await sleep_for(50ms);
    let_go.set();
    co_await ask("/slow/z", answers[1]);
    EXPECT_EQ(status(answers[1]), "200");
    co_await gateway->stop();
  });
}

TEST_F(BulkheadsGatewayTest, OneLimitOverWorkersAndReloads) {
  CallShares calls;
  const auto version = [](int limit, std::string_view listener) {
    return model(config(", bulkhead: " + std::to_string(limit), "", "", listener));
  };
  sim.run([&]() -> Task<> {
    Context& context = co_await current_context();
    const auto first = make(context, &calls), second = make(context, &calls);
    co_await first->use(version(2, "10.0.0.1:80"));
    co_await second->use(version(2, "10.0.0.1:81"));
    Nursery clients(context);
    const auto start = [&](int i, const char* address) {
      clients.start([this, i, address] { return ask("/slow/x", answers[i], address); });
    };
    start(0, "10.0.0.1:80");
    start(1, "10.0.0.1:81");
    (void)co_await sleep_for(10ms);
    start(2, "10.0.0.1:80");
    start(3, "10.0.0.1:81");
    (void)co_await sleep_for(10ms);
    EXPECT_EQ(status(answers[2]) + status(answers[3]), "503503") << "two in all, not two each";
    co_await first->use(version(3, "10.0.0.1:80"));
    start(4, "10.0.0.1:80");
    start(5, "10.0.0.1:81");
    (void)co_await sleep_for(10ms);
    EXPECT_EQ(inside, 3) << "one more by the new limit; who was in it stays";
    let_go.set();
    co_await clients.join();
    EXPECT_EQ(status(answers[0]) + status(answers[1]), "200200");
    co_await first->stop();
    co_await second->stop();
  });
  EXPECT_EQ(most, 3);
}

TEST_F(BulkheadsGatewayTest, AGroupIsOneCompartmentForAllThatNameIt) {
  const std::string text =
      config(", bulkhead: back", "  - { match: { path: /also }, to: quick, bulkhead: back }\n",
             "bulkheads: { back: 1 }\n");
  sim.run([&]() -> Task<> {
    Context& context = co_await current_context();
    const auto gateway = make(context);
    co_await gateway->use(model(text));
    Nursery clients(context);
    clients.start([this] { return ask("/slow/x", answers[0]); });
    (void)co_await sleep_for(10ms);
    co_await ask("/also", answers[1]);
    EXPECT_EQ(status(answers[1]), "503");
    co_await ask("/", answers[2]);
    EXPECT_EQ(status(answers[2]), "200") << "the same service by a route without it";
    let_go.set();
    co_await clients.join();
    co_await ask("/also", answers[3]);
    EXPECT_EQ(status(answers[3]), "200");
    co_await gateway->stop();
  });
}

// ---- What /metrics tells.
TEST(BulkheadsTest, MetricsByWhoseItIs) {
  Compartments shared;
  Exposition none;
  write_bulkheads(none, shared);
  EXPECT_EQ(none.take(), "");
  EXPECT_EQ(bulkheads_json(shared), "[\n]\n");
  const auto service = shared.of("service a b", {.concurrency = 7});
  const auto group = shared.of("group a b", {.concurrency = 8});
  Exposition out;
  write_bulkheads(out, shared);
  const std::string text = out.take();
  for (const char* line :
       {"banyan_bulkhead_limit{of=\"service\",name=\"a b\"} 7\n",
        "banyan_bulkhead_limit{of=\"group\",name=\"a b\"} 8\n",
        "banyan_bulkhead_in_flight{of=\"service\",name=\"a b\"} 0\n",
        "banyan_bulkhead_waited_seconds_total{of=\"group\",name=\"a b\"} 0\n",
        "banyan_bulkhead_refused_total{of=\"group\",name=\"a b\",reason=\"late\"} 0\n"})
    EXPECT_THAT(text, HasSubstr(line));
}

}  // namespace
}  // namespace banyan
