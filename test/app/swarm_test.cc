// The swarm: the whole gateway between random clients and random endpoints, over a random network,
// while an operator reloads, and drains at last; all in virtual time, from one seed. Whatever
// happens: each request gets one answer, its own, or a closed connection; no byte of one exchange
// shows up in another; what is not idempotent is sent once; everything ends; nothing is left over.
// When the faults have healed, every service answers.
// BANYAN_SWARM_SEEDS=n runs more of them, BANYAN_SWARM_SEED=n replays one.
#include <fmt/format.h>

#include <cstdlib>

#include "app/swarm_client.h"
#include "app/swarm_endpoint.h"
#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan::swarm {
namespace {

constexpr std::string_view gateway_address = "10.0.0.1:80";
constexpr size_t endpoints = 4;
constexpr size_t attempts_max = 4;
// Two copies (hedge), each with all its attempts, each of which may find a connection that has just
// closed.
constexpr size_t sent_max = 2 * attempts_max * 2;

std::string endpoint_host(size_t i) { return fmt::format("10.0.1.{}", i + 1); }

// Some of the words that say which endpoints may be used. All of them let go within a minute, so
// that what failed is forgiven when all is well again. Statuses are no failures: endpoints answer
// 500 also when all is well.
std::string use(Dice& dice) {
  std::string out;
  if (dice.chance(30))
    out += fmt::format(", health: {{ tcp: true, interval: {}ms, timeout: 400ms }}",
                       dice.between(500, 5000));
  if (dice.chance(30))
    out += fmt::format(
        ", eject: {{ consecutive: {}, deviation: {}, for: {}ms, for_most: 30s, at_most: {}%, "
        "status: none }}",
        dice.between(1, 5), dice.one_of({"on", "off"}), dice.between(100, 10'000),
        dice.one_of({"50", "100"}));
  if (dice.chance(30))
    out += fmt::format(
        ", breaker: {{ failures: {}, open: {}ms, probes: {}, scope: {}, status: none }}",
        dice.between(1, 5), dice.between(100, 10'000), dice.between(1, 3),
        dice.one_of({"both", "service", "endpoint"}));
  if (dice.chance(20)) out += fmt::format(", slow_start: {}s", dice.between(1, 30));
  if (dice.chance(20)) out += ", panic: 0%";
  if (dice.chance(20)) out += fmt::format(", shard: {{ by: ip, size: {} }}", dice.between(1, 3));
  return out;
}

// A compartment of its own, or the one of the group.
constexpr uint64_t permits_max = 3;
std::string compartment(Dice& dice) {
  std::string out = fmt::format("concurrency: {}", dice.between(1, permits_max));
  if (dice.chance(70)) {
    out += fmt::format(", queue: {}, wait: {}ms", dice.between(1, 10), dice.between(1, 3000));
    if (dice.chance(50)) {
      out += ", share_by: ip, shares: { default: 2, x: 5 }";
      if (dice.chance(40)) out += fmt::format(", lend: {}%", dice.between(1, 100));
    }
  }
  if (dice.chance(30)) out += fmt::format(", bytes: {}", dice.between(1024, 50'000));
  if (dice.chance(30)) out += ", adaptive: true";
  if (dice.chance(30)) out += ", priority: header:x-token";
  return "{ " + out + " }";
}
std::string bulkhead(Dice& dice) {
  if (dice.chance(50)) return "";
  return ", bulkhead: " + (dice.chance(30) ? std::string("both") : compartment(dice));
}

// What is done so that calls go well although endpoints do not: any of it, or nothing.
std::string call_policies(Dice& dice) {
  const auto ms = [&](int least, int most) {
    return fmt::format("{}ms", dice.between(least, most));
  };
  std::string out;
  if (dice.chance(60))
    out += fmt::format(
        ", retry: {{ attempts: {}, backoff: {}, budget: {}%, budget_floor: {}, replay: {} }}",
        dice.between(1, attempts_max), ms(0, 200), dice.below(101), dice.below(20),
        dice.chance(30) ? dice.below(1000) : 64 * 1024);
  if (dice.chance(40))
    out += fmt::format(", hedge: {{ after: {}, in_flight: {} }}",
                       dice.chance(30) ? "p50" : ms(1, 500), dice.between(1, 10));
  if (dice.chance(40))
    out += fmt::format(", deadline: {{ max: {}, trust: {} }}", ms(100, 8000), dice.chance(70));
  if (dice.chance(40))
    out += fmt::format(", context: {{ accept: {}, answer: {} }}", dice.chance(50), dice.chance(50));
  if (dice.chance(20)) out += ", credentials: { header: x-key, value: secret }";
  if (dice.chance(20))
    out += fmt::format(", quota: {{ limit: {}, window: {}s, wait: {}, queue: {} }}",
                       dice.between(1, 30), dice.between(1, 20), ms(0, 3000), dice.below(5));
  return out;
}

// One of many configurations. All limits are short: a run is a few minutes at most.
std::string configuration(Dice& dice) {
  const auto ms = [&](int least, int most) {
    return fmt::format("{}ms", dice.between(least, most));
  };
  const auto service = [&] {
    std::string at;
    for (size_t i = 0; i < endpoints; ++i)
      if (dice.chance(50))
        at += fmt::format("{}http://{}:80", at.empty() ? "" : ", ", endpoint_host(i));
    if (at.empty()) at = "http://10.0.1.1:80";
    return fmt::format(
        "{{ endpoints: [{}], balance: {}, timeout: {{ connect: {}, request: {}, idle: {} }}, "
        "pool: {{ connections: {}, idle: {}, idle_age: {}, requests: {} }}{} }}",
        at, dice.one_of({"ewma", "round_robin", "least_request", "{ hash: ip }", "{ hash: path }"}),
        ms(50, 1000), ms(500, 5000), ms(500, 4000), dice.between(5, 40), dice.below(10),
        ms(10, 5000), dice.between(1, 20), use(dice) + call_policies(dice) + bulkhead(dice));
  };
  return fmt::format(R"(
listeners:
  web:
    address: {}
    connections: {}
    offload:
      limits: {{ head: {}, body: {}, fields: {}, head_timeout: {}, body_timeout: {}, idle_timeout: {},
                send_timeout: {}, tunnel_timeout: {}, requests: {} }}
bulkheads: {{ both: {} }}
services:
  a: {}
  b: {}
  named: {{ endpoints: [ {{ url: "dns:shop.internal:80" }} ], timeout: {{ request: {} }} }}
  shared: {{ split: {{ to: {{ a: {}, b: {}, named: 1 }}, cohort: cookie:sid }} }}
routes:
  - {{ match: {{ path: "/a/{{rest...}}" }}, to: a }}
  - {{ match: {{ path: "/b/{{rest...}}" }}, to: b, rewrite: "/other/{{rest}}" }}
  - {{ match: {{ path: "/named/{{rest...}}" }}, to: named }}
  - {{ match: {{ path: "/shared/{{rest...}}" }}, to: shared{} }}
  - {{ match: {{ path: "/fixed/{{rest...}}" }}, respond: {{ status: 200, body: {} }} }}
  - {{ match: {{ path: "/moved/{{rest...}}" }}, redirect: "/a/{{rest}}" }}
)",
                     gateway_address, dice.between(4, 40), dice.between(1024, 40'000),
                     dice.between(200, 120'000), dice.between(12, 50), ms(300, 5000), ms(300, 5000),
                     ms(500, 8000), ms(500, 5000), ms(500, 5000), dice.between(1, 50),
                     compartment(dice), service(), service(), ms(500, 5000), dice.between(0, 5),
                     dice.between(0, 5),
                     dice.chance(50) ? ", bulkhead: " + compartment(dice) : std::string(),
                     dice.one_of({"short", "\"\"", "a text"}));
}

// What happened in all runs together: a swarm in which little happens proves little.
struct Tally {
  std::map<uint16_t, size_t> statuses;        // 0: no answer
  size_t reused = 0, again = 0, refused = 0;  // refused: by a breaker, or as nobody is fit
  size_t crowded = 0;                         // no room in a compartment
  size_t waited = 0;                          // for a place in one
  size_t often = 0;                           // requests that endpoints saw more than twice
  size_t uploads_again = 0;                   // with content, more than once
  void count(const Record& r) {
    ++statuses[r.status];
    reused += r.reused;
    again += r.attempts > 1;
    crowded += r.status == 503 && r.error && r.error->code == Code::overloaded;
    refused += r.status == 503 && r.attempts == 0 && r.error && r.error->side == Side::upstream &&
               r.error->code == Code::unavailable && r.endpoint.empty();
  }
};

class Swarm {
 public:
  // `tells` of each exchange, for a person who replays it.
  Swarm(uint64_t seed, Tally& tally, bool tells)
      : dice_(seed),
        sim_(seed, "10.0.0.1"),
        only_clients_(dice_.chance(25)),
        calm_(only_clients_),
        tally_(tally),
        tells_(tells) {}

  void run() {
    set_conditions();
    for (size_t i = 0; i < endpoints; ++i)
      sim_.serve(endpoint_host(i) + ":80", [this, i](Peer& peer) { return serve(i, peer); });
    sim_.run([this] { return scene(); });
    check_ledger();
  }

 private:
  static constexpr Duration client_max = 5min, drain_max = 2min, run_max = 30min;

  void set_conditions() {
    for (size_t i = 0; i <= endpoints; ++i) {
      SimLink& link = sim_.world().link(i == endpoints ? "10.0.0.1" : endpoint_host(i));
      const bool gateway = i == endpoints;
      link.latency = dice_.chance(50) ? dice_.up_to(only_clients_ ? 10ms : 50ms) : 0ms;
      link.random_cuts = dice_.chance(30);
      if ((gateway || !only_clients_) && dice_.chance(30))
        link.pipe_bytes = dice_.between(200, 20'000);
    }
  }
  Task<> serve(size_t number, Peer& peer) {
    const SimLink& link = sim_.world().link(endpoint_host(number));
    Endpoint endpoint(ledger_, peer, link, dice_.split(), calm_);
    co_await endpoint.run();
  }

  Task<> scene() {
    Context& context = co_await current_context();
    name_changes();
    SimGateway gateway(
        context, sim_.engine(), names_,
        [this](const Request* request, const Record& record) { finished(request, record); });
    gateway_ = &gateway;
    co_await reload();
    Nursery operating(context);
    operating.start([this] { return operate(); });
    Nursery clients(context);
    const size_t many = dice_.between(3, 16);
    for (size_t i = 0; i < many; ++i) clients.start([this, i] { return client(i); });
    co_await clients.join();
    operating.cancel();
    co_await operating.join();
    if (dice_.chance(50)) co_await heal();
    co_await end();
  }
  Task<> client(size_t number) {
    Dice dice = dice_.split();
    if (!co_await sleep_for(dice.up_to(5s))) co_return;
    const Duration began = sim_.elapsed();
    Network& host = sim_.host(fmt::format("10.9.0.{}", number + 1));
    const size_t visits = dice.between(1, 3);
    for (size_t i = 0; i < visits; ++i) {
      Client visitor(ledger_, dice.split());
      co_await visitor.run(host, gateway_->server().local());
    }
    EXPECT_LT(sim_.elapsed() - began, client_max) << "a client waits for longer than every limit";
  }

  Task<> reload() {
    Loaded loaded = load_text(configuration(dice_));
    EXPECT_TRUE(loaded.model != nullptr) << loaded.problems.text();
    if (loaded.model != nullptr) co_await gateway_->use(loaded.model);
  }
  // What an operator, the network and the DNS do meanwhile.
  Task<> operate() {
    for (Context& context = co_await current_context(); !context.cancel.requested();) {
      if (!co_await sleep_for(dice_.up_to(2s))) co_return;
      if (sim_.elapsed() > run_max) {
        ADD_FAILURE() << "it does not end; what waits:\n" << sim_.describe();
        co_return sim_.cancel();
      }
      const std::string host = endpoint_host(dice_.below(endpoints));
      switch (only_clients_ ? dice_.one_of({0, 3, 4}) : static_cast<int>(dice_.below(7))) {
        case 0:
        case 1:
          co_await reload();
          break;
        case 2:
          sim_.world().reset(dice_.chance(80) ? host : "10.9.0.1");
          break;
        case 3:
          name_changes();
          break;
        case 4:
          gateway_->server().close_idle();
          break;
        default:
          co_await fault(host);
      }
    }
  }
  // For a while; the link is open again when the run goes on.
  Task<> fault(const std::string& host) {
    SimWorld& world = sim_.world();
    const uint64_t kind = dice_.below(3);
    if (kind == 0) world.refuse(host);
    if (kind == 1) world.hold(host);
    if (kind == 2) world.black_hole(host);
    (void)co_await sleep_for(dice_.up_to(3s));
    world.release(host);
    // What fell into the hole is gone, and no kernel would go on with such a connection for ever.
    if (kind == 2) world.reset(host);
  }
  void name_changes() {
    std::vector<std::string> hosts;
    for (size_t i = 0; i < endpoints; ++i)
      if (dice_.chance(40)) hosts.push_back(endpoint_host(i));
    if (hosts.empty() && !only_clients_ && dice_.chance(50)) return names_.fail("shop.internal");
    if (hosts.empty()) hosts.push_back(endpoint_host(0));
    names_.set("shop.internal", hosts, dice_.up_to(3s) + 100ms);
  }

  // Liveness: without faults, and when what failed before is forgiven, every service answers.
  Task<> heal() {
    calm_ = true;
    for (size_t i = 0; i < endpoints; ++i) sim_.world().link(endpoint_host(i)) = SimLink{};
    sim_.world().link("10.0.0.1") = SimLink{};
    names_.set("shop.internal", {"10.0.1.1"}, 1s);
    (void)co_await sleep_for(65s);
    for (const std::string_view prefix : {"/a", "/b", "/named", "/shared"}) {
      Client client(ledger_, dice_.split());
      const bool answered =
          co_await client.ask_once(sim_.host("10.9.0.99"), gateway_->server().local(), prefix);
      EXPECT_TRUE(answered) << "no good answer from " << prefix << " though all is well";
    }
  }
  Task<> end() {
    const Duration began = sim_.elapsed();
    if (dice_.chance(50)) {
      co_await gateway_->stop();
      EXPECT_LT(sim_.elapsed() - began, 10s) << "an exchange does not end when it is called off";
    } else {
      Nursery hurrying(co_await current_context());
      gateway_->server().drain();
      hurrying.start([this] { return hurry(); });
      co_await gateway_->join();
      hurrying.cancel();
      co_await hurrying.join();
    }
    look_at_compartments(0);
    EXPECT_EQ(gateway_->connections().taken(), 0u);
    EXPECT_EQ(gateway_->server().counts().active, 0u);
  }
  void look_at_compartments(uint64_t most) {
    for (const auto& [name, compartment] : gateway_->calls().compartments.all()) {
      const Compartment::Status status = compartment->status();
      EXPECT_LE(status.in_flight, most) << name;
      if (most == 0) {
        EXPECT_EQ(status.queued, 0u) << name;
        EXPECT_EQ(status.bytes, 0u) << name;
        tally_.waited += status.waited;
      }
    }
  }
  Task<> hurry() {
    const Duration began = sim_.elapsed();
    while (co_await sleep_for(1s) && sim_.elapsed() - began < drain_max)
      gateway_->server().close_idle();
    if (sim_.elapsed() - began < drain_max) co_return;
    ADD_FAILURE() << "a drain does not end; what waits:\n" << sim_.describe();
    gateway_->server().abort();
  }

  // What is told of an exchange must be true, and told once.
  void finished(const Request* request, const Record& r) {
    tally_.count(r);
    look_at_compartments(permits_max);
    if (tells_) tell(request, r);
    EXPECT_TRUE(r.status != 0 || r.error) << "no answer, and no reason";
    EXPECT_LE(r.started, r.ended);
    for (const Time t : {r.head_read, r.connected, r.answered})
      EXPECT_TRUE(t == Time{} || (t >= r.started && t <= r.ended));
    EXPECT_TRUE(r.answered == Time{} || r.attempts > 0);
    EXPECT_TRUE(r.attempts == 0 || (!r.service.empty() && !r.endpoint.empty()));
    EXPECT_LE(r.attempts, sent_max);
    if (only_clients_ && r.error) {
      EXPECT_NE(r.error->side, Side::upstream) << r.error->what << ", but it did all well";
      EXPECT_NE(r.error->code, Code::bug) << r.error->what;
    }
    if (request == nullptr) return;
    EXPECT_NE(r.head_read, Time{});
    Asked* const asked = ledger_.find(request->headers.get("x-token"));
    if (asked == nullptr) return;
    ++asked->finished;
    asked->attempts += r.attempts;
    EXPECT_LE(r.bytes_in, asked->content + (request->upgrade.empty() ? 0 : 100'000));
  }
  void tell(const Request* request, const Record& r) {
    fmt::print("{:>12.3f} ms  {:<8} {:<24} {:<8} {:<16} {} attempts, {}{}\n",
               static_cast<double>(sim_.elapsed().count()) / 1e6,
               request != nullptr ? request->method_text : "", request ? request->target.path : "",
               r.service, r.endpoint, r.attempts, r.status, r.error ? ": " : "");
    if (r.error)
      fmt::print("{:>18} {} {}: {}\n", "", name(r.error->side), name(r.error->code), r.error->what);
  }
  void check_ledger() {
    for (const auto& [token, asked] : ledger_.all()) {
      EXPECT_LE(asked.finished, 1u) << token << " was told twice";
      EXPECT_LE(asked.seen, asked.attempts) << token << " was sent more often than is told";
      const bool once = asked.method == "POST" || asked.method == "PATCH";
      EXPECT_LE(asked.seen, once ? 1u : sent_max) << asked.method << " " << token;
      tally_.often += asked.seen > 2;
      tally_.uploads_again += asked.seen > 1 && asked.content > 0;
    }
  }

  Dice dice_;
  Sim sim_;
  Ledger ledger_;
  SimResolver names_;
  SimGateway* gateway_ = nullptr;
  // Endpoints, names and their network do all well: then none of them may be blamed.
  const bool only_clients_;
  bool calm_;
  Tally& tally_;
  const bool tells_;
};

uint64_t number_of(const char* variable, uint64_t standard) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : standard;
}

void run(uint64_t seed, Tally& tally, bool tells = false) {
  SCOPED_TRACE(fmt::format("replay it with BANYAN_SWARM_SEED={}", seed));
  Swarm swarm(seed, tally, tells);
  swarm.run();
}

TEST(Swarm, EverySeed) {
  Tally tally;
  if (const uint64_t only = number_of("BANYAN_SWARM_SEED", 0)) return run(only, tally, true);
  const uint64_t seeds = number_of("BANYAN_SWARM_SEEDS", 300);
  for (uint64_t seed = 1; seed <= seeds && !HasFailure(); ++seed) run(seed, tally);
  if (seeds < 300) return;
  for (const uint16_t status :
       {0, 101, 200, 204, 302, 304, 400, 404, 408, 413, 500, 501, 502, 503, 504})
    EXPECT_GT(tally.statuses[status], 10u) << status;
  EXPECT_GT(tally.reused, 100u);
  EXPECT_GT(tally.again, 10u);
  EXPECT_GT(tally.refused, 30u);
  EXPECT_GT(tally.crowded, 30u);
  EXPECT_GT(tally.waited, 20u);
  EXPECT_GT(tally.statuses[429], 10u);
  EXPECT_GT(tally.often, 10u);
  EXPECT_GT(tally.uploads_again, 3u);
}

}  // namespace
}  // namespace banyan::swarm
