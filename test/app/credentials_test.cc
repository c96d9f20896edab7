// Credentials of services, as a user writes them: what check tells, and what the service and the
// token's server see.
#include <gmock/gmock.h>

#include "sim/gateway.h"
#include "sim/run.h"
#include "sim/sim_resolver.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string config(std::string_view credentials, std::string_view more = "",
                   std::string_view listen = "127.0.0.1:80") {
  return "listeners: { web: '" + std::string(listen) +
         "' }\nroutes: [ { to: api } ]\nservices:\n  api: { endpoints: [http://10.0.0.2:80], "
         "credentials: { " +
         std::string(credentials) + " }" + std::string(more) + " }\n";
}
constexpr std::string_view oauth2 =
    "oauth2: { token_url: 'http://10.0.0.3:80/oauth/token?x=1', client_id: me, client_secret: "
    "hush, scope: 'read write' }";

TEST(CredentialsTest, WhatIsWrongIsToldWithItsPlace) {
  const auto told = [](std::string_view credentials) {
    return load_text(config(credentials)).problems.text();
  };
  EXPECT_EQ(told("header: x-api-key, value: abc"), "");
  EXPECT_THAT(told(""), HasSubstr("wants exactly one of value, oauth2"));
  EXPECT_THAT(told("value: ''"), HasSubstr("value is empty"));
  EXPECT_THAT(told("value: \"a\\nb\""), HasSubstr("characters that a field cannot carry"));
  EXPECT_THAT(told("header: 'x y', value: a"), HasSubstr("'x y' is no name of a field"));
  EXPECT_THAT(told("header: Host, value: a"), HasSubstr("is Banyan's own"));
  EXPECT_THAT(told("value: a, " + std::string(oauth2)), HasSubstr("wants exactly one of"));
  EXPECT_THAT(told("oauth2: { token_url: nonsense, client_id: a, client_secret: b }"),
              HasSubstr("'nonsense' is no URL like https://idp.example/oauth/token"));
  EXPECT_THAT(told("oauth2: { token_url: 'https://idp/t' }"), HasSubstr("client_id"));
  EXPECT_THAT(told(oauth2),
              HasSubstr("warning: services.api.credentials.oauth2.token_url: http://"));
  EXPECT_EQ(told("oauth2: { token_url: 'http://127.0.0.1/t', client_id: a, client_secret: b }"),
            "");
}

class CredentialsGatewayTest : public testing::Test {
 protected:
  CredentialsGatewayTest() {
    sim.serve("10.0.0.2:80", [this](Peer& peer) -> Task<> {
      while (!(seen = co_await peer.read_head()).empty()) {
        ++calls;
        const bool good = accepts.empty() || seen.find(accepts) != std::string::npos;
        co_await peer.send(good ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                                : "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno");
      }
    });
    sim.serve("10.0.0.3:80", [this](Peer& peer) -> Task<> {
      for (;;) {
        asked = co_await peer.read_head();
        if (asked.empty()) co_return;
        asked += co_await peer.read_until("write");
        ++grants;
        (void)co_await sleep_for(50ms);
        if (!granting) {
          co_await peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
          continue;
        }
        const std::string json = "{\"access_token\":\"t" + std::to_string(grants) +
                                 "\",\"token_type\":\"Bearer\",\"expires_in\":100}";
        co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(json.size()) +
                           "\r\n\r\n" + json);
      }
    });
  }
  template <class Client>
  void run(const std::string& text, Client client) {
    Loaded loaded = load_text(text);
    ASSERT_NE(loaded.model, nullptr) << loaded.problems.text();
    sim.run([&]() -> Task<> {
      SimGateway gateway(
          co_await current_context(), sim.engine(), names, [](const Request*, const Record&) {},
          &shares);
      co_await gateway.use(loaded.model);
      co_await client(gateway);
      co_await gateway.stop();
    });
  }
  Task<> ask(std::string& answer, std::string more = "", std::string_view at = "127.0.0.1:80") {
    Peer client = co_await dial(sim.engine(), at);
    co_await client.send("GET /x HTTP/1.1\r\nHost: api\r\nConnection: close\r\n" + more + "\r\n");
    answer = co_await client.read_all();
  }
  Task<std::string> status(std::string more = "") {
    std::string answer;
    co_await ask(answer, std::move(more));
    co_return answer.substr(9, 3);
  }

  Sim sim;
  SimResolver names;
  CallShares shares;
  std::string seen, asked, accepts;
  int calls = 0, grants = 0;
  bool granting = true;
};

TEST_F(CredentialsGatewayTest, AKeyReplacesWhatTheCallerSent) {
  run(config("header: X-Api-Key, value: s3cret"), [this](SimGateway&) -> Task<> {
    EXPECT_EQ(co_await status("x-api-key: mine\r\nX-API-KEY: mine too\r\n"), "200");
    EXPECT_THAT(seen, HasSubstr("X-Api-Key: s3cret\r\n"));
    EXPECT_EQ(seen.find("mine"), std::string::npos);
  });
}

TEST_F(CredentialsGatewayTest, AKeyMayHaveAPrefix) {
  run(config("value: abc, prefix: 'Bearer '"), [this](SimGateway&) -> Task<> {
    co_await status();
    EXPECT_THAT(seen, HasSubstr("authorization: Bearer abc\r\n"));
  });
}

TEST_F(CredentialsGatewayTest, ATokenIsFetchedOnceForAllThatWait) {
  run(config(oauth2), [this](SimGateway&) -> Task<> {
    std::string answers[20];
    Nursery clients(co_await current_context());
    for (std::string& answer : answers)
      clients.start([this, &answer] { return ask(answer, "Authorization: Bearer forged\r\n"); });
    co_await clients.join();
    for (const std::string& answer : answers)
      EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(seen, HasSubstr("authorization: Bearer t1\r\n"));
    EXPECT_EQ(seen.find("forged"), std::string::npos);
    EXPECT_THAT(asked, testing::StartsWith("POST /oauth/token?x=1 HTTP/1.1\r\n"));
    EXPECT_THAT(asked, HasSubstr("host: 10.0.0.3:80\r\n"));
    EXPECT_THAT(asked, HasSubstr("authorization: Basic bWU6aHVzaA==\r\n"));
    EXPECT_THAT(asked, testing::EndsWith("grant_type=client_credentials&scope=read+write"));
  });
  EXPECT_EQ(grants, 1);
  EXPECT_EQ(calls, 20);
}

TEST_F(CredentialsGatewayTest, ItIsRenewedWhileCallsGoOn) {
  run(config(oauth2), [this](SimGateway&) -> Task<> {
    for (int i = 0; i < 30; ++i) {
      const Duration began = sim.elapsed();
      EXPECT_EQ(co_await status(), "200");
      EXPECT_EQ(sim.elapsed() - began, i == 0 ? 50ms : 0ms) << "only the first one waits";
      (void)co_await sleep_for(10s);
    }
    EXPECT_EQ(grants, 4) << "each 80 s";
    EXPECT_THAT(seen, HasSubstr("Bearer t4\r\n"));
  });
}

TEST_F(CredentialsGatewayTest, WhoLeavesDoesNotCallTheFetchOff) {
  run(config(oauth2), [this](SimGateway&) -> Task<> {
    {
      Peer client = co_await dial(sim.engine(), "127.0.0.1:80");
      co_await client.send("GET /x HTTP/1.1\r\nHost: api\r\n\r\n");
      (void)co_await sleep_for(10ms);
      client.reset();
    }
    (void)co_await sleep_for(100ms);
    const Duration began = sim.elapsed();
    EXPECT_EQ(co_await status(), "200");
    EXPECT_EQ(sim.elapsed(), began);
  });
  EXPECT_EQ(grants, 1);
}

TEST_F(CredentialsGatewayTest, WithoutATokenTheServiceIsNotAsked) {
  granting = false;
  run(config(oauth2, ", breaker: { failures: 2, scope: service }"), [this](SimGateway&) -> Task<> {
    for (int i = 0; i < 5; ++i) {
      std::string answer;
      co_await ask(answer);
      EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 502"));
      EXPECT_THAT(answer, HasSubstr("the token's server did not answer 200"));
    }
    EXPECT_EQ(grants, 1) << "it is left alone for a second";
    EXPECT_EQ(calls, 0);
    granting = true;
    (void)co_await sleep_for(1s);
    EXPECT_EQ(co_await status(), "200") << "and the service's breaker has nothing to do with it";
  });
}

TEST_F(CredentialsGatewayTest, ATokenThatIsNotTakenIsReplacedOnce) {
  run(config(oauth2), [this](SimGateway&) -> Task<> {
    EXPECT_EQ(co_await status(), "200");
    accepts = "Bearer t2\r\n";
    EXPECT_EQ(co_await status(), "200") << "asked again with the new one";
    EXPECT_EQ(calls, 3);
    accepts = "Bearer nothing";
    EXPECT_EQ(co_await status(), "401");
    EXPECT_EQ(calls, 5) << "twice, not for ever";
  });
}

TEST_F(CredentialsGatewayTest, OneTokenForAllWorkersAndOverReloads) {
  Loaded first = load_text(config(oauth2)), second = load_text(config(oauth2, "", "127.0.0.1:81"));
  sim.run([&]() -> Task<> {
    Context& context = co_await current_context();
    const auto nothing = [](const Request*, const Record&) {};
    SimGateway a(context, sim.engine(), names, nothing, &shares);
    SimGateway b(context, sim.engine(), names, nothing, &shares);
    co_await a.use(first.model);
    co_await b.use(second.model);
    std::string answers[2];
    Nursery clients(context);
    clients.start([&] { return ask(answers[0]); });
    clients.start([&] { return ask(answers[1], "", "127.0.0.1:81"); });
    co_await clients.join();
    co_await a.use(load_text(config(oauth2, ", timeout: { request: 9s }")).model);
    EXPECT_EQ(co_await status(), "200");
    EXPECT_EQ(grants, 1);
    co_await a.stop();
    co_await b.stop();
  });
}

}  // namespace
}  // namespace banyan
