// RouteTable against the reference, over tables and requests that are drawn by seed.
#include <gtest/gtest.h>

#include <random>

#include "patterns/routing/answer_text.h"
#include "patterns/routing/explain.h"
#include "patterns/routing/random_routes.h"
#include "patterns/routing/reference.h"
#include "patterns/routing/routes.h"

namespace banyan {
namespace {

struct Dice {
  std::mt19937_64 engine;
  size_t operator()(size_t below) { return engine() % below; }
};

// The routes that were told to match nothing.
std::set<size_t> warned_never(const Problems& problems) {
  std::set<size_t> out;
  for (const Problem& p : problems.sorted())
    if (p.message.starts_with("this route can never match")) out.insert(p.place.line - 1);
  return out;
}

// What explain tells of the others goes with what the reference finds of them.
void expect_explained(const RouteTable& table, const std::vector<RouteSettings>& routes,
                      const Reference& reference, const Request& request) {
  const Explanation e = explain(table, routes, request, routes.size());
  const auto winner = reference.find_route(request);
  EXPECT_EQ(e.others.size() + winner.has_value(), routes.size());
  for (const auto& other : e.others) {
    ASSERT_FALSE(other.reasons.empty());
    const std::string& first = other.reasons.front();
    const bool lost = first.starts_with("less specific: ") || first.starts_with("as specific, ");
    EXPECT_EQ(lost, reference.fits(other.route, request)) << first;
  }
}

void expect_same(Dice& dice, size_t requests, int& answers) {
  RandomRoutes random(dice);
  const auto routes = random.routes(14);
  Problems problems;
  const auto table = RouteTable::build(routes, problems);
  const Reference reference(routes);
  ASSERT_EQ(table == nullptr, reference.has_equals()) << problems.text();
  if (table == nullptr) return;
  const auto never = warned_never(problems);
  for (size_t n = 0; n < requests; ++n) {
    const auto asked = random.request();
    if (asked->refused()) continue;
    const Request& request = asked->request();
    ASSERT_EQ(answer_text(*table, request), reference.find(request))
        << request.method_text << " " << request.host << " " << request.target.forward;
    const auto winner = reference.find_route(request);
    answers += winner.has_value();
    ASSERT_FALSE(winner && never.contains(*winner)) << problems.text();
    if (n % 16 == 0) expect_explained(*table, routes, reference, request);
  }
}

TEST(RoutingModel, TheTableAnswersWhatTheReferenceDoes) {
  int answers = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice{std::mt19937_64(seed)};
    expect_same(dice, 16, answers);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(answers, 4'000);  // it is about routes that are found, too
}

}  // namespace
}  // namespace banyan
