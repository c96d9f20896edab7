// Router, Split, Redirect and Answer as services: what a client gets, byte for byte, and what is
// remembered of the exchange.
#include "patterns/routing/router.h"

#include <set>

#include "patterns/routing/answer.h"
#include "patterns/routing/redirect.h"
#include "patterns/routing/routes.h"
#include "patterns/routing/split.h"
#include "sim/service_handler.h"

namespace banyan {
namespace {

// Answers with its name and what it was asked.
class Told final : public Service {
 public:
  explicit Told(std::string name) : name_(std::move(name)) {}
  Task<Reply> call(Request& request) override {
    std::string text = name_ + " " + std::string(request.target.forward);
    for (const Capture& c : request.captures)
      text += " " + std::string(c.name) + "=" + std::string(c.value);
    co_return make_response(request, 200, "text/plain", std::move(text));
  }

 private:
  const std::string name_;
};

class RouterTest : public testing::Test {
 protected:
  // Status, fields but Content-Type, and content of the answer: "200 | allow: GET | text".
  std::string ask(Service& service, std::string_view line, const PathRules& rules = {}) {
    Asked asked(line, rules);
    CHECK(!asked.refused());
    const std::string out =
        sim.run([&]() -> Task<std::string> { return answer(service, asked.request()); });
    route = asked.record().route;
    route_index = asked.record().route_index;
    return out;
  }
  static Task<std::string> answer(Service& service, Request& request) {
    Reply reply = co_await service.call(request);
    if (!reply) co_return "error " + std::to_string(status_of(reply.error()));
    std::string out = std::to_string(reply->status);
    for (const Field& f : *reply->headers)
      if (f.id != Name::content_type)
        out += " | " + std::string(f.name) + ": " + std::string(f.value);
    while (reply->body != nullptr && !reply->body->ended()) {
      const auto piece = co_await reply->body->read();
      CHECK(piece.has_value());
      out += " | " + std::string(*piece);
    }
    co_return out;
  }

  static std::shared_ptr<Router> router(const std::string& text) {
    Routes routes(text);
    EXPECT_TRUE(routes.good()) << routes.told();
    std::vector<ServicePtr> services;
    for (size_t i = 0; i < routes.table().size(); ++i)
      services.push_back(std::make_shared<Told>("service-" + std::to_string(i)));
    return std::make_shared<Router>(routes.take(), std::move(services));
  }

  Sim sim;
  std::string_view route;
  uint32_t route_index = 0;
};

const std::string shop =
    "- { name: items, match: { path: '/items/{id}', methods: [GET, PURGE] }, rewrite: "
    "'/v2/{id}?full' }\n"
    "- { match: { host: shop.example, path: '/cart/{r...}' } }\n"
    "- { match: { path: '/items/{id}', methods: PUT } }\n";

TEST_F(RouterTest, GivesARequestToTheServiceOfItsRoute) {
  const auto service = router(shop);
  EXPECT_EQ(ask(*service, "GET h/items/4?x=1"), "200 | service-0 /v2/4?full id=4");
  EXPECT_EQ(route, "items");
  EXPECT_EQ(route_index, 1u);
  EXPECT_EQ(ask(*service, "PUT h/items/4?x=1"), "200 | service-2 /items/4?x=1 id=4");
  EXPECT_EQ(route, "PUT /items/{id}");
  EXPECT_EQ(route_index, 3u);
  EXPECT_EQ(ask(*service, "GET shop.example/cart/a/b"), "200 | service-1 /cart/a/b r=a/b");
  EXPECT_EQ(route, "shop.example/cart/{r...}");
}

TEST_F(RouterTest, AnswersWhatHasNoRoute) {
  const auto service = router(shop);
  EXPECT_EQ(ask(*service, "GET h/other"),
            R"(404 | {"title":"Not Found","status":404,)"
            R"("detail":"no route is for this host and path","side":"client"})"
            "\n");
  EXPECT_EQ(route, "");
  EXPECT_EQ(route_index, 0u);
  EXPECT_EQ(ask(*service, "DELETE h/items/4"),
            R"(405 | allow: GET, PUT, PURGE | {"title":"Method Not Allowed","status":405,)"
            R"("detail":"no route here is for this method; see Allow","side":"client"})"
            "\n");
  EXPECT_EQ(route, "");
}

TEST_F(RouterTest, TheServerItselfIsAskedWithAnAsterisk) {
  const auto service = router("- { name: all }");
  EXPECT_EQ(ask(*service, "OPTIONS *"), "204");
  EXPECT_EQ(route, "");
}

TEST_F(RouterTest, ThereAreNoTunnels) {
  const auto service = router("- { name: all }");
  EXPECT_EQ(ask(*service, "CONNECT shop.example:443").substr(0, 3), "501");
  EXPECT_EQ(route, "");
}

TEST_F(RouterTest, ARewriteWithoutASafeFormIsTheClientsFault) {
  const auto service =
      router("- { name: dots, match: { path_regex: '/(?P<a>.)(?P<b>.)x' }, rewrite: '/{a}{b}' }");
  EXPECT_EQ(ask(*service, "GET h/..x"), "error 400");
  EXPECT_EQ(route, "dots");
  EXPECT_EQ(ask(*service, "GET h/a.x"), "200 | service-0 /a. a=a b=.");
}

TEST_F(RouterTest, ManyRoutersInOne) {
  // A router is a service: routes may lead to another one, which sees the rewritten path.
  auto inner = router("- { name: inner, match: { path: '/v2/{id}' } }");
  Routes outer("- { name: outer, match: { path: '/x/{r...}' }, rewrite: '/v2/{r}' }");
  Router service(outer.take(), {inner});
  EXPECT_EQ(ask(service, "GET h/x/7"), "200 | service-0 /v2/7 id=7");
  EXPECT_EQ(route, "inner");
}

TEST_F(RouterTest, ASplitGivesToTheVersionOfTheUser) {
  SplitSettings settings{.to = {{"old", {}, 50}, {"new", {}, 50}}, .cohort = "header:x-user"};
  Problems problems;
  const auto rule = SplitRule::compile(settings, problems);
  Split split(*rule, {std::make_shared<Told>("old"), std::make_shared<Told>("new")}, sim.loop());
  std::set<std::string> seen;
  for (int user = 0; user < 20; ++user) {
    const std::string line = "GET h/x | x-user: " + std::to_string(user);
    const std::string first = ask(split, line);
    for (int again = 0; again < 3; ++again) EXPECT_EQ(ask(split, line), first);
    seen.insert(first);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"200 | new /x", "200 | old /x"}));
}

TEST_F(RouterTest, ARedirectHasALocationAndNoContent) {
  Problems problems;
  Redirect redirect(
      *RedirectRule::compile({.to = "/new", .status = 308}, std::nullopt, {}, problems));
  EXPECT_EQ(ask(redirect, "POST h/old?a=1"), "308 | location: /new?a=1");
}

TEST_F(RouterTest, AnAnswerIsTheSameForAll) {
  Problems problems;
  const auto teapot = Answer::make({.status = 418, .body = "short and stout\n"}, {}, problems);
  EXPECT_EQ(ask(*teapot, "GET h/"), "418 | short and stout\n");
  EXPECT_EQ(ask(*teapot, "BREW h/x"), "418 | short and stout\n");
  const auto empty = Answer::make({.status = 204}, {}, problems);
  EXPECT_EQ(ask(*empty, "GET h/"), "204");
  EXPECT_EQ(problems.text(), "");
}

TEST_F(RouterTest, AnAnswerHasItsContentType) {
  Problems problems;
  for (const auto& [given, sent] :
       {std::pair<std::string, std::string_view>{"", "text/plain; charset=utf-8"},
        {"application/json", "application/json"}}) {
    const auto service = Answer::make({.body = "1", .content_type = given}, {}, problems);
    Asked asked("GET h/");
    sim.run([&]() -> Task<> {
      const Reply reply = co_await service->call(asked.request());
      EXPECT_EQ(reply->headers->get(Name::content_type), sent);
      EXPECT_EQ(reply->body->length(), 1u);
    });
  }
}

TEST_F(RouterTest, WhatIsNoAnswer) {
  for (const auto& [settings, fault] : std::vector<std::pair<RespondSettings, std::string>>{
           {{.status = 100}, "100 is no final status"},
           {{.status = 600}, "600 is no final status"},
           {{.status = 204, .body = "x"}, "204 has no content, so `body` cannot be sent"},
           {{.status = 304, .body = "x"}, "304 has no content, so `body` cannot be sent"},
           {{.content_type = "a\r\nb: c"}, "content_type has a control byte"}}) {
    Problems problems;
    EXPECT_EQ(Answer::make(settings, {}, problems), nullptr);
    EXPECT_EQ(problems.text(), "configuration: respond: " + fault + "\n");
  }
}

// Over a connection, as clients see it.
class RouterOnTheWire : public RouterTest {
 protected:
  template <class Script>
  void run(ServicePtr service, Script script) {
    sim.run([&]() -> Task<> { return scene(service, script); });
  }
  template <class Script>
  Task<> scene(ServicePtr& service, Script& script) {
    Nursery serving(co_await current_context());
    auto handler = std::make_shared<ServiceHandler>(service);
    FixedSource source(handler);
    auto listener = sim.engine().listen(*parse_address("10.0.0.1:80"), {});
    CHECK(listener.has_value());
    serving.start(
        [&, l = std::move(*listener)]() mutable { return serve_http(std::move(l), source); });
    {
      Peer client = co_await dial(sim.engine(), "10.0.0.1:80");
      co_await script(client);
    }
    serving.cancel();
    co_await serving.join();
  }
  const std::string date = "date: " + std::string(FixedSource::date) + "\r\n";
};

TEST_F(RouterOnTheWire, RequestsOneAfterTheOther) {
  run(router(shop), [&](Peer& client) -> Task<> {
    co_await client.send(
        "GET http://SHOP.example:80/a/../cart/%7Ex HTTP/1.1\r\nhost: SHOP.example:80\r\n\r\n");
    co_await client.expect("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n" + date +
                           "content-length: 23\r\n\r\nservice-1 /cart/~x r=~x");
    co_await client.send("GET /items/%2e%2e/items/7?a HTTP/1.1\r\nhost: x\r\n\r\n");
    co_await client.expect("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n" + date +
                           "content-length: 25\r\n\r\nservice-0 /v2/7?full id=7");
  });
}

TEST_F(RouterOnTheWire, HeadOfAnAnswerHasNoContent) {
  Problems problems;
  run(Answer::make({.status = 403, .body = "closed\n"}, {}, problems), [&](Peer& client) -> Task<> {
    co_await client.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
    co_await client.expect("HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain; charset=utf-8\r\n" +
                           date + "content-length: 7\r\n\r\n");
  });
}

}  // namespace
}  // namespace banyan
