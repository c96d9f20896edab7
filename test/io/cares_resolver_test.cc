#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "io/cares.h"
#include "io/dns_server.h"
#include "task/combine.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

class CaresResolverTest : public testing::Test {
 protected:
  CaresResolverTest() { make({}); }
  ~CaresResolverTest() override { resolver_.reset(); }

  void make(CaresOptions options) {
    resolver_.reset();
    options.servers = {server.address()};
    options.timeout = 30ms;
    options.tries = 2;
    if (options.domains.empty()) options.search = false;
    if (options.hosts_path == CaresOptions{}.hosts_path) options.hosts_path = "/nonexistent";
    auto made = CaresResolver::make(engine, loop, options);
    CHECK(made.has_value());
    resolver_ = std::move(*made);
  }
  // Runs to its end; the lambda lives as long.
  template <class Make>
  void run(Make make) {
    const auto frames_before = frames.live();
    Nursery tcp(context);
    tcp.start([this] { return server.serve_tcp(); });
    turn_until_end(make);
    auto stop = [&]() -> Task<> {
      tcp.cancel();
      co_await tcp.join();
    };
    turn_until_end(stop);
    EXPECT_EQ(frames.live(), frames_before);
  }
  Result<Resolved> addresses(const std::string& name, uint16_t port = 80) {
    std::optional<Result<Resolved>> out;
    run([&]() -> Task<> { out = co_await resolver_->addresses(name, port); });
    return *out;
  }
  Result<Resolved> services(const std::string& name) {
    std::optional<Result<Resolved>> out;
    run([&]() -> Task<> { out = co_await resolver_->services(name); });
    return *out;
  }
  static std::string text(const Result<Resolved>& resolved) {
    if (!resolved) return resolved.error().what;
    std::string out;
    for (const auto& e : resolved->entries) {
      out += (out.empty() ? "" : " ") + to_string(e.address);
      if (e.priority != 0 || e.weight != 1)
        out += "/" + std::to_string(e.priority) + "/" + std::to_string(e.weight);
    }
    return out;
  }
  CaresResolver& resolver() { return *resolver_; }
  void forget_resolver() { resolver_.reset(); }

  EpollEngine engine;
  Loop loop{engine, 7};
  Cancel root;
  Context context{loop, root, never};
  DnsServer server{engine};

 private:
  template <class Make>
  static Root drive(Make& make) {
    co_await make();
  }
  template <class Make>
  void turn_until_end(Make& make) {
    ended_ = false;
    drive(make).start(context, &CaresResolverTest::end, this);
    while (!ended_) loop.turn();
  }
  // The turn in which it ends must not wait for an event that never comes.
  static void end(void* self) {
    auto& test = *static_cast<CaresResolverTest*>(self);
    test.ended_ = true;
    test.engine.wake();
  }
  bool ended_ = false;
  std::unique_ptr<CaresResolver> resolver_;
};

constexpr const char* unknown = "the name has no address";

TEST_F(CaresResolverTest, BothFamiliesInAFixedOrder) {
  server.set("shop.example", {"10.0.0.2", "fd00::1", "10.0.0.1"}, 60);
  const auto found = addresses("shop.example", 8080);
  EXPECT_EQ(text(found), "10.0.0.1:8080 10.0.0.2:8080 [fd00::1]:8080");
  EXPECT_EQ(found->ttl, 60s);
  EXPECT_EQ(server.asked("shop.example", DnsType::a), 1u);
  EXPECT_EQ(server.asked("shop.example", DnsType::aaaa), 1u);
}

TEST_F(CaresResolverTest, TheLeastTimeOfAllRecordsWithinBounds) {
  server.set("shop.example", {"10.0.0.1"}, 60);
  server.at("shop.example", DnsType::aaaa) = {{dns::address("shop.example", "fd00::1", 45)}};
  EXPECT_EQ(addresses("shop.example")->ttl, 45s);
  server.set("shop.example", {"10.0.0.1"}, 0);
  EXPECT_EQ(addresses("shop.example")->ttl, 1s);
  server.set("shop.example", {"10.0.0.1"}, 1'000'000);
  EXPECT_EQ(addresses("shop.example")->ttl, 1h);
}

TEST_F(CaresResolverTest, OneFamilyIsEnough) {
  server.set("four.example", {"10.0.0.1"}, 60);
  server.set("six.example", {"fd00::1"}, 60);
  EXPECT_EQ(text(addresses("four.example")), "10.0.0.1:80");
  EXPECT_EQ(addresses("four.example")->ttl, 60s);
  EXPECT_EQ(text(addresses("six.example")), "[fd00::1]:80");
}

TEST_F(CaresResolverTest, NoSuchName) {
  const auto found = addresses("nobody.example");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error(), (Error{Code::unavailable, Side::upstream, true, 0, unknown}));
  EXPECT_EQ(server.asked(), 2u);
}

TEST_F(CaresResolverTest, ANameWithoutAddresses) {
  server.set("empty.example", {}, 60);
  EXPECT_EQ(text(addresses("empty.example")), unknown);
}

TEST_F(CaresResolverTest, AServerThatFailsIsAskedAgain) {
  server.at("shop.example", DnsType::a).code = DnsServer::server_failure;
  server.at("shop.example", DnsType::aaaa).code = DnsServer::server_failure;
  EXPECT_EQ(text(addresses("shop.example")), "the name servers failed or cannot be reached");
  EXPECT_EQ(server.asked("shop.example", DnsType::a), 2u);
}

TEST_F(CaresResolverTest, OneFamilyThatFailsShortensTheTime) {
  server.set("shop.example", {"10.0.0.1"}, 600);
  server.at("shop.example", DnsType::aaaa).code = DnsServer::server_failure;
  const auto found = addresses("shop.example");
  EXPECT_EQ(text(found), "10.0.0.1:80");
  EXPECT_EQ(found->ttl, partial_ttl_max);
}

TEST_F(CaresResolverTest, SilenceEndsInTime) {
  server.at("shop.example", DnsType::a).silent = true;
  server.at("shop.example", DnsType::aaaa).silent = true;
  const Time began = engine.now();
  EXPECT_EQ(text(addresses("shop.example")), "no name server answered in time");
  EXPECT_GE(engine.now() - began, 30ms);
  EXPECT_EQ(server.asked("shop.example", DnsType::a), 2u);
  EXPECT_EQ(server.asked("shop.example", DnsType::aaaa), 2u);
}

TEST_F(CaresResolverTest, ALostQuestionIsAskedAgain) {
  server.set("shop.example", {"10.0.0.1"}, 60);
  server.at("shop.example", DnsType::a).lost = 1;
  EXPECT_EQ(text(addresses("shop.example")), "10.0.0.1:80");
  EXPECT_EQ(server.asked("shop.example", DnsType::a), 2u);
}

TEST_F(CaresResolverTest, ManyAddressesComeOverTcpAndAreCut) {
  std::vector<std::string> ips;
  for (int i = 0; i < 100; ++i) ips.push_back("10.0.0." + std::to_string(99 - i));
  server.set("large.example", ips, 60);
  const auto found = addresses("large.example");
  ASSERT_TRUE(found.has_value()) << found.error().what;
  EXPECT_EQ(server.asked_over_tcp(), 1u);
  ASSERT_EQ(found->entries.size(), resolved_max);
  EXPECT_EQ(to_string(found->entries.front().address), "10.0.0.0:80");
  EXPECT_EQ(to_string(found->entries.back().address), "10.0.0.63:80");
}

TEST_F(CaresResolverTest, Aliases) {
  server.set("shop.example", {}, 60);
  server.at("shop.example", DnsType::a).records = {dns::alias("shop.example", "b.example", 50),
                                                   dns::alias("b.example", "c.example", 40),
                                                   dns::address("c.example", "10.0.0.1", 60)};
  const auto found = addresses("shop.example");
  EXPECT_EQ(text(found), "10.0.0.1:80");
  EXPECT_EQ(found->ttl, 40s);
  server.at("shop.example", DnsType::a).records = {dns::alias("shop.example", "b.example", 50)};
  EXPECT_EQ(text(addresses("shop.example")), unknown);
}

TEST_F(CaresResolverTest, GarbageIsNoAnswer) {
  server.set("shop.example", {}, 60);
  server.at("shop.example", DnsType::a).junk = "\xff\xff\xff";
  EXPECT_EQ(text(addresses("shop.example")), "the name server's answer is malformed");
}

TEST_F(CaresResolverTest, NoiseBeforeTheAnswer) {
  server.set("shop.example", {"10.0.0.1"}, 60);
  server.at("shop.example", DnsType::a).noise = true;
  EXPECT_EQ(text(addresses("shop.example")), "10.0.0.1:80");
}

TEST_F(CaresResolverTest, AnAnswerToAnotherQuestionIsIgnored) {
  server.set("shop.example", {"10.0.0.1"}, 60);
  server.at("shop.example", DnsType::a).id_error = 1;
  server.at("shop.example", DnsType::aaaa).id_error = 1;
  EXPECT_EQ(text(addresses("shop.example")), "no name server answered in time");
}

TEST_F(CaresResolverTest, Services) {
  server.at("_http._tcp.shop.example", DnsType::srv).records = {
      dns::service("_http._tcp.shop.example", 10, 60, 8080, "a.example", 50),
      dns::service("_http._tcp.shop.example", 10, 0, 8081, "b.example", 50),
      dns::service("_http._tcp.shop.example", 5, 7, 8082, "a.example", 50)};
  server.set("a.example", {"10.0.0.1", "fd00::1"}, 40);
  server.set("b.example", {"10.0.0.2"}, 60);
  const auto found = services("_http._tcp.shop.example");
  EXPECT_EQ(text(found),
            "10.0.0.1:8082/5/7 [fd00::1]:8082/5/7 10.0.0.1:8080/10/60 10.0.0.2:8081/10/1 "
            "[fd00::1]:8080/10/60");
  EXPECT_EQ(found->ttl, 40s);
  EXPECT_EQ(server.asked("a.example", DnsType::a), 1u) << "asked once for both records";
}

TEST_F(CaresResolverTest, ATargetThatFailsIsLeftOutForAWhile) {
  server.at("_http._tcp.shop.example", DnsType::srv).records = {
      dns::service("_http._tcp.shop.example", 1, 1, 80, "a.example", 600),
      dns::service("_http._tcp.shop.example", 1, 1, 80, "gone.example", 600)};
  server.set("a.example", {"10.0.0.1"}, 600);
  const auto found = services("_http._tcp.shop.example");
  EXPECT_EQ(text(found), "10.0.0.1:80/1/1");
  EXPECT_EQ(found->ttl, partial_ttl_max);
}

TEST_F(CaresResolverTest, NoTargetCanBeFound) {
  server.at("_http._tcp.shop.example", DnsType::srv).records = {
      dns::service("_http._tcp.shop.example", 1, 1, 80, "gone.example", 600)};
  EXPECT_EQ(text(services("_http._tcp.shop.example")), unknown);
  EXPECT_EQ(text(services("_http._tcp.nobody.example")), unknown);
}

TEST_F(CaresResolverTest, TheRootAsTargetSaysThereIsNoService) {
  server.at("_http._tcp.shop.example", DnsType::srv).records = {
      dns::service("_http._tcp.shop.example", 0, 0, 0, "", 600)};
  EXPECT_EQ(text(services("_http._tcp.shop.example")), "the domain does not offer the service");
}

TEST_F(CaresResolverTest, SomeNamesNeedNoQuestion) {
  EXPECT_EQ(text(addresses("10.1.2.3", 5)), "10.1.2.3:5");
  EXPECT_EQ(text(addresses("::1", 5)), "[::1]:5");
  EXPECT_EQ(text(addresses("localhost", 5)), "127.0.0.1:5 [::1]:5");
  EXPECT_EQ(server.asked(), 0u);
}

TEST_F(CaresResolverTest, TheHostsFileComesFirst) {
  char path[] = "/tmp/banyan-hosts-XXXXXX";
  ::close(::mkstemp(path));
  std::ofstream(path) << "10.9.9.9 Shop.example\n";
  make({.hosts_path = path});
  std::remove(path);
  server.set("shop.example", {"10.0.0.1"}, 60);
  const auto found = addresses("shop.EXAMPLE", 5);
  EXPECT_EQ(text(found), "10.9.9.9:5");
  EXPECT_EQ(server.asked(), 0u);
}

TEST_F(CaresResolverTest, ShortNamesAreLookedForInTheDomains) {
  make({.domains = {"ns.cluster", "cluster"}});
  server.set("shop.cluster", {"10.0.0.1"}, 60);
  EXPECT_EQ(text(addresses("shop")), "10.0.0.1:80");
  EXPECT_EQ(server.asked("shop.ns.cluster", DnsType::a), 1u);
  EXPECT_EQ(server.asked("shop", DnsType::a), 0u);
  // With a dot it is asked for as it is first, and with a final one only so.
  server.set("shop.other.cluster", {"10.0.0.2"}, 60);
  EXPECT_EQ(text(addresses("shop.other")), "10.0.0.2:80");
  EXPECT_EQ(server.asked("shop.other", DnsType::a), 1u);
  EXPECT_EQ(text(addresses("shop.")), unknown);
}

TEST_F(CaresResolverTest, AFailingServerStartsNoSearch) {
  make({.domains = {"cluster"}});
  server.set("shop.other.cluster", {"10.0.0.2"}, 60);
  server.at("shop.other", DnsType::a).code = DnsServer::server_failure;
  server.at("shop.other", DnsType::aaaa).code = DnsServer::server_failure;
  EXPECT_EQ(text(addresses("shop.other")), "the name servers failed or cannot be reached");
  EXPECT_EQ(server.asked("shop.other.cluster", DnsType::a), 0u);
}

TEST_F(CaresResolverTest, EqualQuestionsAreAskedOnce) {
  server.set("shop.example", {"10.0.0.1"}, 60);
  run([&]() -> Task<> {
    auto all = co_await gather(5, [&](size_t i) {
      return resolver().addresses("shop.example", static_cast<uint16_t>(i));
    });
    for (size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(text(all[i]), "10.0.0.1:" + std::to_string(i));
  });
  EXPECT_EQ(server.asked(), 2u);
  EXPECT_EQ(text(addresses("shop.example")), "10.0.0.1:80");
  EXPECT_EQ(server.asked(), 4u) << "an answer is not kept here";
}

TEST_F(CaresResolverTest, ACancelledQuestionEndsAtOnceAndItsLateAnswerIsDropped) {
  server.set("shop.example", {"10.0.0.1"}, 60);
  server.at("shop.example", DnsType::a).silent = true;
  run([&]() -> Task<> {
    const auto cut = co_await within{1ms, resolver().addresses("shop.example", 80)};
    EXPECT_EQ(cut.error().code, Code::timeout);
    server.at("shop.example", DnsType::a).silent = false;
    server.release();
    EXPECT_EQ(text(co_await resolver().addresses("shop.example", 80)), "10.0.0.1:80");
  });
}

TEST_F(CaresResolverTest, EndsWithQuestionsOpen) {
  server.at("shop.example", DnsType::a).silent = true;
  server.at("shop.example", DnsType::aaaa).silent = true;
  run([&]() -> Task<> {
    const auto cut = co_await within{1ms, resolver().addresses("shop.example", 80)};
    EXPECT_FALSE(cut.has_value());
  });
  forget_resolver();
  server.release();
  for (int i = 0; i < 3; ++i) {
    engine.wake();
    loop.turn();
  }
}

TEST_F(CaresResolverTest, NamesThatCannotBe) {
  for (const std::string& name :
       {std::string("a..b"), std::string(64, 'x') + ".example", std::string(300, 'x')}) {
    const auto found = addresses(name);
    ASSERT_FALSE(found.has_value()) << name;
    EXPECT_EQ(found.error().code, Code::unavailable);
  }
  EXPECT_EQ(server.asked(), 0u);
}

TEST_F(CaresResolverTest, NoServerThere) {
  std::string gone;
  {
    DnsServer other(engine);
    gone = other.address();
  }
  auto made = CaresResolver::make(
      engine, loop, {.servers = {gone}, .timeout = 30ms, .tries = 1, .search = false});
  ASSERT_TRUE(made.has_value());
  run([&]() -> Task<> {
    const auto found = co_await (*made)->addresses("shop.example", 80);
    EXPECT_FALSE(found.has_value());
    if (!found) EXPECT_EQ(found.error().code, Code::unavailable);
  });
}

TEST_F(CaresResolverTest, AServerMustBeAnAddress) {
  const auto made = CaresResolver::make(engine, loop, {.servers = {"no address"}});
  ASSERT_FALSE(made.has_value());
  EXPECT_STREQ(made.error().what, "a name server is no address");
}

}  // namespace
}  // namespace banyan
