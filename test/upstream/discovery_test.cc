#include "upstream/discovery.h"

#include <gtest/gtest.h>

#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class DiscoveryTest : public testing::Test {
 protected:
  // `script` is Task<> of (Discovery&), with one that has started over `urls`.
  template <class Script>
  void run(std::vector<std::pair<std::string, uint32_t>> urls, Script script) {
    sim.run([&]() -> Task<> { return scene(urls, script); });
  }
  template <class Script>
  Task<> scene(std::vector<std::pair<std::string, uint32_t>>& urls, Script& script) {
    Context& context = co_await current_context();
    Cluster c("shop", sim.engine(), sim.loop(), Balance::ewma, {});
    cluster = &c;
    std::vector<Discovery::Source> sources;
    for (const auto& [url, weight] : urls) sources.push_back({*locate(url), weight});
    Discovery discovery(context, resolver, c, std::move(sources));
    discovery.start();
    co_await script(discovery);
    co_await discovery.stop();
    EXPECT_EQ(resolver.waiting(), 0u);
  }
  // "10.0.0.1:80 10.0.0.2:80*3"
  std::string members() const {
    std::string out;
    for (const auto& e : cluster->endpoints()) {
      out += (out.empty() ? "" : " ") + e->name();
      if (e->weight() != 1) out += "*" + std::to_string(e->weight());
    }
    return out;
  }
  // How long after the last question for `name` the next one comes; and then its answer.
  Task<Duration> next_question(std::string_view name) {
    const size_t before = resolver.asked(name);
    while (resolver.asked(name) == before)
      if (!co_await resolver.next_question()) break;
    (void)co_await sleep_for(1ns);
    const auto& at = resolver.asked_at(name);
    EXPECT_EQ(at.size(), before + 1);
    co_return at.back() - at[before - 1];
  }

  Sim sim;
  SimResolver resolver;
  Cluster* cluster = nullptr;
};

TEST_F(DiscoveryTest, FixedMembersAreThereAtOnce) {
  run({{"http://10.0.0.1:80", 1}, {"http://10.0.0.2:80", 3}, {"unix:/run/app.sock", 1}},
      [&](Discovery& d) -> Task<> {
        EXPECT_EQ(members(), "10.0.0.1:80 10.0.0.2:80*3 unix:/run/app.sock");
        co_await d.ready(1h);
        EXPECT_EQ(sim.elapsed(), 0s);
      });
}

TEST_F(DiscoveryTest, NamesJoinWhenTheyAreKnown) {
  resolver.set("catalog", {"10.0.0.2", "fd00::1", "10.0.0.1"}, 60s);
  resolver.set_latency(20ms);
  run({{"dns:catalog:8080", 2}, {"http://10.0.0.9:80", 1}}, [&](Discovery& d) -> Task<> {
    EXPECT_EQ(members(), "10.0.0.9:80");
    co_await d.ready(1s);
    EXPECT_EQ(sim.elapsed(), 20ms);
    EXPECT_EQ(members(), "10.0.0.1:8080*2 10.0.0.2:8080*2 [fd00::1]:8080*2 10.0.0.9:80");
    EXPECT_EQ(d.last_error(), nullptr);
  });
}

TEST_F(DiscoveryTest, ReadyWaitsForAllButNotForEver) {
  resolver.set("a", {"10.0.0.1"}, 60s);
  resolver.silence("b");
  run({{"http://a", 1}, {"http://b", 1}}, [&](Discovery& d) -> Task<> {
    co_await d.ready(5s);
    EXPECT_EQ(sim.elapsed(), 5s);
    EXPECT_EQ(members(), "10.0.0.1:80");
  });
}

TEST_F(DiscoveryTest, AFailureIsAnAnswerToo) {
  resolver.set_latency(3ms);
  run({{"http://nobody", 1}}, [&](Discovery& d) -> Task<> {
    co_await d.ready(5s);
    EXPECT_EQ(sim.elapsed(), 3ms);
    EXPECT_EQ(members(), "");
    CHECK(d.last_error() != nullptr);
    EXPECT_EQ(d.last_error()->name, "nobody:80");
    EXPECT_STREQ(d.last_error()->error.what, "the name has no address");
  });
}

TEST_F(DiscoveryTest, AsksAgainWhenTheTimeEnds) {
  resolver.set("catalog", {"10.0.0.1"}, 10s);
  run({{"http://catalog", 1}}, [&](Discovery& d) -> Task<> {
    co_await d.ready(1s);
    const Endpoint* first = cluster->endpoints()[0].get();
    resolver.set("catalog", {"10.0.0.1", "10.0.0.2"}, 100s);
    const Duration pause = co_await next_question("catalog");
    EXPECT_GE(pause, 10s);
    EXPECT_LE(pause, 11s);
    EXPECT_EQ(members(), "10.0.0.1:80 10.0.0.2:80");
    EXPECT_EQ(cluster->endpoints()[0].get(), first) << "who stays is kept";
    const Duration next = co_await next_question("catalog");
    EXPECT_GE(next, 100s);
    EXPECT_LE(next, 110s);
  });
}

TEST_F(DiscoveryTest, PausesDiffer) {
  resolver.set("a", {"10.0.0.1"}, 100s);
  resolver.set("b", {"10.0.0.2"}, 100s);
  run({{"http://a", 1}, {"http://b", 1}}, [&](Discovery&) -> Task<> {
    (void)co_await sleep_for(110s);
    CHECK(resolver.asked("a") == 2 && resolver.asked("b") == 2);
    EXPECT_NE(resolver.asked_at("a")[1], resolver.asked_at("b")[1]);
  });
}

TEST_F(DiscoveryTest, TheLastKnownStayWhileQuestionsFail) {
  resolver.set("catalog", {"10.0.0.1"}, 10s);
  run({{"http://catalog", 1}}, [&](Discovery& d) -> Task<> {
    co_await d.ready(1s);
    resolver.fail("catalog", "no name server answered in time");
    co_await next_question("catalog");
    const Duration failed = sim.elapsed();
    for (const int pause : {1, 2, 4, 8, 16, 30, 30}) {
      EXPECT_EQ(members(), "10.0.0.1:80");
      CHECK(d.last_error() != nullptr);
      EXPECT_STREQ(d.last_error()->error.what, "no name server answered in time");
      EXPECT_LE(d.last_error()->since.time_since_epoch() - 1'000'003s, failed);
      const Duration took = co_await next_question("catalog");
      EXPECT_GE(took, std::chrono::seconds(pause));
      EXPECT_LE(took, std::chrono::milliseconds(pause * 1100));
    }
    resolver.set("catalog", {"10.0.0.7"}, 10s);
    co_await next_question("catalog");
    EXPECT_EQ(members(), "10.0.0.7:80");
    EXPECT_EQ(d.last_error(), nullptr);
    resolver.fail("catalog");
    co_await next_question("catalog");
    EXPECT_LE(co_await next_question("catalog"), 1100ms) << "it begins at 1 s again";
  });
}

TEST_F(DiscoveryTest, LastErrorIsTheLatest) {
  resolver.set("b", {"10.0.0.2"}, 5s);
  run({{"http://a", 1}, {"http://b", 1}}, [&](Discovery& d) -> Task<> {
    co_await d.ready(1s);
    EXPECT_EQ(d.last_error()->name, "a:80");
    resolver.fail("b");
    co_await next_question("b");
    EXPECT_EQ(d.last_error()->name, "b:80");
  });
}

TEST_F(DiscoveryTest, ServicesOfTheLowestPriorityOnly) {
  resolver.set_services("_http._tcp.shop.example",
                        {{"10.0.0.3:80", 20, 1}, {"10.0.0.1:80", 10, 5}, {"10.0.0.2:81", 10, 1}},
                        10s);
  run({{"dns+srv:_http._tcp.shop.example", 3}}, [&](Discovery& d) -> Task<> {
    co_await d.ready(1s);
    EXPECT_EQ(members(), "10.0.0.1:80*15 10.0.0.2:81*3");
    resolver.set_services("_http._tcp.shop.example", {{"10.0.0.3:80", 20, 1}}, 10s);
    co_await next_question("_http._tcp.shop.example");
    EXPECT_EQ(members(), "10.0.0.3:80*3");
  });
}

TEST_F(DiscoveryTest, TheSameAddressTwiceIsOneMember) {
  resolver.set("catalog", {"10.0.0.1"}, 10s);
  run({{"http://catalog:80", 2}, {"http://10.0.0.1:80", 3}}, [&](Discovery& d) -> Task<> {
    co_await d.ready(1s);
    EXPECT_EQ(members(), "10.0.0.1:80*5");
  });
}

TEST_F(DiscoveryTest, StopsInTheMiddleOfAQuestion) {
  resolver.silence("catalog");
  run({{"http://catalog", 1}, {"http://10.0.0.1", 1}}, [&](Discovery&) -> Task<> {
    (void)co_await sleep_for(1s);
    EXPECT_EQ(resolver.waiting(), 1u);
  });
  EXPECT_EQ(sim.elapsed(), 1s);
}

}  // namespace
}  // namespace banyan
