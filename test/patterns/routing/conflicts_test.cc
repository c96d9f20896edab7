// What is told about routes taken together: word for word, with places.
#include "patterns/routing/conflicts.h"

#include <fmt/format.h>

#include "patterns/routing/routes.h"

namespace banyan {
namespace {

std::string told(const std::string& text) { return Routes(text).told(); }

std::string equal(std::string_view at, std::string_view name, std::string_view first) {
  return fmt::format(
      "f.yaml:{}: match: equal to route '{}' (f.yaml:{}): a request that fits one fits both; "
      "change "
      "or remove one of them\n",
      at, name, first);
}
std::string never(std::string_view at, std::string_view why) {
  return fmt::format("f.yaml:{}: warning: match: this route can never match: {}\n", at, why);
}
std::string shadowed(std::string_view at, std::string_view name, std::string_view by) {
  return never(
      at,
      fmt::format("route '{}' (f.yaml:{}) takes every such request, and is asked first", name, by));
}
std::string covered(std::string_view at, std::string_view name, std::string_view by) {
  return never(at, fmt::format("route '{}' (f.yaml:{}) takes every such path, and is more specific",
                               name, by));
}
std::string tie(std::string_view at, std::string_view name, std::string_view first) {
  return fmt::format(
      "f.yaml:{}: warning: match: as specific as route '{}' (f.yaml:{}); a request that fits both "
      "goes to that one, which comes first\n",
      at, name, first);
}

TEST(Conflicts, EqualRoutesAreAnErrorWithBothPlaces) {
  const Routes routes("- { match: { path: /x } }\n\n- match:\n    path: /x\n");
  EXPECT_FALSE(routes.good());
  EXPECT_EQ(routes.told(), equal("3:3", "/x", "1:3"));
}

TEST(Conflicts, WhatIsEqual) {
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {"{}", "{}"},
           {"{}", "{ path: '/{rest...}' }"},
           {"{ path: '/{a}' }", "{ path: '/{b}' }"},
           {"{ path: '/v{a}.x' }", "{ path: '/v{b}.x' }"},
           {"{ path: '/x/{a...}' }", "{ path: '/x/{b...}' }"},
           {"{ path: '/%7Ex' }", "{ path: '/~x' }"},
           {"{ path: '/a%2fb' }", "{ path: '/a%2Fb' }"},
           {"{ host: A.example }", "{ host: a.example. }"},
           {"{ host: [a.example, b.example] }", "{ host: [c.example, b.example] }"},
           {"{ host: '*.example' }", "{ host: '*.EXAMPLE' }"},
           {"{ methods: [GET, PUT] }", "{ methods: [PUT, POST] }"},
           {"{ methods: PURGE }", "{ methods: [PURGE, GET] }"},
           {"{ path_regex: '/a+' }", "{ path_regex: '/a+' }"},
           {"{ headers: { A: '1', b: { prefix: x } } }",
            "{ headers: { b: { prefix: x }, a: '1' } }"},
           {"{ headers: { a: '1' } }", "{ headers: { a: { exact: '1', present: true } } }"},
           {"{ headers: { a: { present: false } } }", "{ headers: { A: { present: false } } }"},
           {"{ query: { a: { regex: 'x+' } } }", "{ query: { a: { regex: 'x+' } } }"},
           {"{ cookies: { a: { present: true } } }", "{ cookies: { a: { present: true } } }"},
           {"{ client_ip: [10.0.0.0/8, fd00::/8] }", "{ client_ip: [fd00::/8, 10.0.0.0/8] }"}}) {
    const Routes routes("- { name: a, match: " + first + " }\n- { name: b, match: " + second +
                        " }");
    EXPECT_FALSE(routes.good()) << first << " " << second;
    EXPECT_EQ(routes.told(), equal("2:3", "a", "1:3")) << first << " " << second;
  }
}

TEST(Conflicts, WhatIsNot) {
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {"{ path: /x }", "{ path: /x/ }"},
           {"{ path: /x }", "{ path: /X }"},
           {"{ path: /x }", "{ path: '/x/{rest...}' }"},
           {"{ path: '/{a}' }", "{ path: '/v{a}' }"},
           {"{ path: '/{a}.x' }", "{ path: '/{a}.y' }"},
           {"{ path: /a%2Fb }", "{ path: /a/b }"},
           {"{ host: a.example }", "{ host: '*.example' }"},
           {"{ host: example }", "{ host: '*.example' }"},
           {"{ host: a.example }", "{}"},
           {"{ methods: GET }", "{ methods: HEAD }"},
           {"{ methods: GET }", "{}"},
           {"{ methods: get }", "{ methods: PURGE }"},
           {"{ headers: { a: '1' } }", "{ query: { a: '2' } }"},
           {"{ headers: { a: '1' } }", "{ headers: { a: '2' } }"},
           {"{ headers: { a: '1' } }", "{ headers: { a: { prefix: '1' } } }"},
           {"{ query: { a: '1' } }", "{ query: { A: '1' } }"},
           {"{ cookies: { a: { present: true } } }", "{ cookies: { a: { present: false } } }"},
           {"{ path_regex: '/a' }", "{ path_regex: '/a+' }"},
           {"{ client_ip: 10.0.0.0/8 }", "{ client_ip: 11.0.0.0/8 }"}}) {
    const Routes routes("- { name: a, match: " + first + " }\n- { name: b, match: " + second +
                        " }");
    EXPECT_TRUE(routes.good()) << routes.told();
    EXPECT_EQ(routes.told().find("equal"), std::string::npos) << routes.told();
  }
}

TEST(Conflicts, AllEqualPairsAreToldOnce) {
  EXPECT_EQ(told("- { name: a, match: { host: [x, y], path: /p } }\n"
                 "- { name: b, match: { host: [y, x], path: /p } }\n"
                 "- { name: c, match: { path: /q } }\n"
                 "- { name: d, match: { path: /q } }\n"),
            equal("2:3", "a", "1:3") + equal("4:3", "c", "3:3"));
}

TEST(Conflicts, ARouteThatAnotherOfItsPlaceTakesAllOf) {
  EXPECT_EQ(told("- { name: any, match: { path: /x, methods: GET } }\n"
                 "- { name: one, match: { path: /x, methods: GET, headers: { a: '1' } } }\n"),
            "");  // the one with a condition is asked first
  EXPECT_EQ(told("- { name: wide, match: { headers: { a: { prefix: x } }, methods: GET } }\n"
                 "- { name: same, match: { headers: { a: { prefix: xy } }, methods: GET } }\n"),
            shadowed("2:3", "wide", "1:3"));
  EXPECT_EQ(told("- { name: nets, match: { client_ip: 10.0.0.0/8 } }\n"
                 "- { name: near, match: { client_ip: 10.1.0.0/16 } }\n"),
            shadowed("2:3", "nets", "1:3"));
  // Asked first because it says more, and yet it says nothing that the other does not.
  EXPECT_EQ(told("- { name: b, match: { headers: { v: { regex: '[0-9]' } } } }\n"
                 "- { name: a, match: { headers: { v: { exact: '7', present: true } } } }\n"),
            "");
}

TEST(Conflicts, ARouteOfSeveralHostsIsTakenWhenItIsTakenInAll) {
  const std::string nets = "client_ip: 10.0.0.0/8", near = "client_ip: 10.1.0.0/16";
  EXPECT_EQ(told("- { name: a, match: { host: x, " + nets + " } }\n" +
                 "- { name: b, match: { host: [x, y], " + near + " } }\n"),
            "");
  EXPECT_EQ(told("- { name: a, match: { host: [y, x], " + nets + " } }\n" +
                 "- { name: b, match: { host: [x, y], " + near + " } }\n"),
            shadowed("2:3", "a", "1:3"));
}

TEST(Conflicts, ARegexBelowARestNeverMatches) {
  EXPECT_EQ(told("- { name: regex, match: { path_regex: '/api/v[0-9]+/.*' } }\n"
                 "- { name: rest, match: { path: '/api/{rest...}' } }\n"),
            covered("1:3", "rest", "2:3"));
  EXPECT_EQ(
      told("- { name: regex, match: { host: [a, b], path_regex: '^/api/.*', methods: GET } }\n"
           "- { name: rest, match: { host: [b, a, c], path: '/api/{rest...}' } }\n"),
      covered("1:3", "rest", "2:3"));
}

TEST(Conflicts, ARegexThatTheRestLeavesSomethingIsLeftAlone) {
  const std::string regex = "- { match: { path_regex: '/api/v[0-9]+/.*' } }\n";
  for (const std::string& other :
       {"{ path: '/{rest...}' }", "{ path: '/api/v1/{rest...}' }", "{ path: '/web/{rest...}' }",
        "{ path: '/{x}/{rest...}' }", "{ path: '/api/{rest...}', methods: GET }",
        "{ path: '/api/{rest...}', headers: { a: '1' } }", "{ host: a, path: '/api/{rest...}' }"})
    EXPECT_EQ(told(regex + "- { match: " + other + " }\n"), "") << other;
  EXPECT_EQ(told("- { match: { path_regex: '/(api|web)/.*' } }\n"
                 "- { match: { path: '/api/{rest...}' } }\n"),
            "");
  EXPECT_EQ(told("- { match: { host: [a, b], path_regex: '/api/x.*' } }\n"
                 "- { match: { host: a, path: '/api/{rest...}' } }\n"),
            "");
}

TEST(Conflicts, ARegexThatNoPathBeginsLike) {
  EXPECT_EQ(told("- { match: { path_regex: 'api/.*' } }"),
            never("1:3", "a path begins with '/', and path_regex is for the whole path"));
}

TEST(Conflicts, ConditionsThatNeverHold) {
  for (const auto& [match, why] : std::vector<std::pair<std::string, std::string>>{
           {"headers: { a: { exact: xy, prefix: y } }",
            "header a is 'xy' and begins with 'y': the exact value does not begin with the prefix"},
           {"headers: { a: { exact: xy, regex: '[0-9]+' } }",
            "header a is 'xy' and matches '[0-9]+': the exact value does not match the regex"},
           {"headers: { a: { exact: x, present: false } }",
            "header a is absent: it must be absent and have a value"},
           {"headers: { a: ' x' }",
            "header a is ' x': no field has a value with control bytes, or blanks at its ends"},
           {"headers: { a: \"x\\ny\" }",
            "header a is 'x\\x0ay': no field has a value with control bytes, or blanks at its "
            "ends"},
           {"headers: { a: x, A: { present: false } }",
            "header a is 'x' and header a is absent never hold together"}})
    EXPECT_EQ(told("- { match: { " + match + " } }"), never("1:3", why)) << match;
  // A header may come twice.
  EXPECT_EQ(told("- { match: { headers: { a: x, A: y } } }"), "");
}

TEST(Conflicts, ConnectIsNotRouted) {
  EXPECT_EQ(told("- { match: { methods: CONNECT } }"),
            never("1:3", "CONNECT asks for a tunnel, which no route gives"));
  EXPECT_EQ(told("- { match: { methods: [CONNECT, GET] } }"), "");
}

TEST(Conflicts, TiesAreDecidedByTheFileAndTold) {
  EXPECT_EQ(told("- { name: a, match: { headers: { x: '1' } } }\n"
                 "- { name: b, match: { cookies: { y: '1' } } }\n"),
            tie("2:3", "a", "1:3"));
  const Routes routes(
      "- { name: a, match: { headers: { x: '1' } } }\n"
      "- { name: b, match: { cookies: { y: '1' } } }\n");
  EXPECT_EQ(routes.find("GET h/ | x: 1 | cookie: y=1"), "a");
}

TEST(Conflicts, AlternativesAreNoTie) {
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {"headers: { x: '1' }", "headers: { x: '2' }"},
           {"headers: { x: { prefix: a } }", "headers: { x: { prefix: b } }"},
           {"headers: { x: { regex: 'a+' } }", "headers: { x: { regex: 'b+' } }"},
           {"cookies: { x: { present: true } }", "cookies: { x: { present: false } }"},
           {"client_ip: 10.1.0.0/16", "client_ip: 10.2.0.0/16"},
           {"methods: GET, headers: { x: '1' }", "methods: PUT, headers: { y: '1' }"}})
    EXPECT_EQ(told("- { match: { " + first + " } }\n- { match: { " + second + " } }\n"), "")
        << first;
}

TEST(Conflicts, ManyRoutesOfOnePlaceAreStillComparedForEquality) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += fmt::format("- {{ name: v{0}, match: {{ headers: {{ v: '{0}' }} }} }}\n", i);
  EXPECT_EQ(told(text + "- { name: again, match: { headers: { V: '500' } } }\n"),
            equal("1001:3", "v500", "501:3"));
}

TEST(Conflicts, AnErrorElsewhereDoesNotHideThem) {
  EXPECT_EQ(told("- { name: a, match: { path: /x } }\n"
                 "- { name: b, match: { path: x } }\n"
                 "- { name: c, match: { path: /x } }\n"),
            "f.yaml:2:3: match.path: 'x': a path begins with '/'\n" + equal("3:3", "a", "1:3"));
}

}  // namespace
}  // namespace banyan
