// A swarm over all policies on calls at once: random callers, a service that fails in every way,
// and settings by chance. What must hold whatever happens: what could have been processed goes out
// twice only when that is safe; budgets are kept; a content is read once, in order; nobody is
// answered after its deadline; nothing is left over. BANYAN_SWARM_SEEDS=n runs more of them.
#include <cstdlib>
#include <map>

#include "patterns/ambassador/budget.h"
#include "patterns/ambassador/call.h"
#include "patterns/ambassador/context.h"
#include "patterns/ambassador/deadline.h"
#include "patterns/ambassador/hedge.h"
#include "patterns/ambassador/retry.h"

namespace banyan {
namespace {

// What the service knows of one request, by its x-token.
struct Known {
  std::string content;
  bool repeatable = false;  // idempotent, or with a key
  bool safe = false;
  size_t seen = 0;       // it arrived
  size_t processed = 0;  // it may have been processed
  size_t running = 0;
};

// Fails, answers late, answers early, refuses; and looks at all that it gets.
class Wild final : public Service {
 public:
  Wild(Sim& sim, std::map<std::string, Known>& known) : sim_(sim), known_(known) {}

  Task<Reply> call(Request& request) override {
    Known& known = known_.at(std::string(request.headers.get("x-token")));
    ++known.seen;
    for (const char* asked : {"banyan-retry", "banyan-hedge"})
      EXPECT_EQ(request.headers.find(asked), nullptr);
    if (chance(15)) co_return fail(refused());
    ++request.record.attempts;
    EXPECT_TRUE(known.repeatable || known.processed == 0) << "a second time";
    ++known.processed;
    EXPECT_TRUE(known.safe || known.running == 0) << "two at the same time";
    ++known.running;
    auto reply = co_await process(request, known);
    --known.running;
    co_return reply;
  }

 private:
  bool chance(unsigned percent) { return sim_.loop().random_below(100) < percent; }
  Duration up_to(Duration most) {
    return Duration(sim_.loop().random_below(static_cast<uint64_t>(most.count()) + 1));
  }

  Task<Reply> process(Request& request, const Known& known) {
    std::string content;
    const size_t wanted = chance(70) ? SIZE_MAX : sim_.loop().random_below(600);
    while (request.body != nullptr && !request.body->ended() && content.size() < wanted) {
      auto piece = co_await request.body->read();
      if (!piece) co_return std::unexpected(piece.error());
      content += *piece;
    }
    EXPECT_TRUE(known.content.starts_with(content)) << "another content, or in another order";
    if (wanted == SIZE_MAX) {
      EXPECT_EQ(content, known.content);
    }
    auto rested = co_await sleep_for(chance(30) ? up_to(2s) : up_to(50ms));
    if (!rested) co_return fail(rested.error().code, Side::upstream, "called off");
    if (chance(20)) co_return fail(broke_off());
    Response rsp =
        make_response(request, chance(30) ? uint16_t{503} : uint16_t{200}, "text/plain", "content");
    if (rsp.status == 503 && chance(30)) rsp.headers->add(Name::retry_after, "1");
    co_return rsp;
  }

  Sim& sim_;
  std::map<std::string, Known>& known_;
};

class CallsSwarm {
 public:
  explicit CallsSwarm(uint64_t seed) : sim_(seed) {}

  void run() {
    choose();
    sim_.run([this]() -> Task<> {
      Nursery all(co_await current_context());
      for (size_t i = 0; i < callers; ++i) all.start([this, i] { return caller(i); });
      co_await all.join();
    });
    check();
  }
  size_t twice() const {
    size_t n = 0;
    for (const auto& [token, known] : known_) n += known.processed > 1;
    return n;
  }
  const RetryState& state() const { return *state_; }
  size_t late = 0;

 private:
  static constexpr size_t callers = 8, calls = 10;
  static constexpr Duration window = std::chrono::seconds(RetryBudget::window_s);

  uint64_t below(uint64_t n) { return sim_.loop().random_below(n); }
  bool chance(unsigned percent) { return below(100) < percent; }

  // The layers as they stand in a service.
  void choose() {
    retry_.attempts = static_cast<uint32_t>(1 + below(5));
    retry_.backoff = std::chrono::milliseconds(below(100));
    retry_.replay = Size{chance(50) ? kib(64).bytes : below(500)};
    share_ = Percent{static_cast<uint32_t>(below(10'001))};
    floor_ = static_cast<uint32_t>(below(20));
    hedge_.after.fixed = std::chrono::milliseconds(1 + below(300));
    hedge_.at_most = static_cast<uint32_t>(1 + below(3));
    hedge_.in_flight = static_cast<uint32_t>(1 + below(10));
    if (chance(50)) hedge_.after = {.quantile = 0.5};
    state_ = std::make_unique<RetryState>(share_, floor_);
    const RetryTimes times{.try_max = std::chrono::milliseconds(50 + below(1000)), .all_max = 5s};
    ServicePtr stack = std::make_shared<Wild>(sim_, known_);
    stack = std::make_shared<TimeLeftFilter>(stack);
    stack = std::make_shared<RetryFilter>(stack, retry_, times, *state_);
    stack = std::make_shared<HedgeFilter>(stack, hedge_, *state_);
    stack = std::make_shared<BudgetFilter>(stack, state_->budget, sim_.loop());
    stack = std::make_shared<ContextFilter>(
        stack, ContextSettings{.accept = chance(70), .answer = chance(50)});
    service_ = std::make_shared<DeadlineFilter>(
        stack, DeadlineSettings{.trust = true, .remember = true, .by_trace = chance(50)}, memory_,
        sim_.loop());
  }

  Task<> caller(size_t number) {
    for (size_t i = 0; i < calls; ++i) {
      (void)co_await sleep_for(std::chrono::milliseconds(below(1000)));
      co_await one(std::to_string(number) + "-" + std::to_string(i));
    }
  }

  Task<> one(std::string token) {
    constexpr std::string_view methods[] = {"GET", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"};
    const std::string_view method = methods[below(std::size(methods))];
    Ask ask{.method = std::string(method), .fields = {{"x-token", token}}};
    Known& known = known_[token];
    const bool key = chance(30);
    if (key) ask.fields.emplace_back("Idempotency-Key", token);
    if (chance(20)) ask.fields.emplace_back("Banyan-Retry", chance(50) ? "off" : "1");
    if (chance(20)) ask.fields.emplace_back("Banyan-Hedge", chance(50) ? "off" : "5ms");
    std::optional<Duration> timeout;
    if (chance(30)) timeout = std::chrono::milliseconds(1 + below(3000));
    if (timeout) ask.fields.emplace_back("Banyan-Timeout", std::to_string(*timeout / 1ms) + "ms");
    if (chance(20))
      ask.fields.emplace_back(
          "traceparent", "00-" + std::string(32, "123456789"[below(9)]) + "-b7ad6b7169203331-01");
    known.safe = is_safe(parse_method(method));
    known.repeatable = key || is_idempotent(parse_method(method));
    std::optional<Trickle> body;
    if (method == "POST" || method == "PUT" || method == "PATCH") {
      std::vector<std::string> pieces(1 + below(5));
      for (auto& piece : pieces)
        known.content += piece = std::string(1 + below(200), static_cast<char>('a' + below(26)));
      ask.body = &body.emplace(pieces, std::chrono::milliseconds(below(20)));
    }
    const auto answer = co_await exchange(sim_, *service_, ask);
    if (timeout) {
      EXPECT_LE(answer.took, *timeout);
      late += answer.error && answer.error->status == 504;
    }
    if (body) {
      EXPECT_LE(body->reads, 5) << "the client sends it once";
    }
    EXPECT_EQ(known.running, 0u) << "something runs on after its exchange";
  }

  void check() {
    size_t asked = 0, further = 0;
    for (const auto& [token, known] : known_) {
      asked += 1;
      further += known.seen > 1 ? known.seen - 1 : 0;
      // Each copy has all attempts.
      EXPECT_LE(known.seen, retry_.attempts * (1 + hedge_.at_most)) << token;
    }
    const RetryState& s = *state_;
    EXPECT_EQ(s.hedges, s.hedges_won + s.hedges_lost);
    EXPECT_LE(further, s.retries + s.hedges) << "sent again, and not counted";
    // Whatever the windows: each has at most its share, or the floor; and a request counts in two.
    const auto windows = static_cast<uint64_t>(sim_.elapsed() / window + 2);
    EXPECT_LE(further, 2 * asked * share_.basis_points / 10'000 + floor_ * windows);
  }

  Sim sim_;
  std::map<std::string, Known> known_;
  RetrySettings retry_;
  HedgeSettings hedge_;
  Percent share_;
  uint32_t floor_ = 0;
  std::unique_ptr<RetryState> state_;
  DeadlineMemory memory_;
  ServicePtr service_;
};

TEST(CallsSwarm, EverySeed) {
  const char* const more = std::getenv("BANYAN_SWARM_SEEDS");
  const uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 100;
  size_t twice = 0, late = 0;
  uint64_t hedges_won = 0;
  std::array<uint64_t, static_cast<size_t>(Refusal::count)> refused{};
  for (uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    CallsSwarm swarm(seed);
    swarm.run();
    twice += swarm.twice();
    late += swarm.late;
    hedges_won += swarm.state().hedges_won;
    for (size_t i = 0; i < refused.size(); ++i) refused[i] += swarm.state().refused[i];
  }
  if (seeds < 100) return;
  // A swarm in which little happens proves little.
  EXPECT_GT(twice, 100u);
  EXPECT_GT(late, 100u);
  EXPECT_GT(hedges_won, 50u);
  for (size_t i = 0; i < refused.size(); ++i)
    EXPECT_GT(refused[i], 10u) << word_of(static_cast<Refusal>(i));
}

}  // namespace
}  // namespace banyan
