#include "patterns/ambassador/context.h"

#include "patterns/ambassador/call.h"
#include "patterns/ambassador/retry.h"
#include "upstream/proxy.h"

namespace banyan {
namespace {

TEST(Wishes, Retries) {
  const std::pair<const char*, std::optional<uint32_t>> rows[] = {
      {"off", 0},
      {"0", 0},
      {"1", 1},
      {"99", 99},
      {"18446744073709551615", UINT32_MAX},
      {"99999999999999999999999", std::nullopt},
      {"", std::nullopt},
      {"OFF", std::nullopt},
      {"on", std::nullopt},
      {"-1", std::nullopt},
      {"2 ", std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_retries(text), expected) << text;
}

TEST(Wishes, Hedge) {
  const std::pair<const char*, Wishes> rows[] = {
      {"off", {.hedge = false}},
      {"on", {}},
      {"50ms", {.hedge_after = 50ms}},
      {"1us", {.hedge_after = 1ms}},  // nothing is late at once
      {"0", {.hedge_after = 1ms}},
      {"", {}},
      {"p95", {}},
      {"50", {}},
  };
  for (const auto& [text, expected] : rows) {
    Wishes read;
    read_hedge(text, read);
    EXPECT_EQ(read, expected) << text;
  }
}

class ContextTest : public testing::Test {
 protected:
  // Keeps what the request below asks for.
  class Below final : public Filter {
   public:
    using Filter::Filter;
    Task<Reply> call(Request& request) override {
      wishes = request.wishes != nullptr ? std::optional(*request.wishes) : std::nullopt;
      return next->call(request);
    }
    std::optional<Wishes> wishes;
  };
  Answered ask(FieldList fields, Scripted::Step step = {}) {
    service = std::make_shared<Scripted>(sim, std::vector<Scripted::Step>{std::move(step)});
    auto below = std::make_shared<Below>(service);
    ContextFilter filter(below, settings);
    const auto answer =
        sim.run([&]() -> Task<Answered> { return exchange(sim, filter, {.fields = fields}); });
    wishes = below->wishes;
    return answer;
  }

  Sim sim;
  ContextSettings settings;
  std::shared_ptr<Scripted> service;
  std::optional<Wishes> wishes;
};

const FieldList all_asked = {
    {"Banyan-Retry", "1"}, {"BANYAN-HEDGE", "50ms"}, {"banyan-timeout", "1s"}, {"x-own", "1"}};

TEST_F(ContextTest, WhatIsAskedIsBelievedOnlyWhereItIsSaidSo) {
  ask(all_asked);
  EXPECT_EQ(wishes, std::nullopt);
  settings.accept = true;
  ask(all_asked);
  EXPECT_EQ(wishes, (Wishes{.retries = 1, .hedge_after = 50ms}));
  ask({{"Banyan-Hedge", "off"}});
  EXPECT_EQ(wishes, (Wishes{.hedge = false}));
  ask({{"x-own", "1"}});
  EXPECT_EQ(wishes, std::nullopt);
}

TEST_F(ContextTest, ItNeverGoesToTheService) {
  for (const bool accept : {false, true}) {
    settings.accept = accept;
    ask(all_asked);
    EXPECT_EQ(service->seen()[0].fields, (FieldList{{"x-own", "1"}}));
  }
}

TEST_F(ContextTest, NothingIsToldUnlessItIsSaidSo) {
  const FieldList inner = {
      {"Banyan-Attempts", "9"}, {"Banyan-Served-By", "db-7"}, {"Banyan-Reason", "r"}};
  const FieldList plain = {{"content-type", "text/plain"}};
  EXPECT_EQ(ask({}, {.fields = inner}).fields, plain);
  settings.answer = true;
  EXPECT_EQ(ask({}, {.fields = inner}).fields, (FieldList{{"content-type", "text/plain"},
                                                          {"banyan-attempts", "1"},
                                                          {"banyan-served-by", "endpoint 1"}}));
  settings.attempts = settings.served_by = false;
  EXPECT_EQ(ask({}, {.fields = inner}).fields, plain);
}

// With retries below, over the wire: an answer of the service, and one of ours.
class ContextProxyTest : public testing::Test {
 protected:
  ContextProxyTest() {
    proxy.at_start = {"10.0.0.1:80", "10.0.0.2:80"};
    retry.backoff = 0ms;
    proxy.wrap = [this](ServicePtr next) -> ServicePtr {
      auto again = std::make_shared<RetryFilter>(std::move(next), retry, RetryTimes{}, state);
      return std::make_shared<ContextFilter>(std::move(again), settings);
    };
    // The first is busy, the second breaks off.
    proxy.sim.serve("10.0.0.1:80", [](Peer& peer) -> Task<> {
      co_await peer.read_head();
      co_await peer.send("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    proxy.sim.serve("10.0.0.2:80", [](Peer& peer) -> Task<> {
      co_await peer.read_head();
      peer.reset();
    });
  }
  // The n-th begins at the n-th endpoint.
  std::vector<std::string> ask(std::vector<std::string> requests) {
    std::vector<std::string> answers;
    proxy.run([&](Proxy& p) -> Task<> {
      for (const auto& r : requests) answers.push_back(co_await p.ask(r));
    });
    return answers;
  }
  static std::string post(std::string_view more = "") {
    return "POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\nconnection: close\r\n" +
           std::string(more) + "\r\n";
  }
  static bool has(const std::string& answer, std::string_view line) {
    return answer.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
  }

  Proxy proxy;
  RetrySettings retry;
  RetryState state{Percent{10'000}, 100};
  ContextSettings settings{.accept = true, .answer = true};
};

TEST_F(ContextProxyTest, ARefusalToRetryIsNamedInTheAnswer) {
  const auto answers = ask({post(), post()});
  const std::string unsafe = "banyan-reason: " + std::string(sentence_of(Refusal::unsafe));
  EXPECT_TRUE(answers[0].starts_with("HTTP/1.1 503 ")) << answers[0];
  EXPECT_TRUE(has(answers[0], unsafe)) << answers[0];
  EXPECT_TRUE(has(answers[0], "banyan-served-by: 10.0.0.1:80")) << answers[0];
  EXPECT_TRUE(answers[1].starts_with("HTTP/1.1 502 ")) << answers[1];
  EXPECT_TRUE(has(answers[1], unsafe)) << answers[1];
  EXPECT_TRUE(has(answers[1], "banyan-attempts: 1")) << answers[1];
  EXPECT_TRUE(has(answers[1], "banyan-served-by: 10.0.0.2:80")) << answers[1];
}

TEST_F(ContextProxyTest, TheCallerTurnsRetriesOff) {
  retry.attempts = 2;
  const auto answers =
      ask({"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n"
           "banyan-retry: off\r\n\r\n",
           Proxy::get()});
  EXPECT_TRUE(has(answers[0], "banyan-attempts: 1")) << answers[0];
  EXPECT_TRUE(has(answers[0], "banyan-reason: " + std::string(sentence_of(Refusal::caller))));
  EXPECT_TRUE(has(answers[1], "banyan-attempts: 2")) << answers[1];
}

TEST_F(ContextProxyTest, AtTheGatewayNothingIsBelievedAndNothingTold) {
  settings = {};
  retry.attempts = 2;
  const auto answers =
      ask({"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n"
           "banyan-retry: off\r\n\r\n"});
  EXPECT_EQ(answers[0].find("banyan-"), std::string::npos) << answers[0];
  EXPECT_EQ(proxy.last[0].attempts, 2) << "it was sent again all the same";
}

}  // namespace
}  // namespace banyan
