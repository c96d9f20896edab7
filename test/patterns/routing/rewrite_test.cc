// What is made of captures: paths for the next hop, and Location. A client that chooses its path
// must not choose what the text around a capture means.
#include "patterns/routing/rewrite.h"

#include <fmt/format.h>

#include "patterns/routing/redirect.h"
#include "patterns/routing/routes.h"

namespace banyan {
namespace {

struct Row {
  std::string_view match, rewrite, target, result;
};

Routes one_route(std::string_view match, std::string_view rewrite) {
  return Routes(fmt::format("- {{ match: {{ {} }}, rewrite: '{}' }}", match, rewrite));
}

void expect_rows(std::span<const Row> rows, const PathRules& rules = {}) {
  for (const auto& [match, rewrite, target, result] : rows) {
    const Routes routes = one_route(match, rewrite);
    ASSERT_TRUE(routes.good()) << routes.told();
    EXPECT_EQ(routes.rewritten("GET h" + std::string(target), rules), result)
        << match << " " << rewrite << " " << target;
  }
}

TEST(Rewrite, FillsInCaptures) {
  constexpr Row rows[] = {
      {"path: '/catalog/{rest...}'", "/{rest}", "/catalog/a/b?x=1&y", "/a/b?x=1&y"},
      {"path: '/catalog/{rest...}'", "/{rest}", "/catalog", "/"},
      {"path: '/catalog/{rest...}'", "/{rest}", "/catalog/", "/"},
      {"path: '/catalog/{rest...}'", "/v2/{rest}", "/catalog/a/", "/v2/a/"},
      {"path: '/catalog/{rest...}'", "/v2/{rest}/end", "/catalog", "/v2/end"},
      {"path: '/{a}/{b}'", "/{b}/{a}/{b}", "/x/y", "/y/x/y"},
      {"path: '/{a}.json'", "/json-{a}", "/x.json", "/json-x"},
      {"path: '/{a}'", "/fixed", "/x?q", "/fixed?q"},
      {"path: '/{a}'", "/caf%c3%a9/%7E{a}", "/x", "/caf%C3%A9/~x"},
      {"path_regex: '/(?P<y>[0-9]+)(-(?P<m>[0-9]+))?'", "/{y}/{m}/all", "/2026", "/2026/all"},
      {"path_regex: '/(?P<y>[0-9]+)(-(?P<m>[0-9]+))?'", "/{y}/{m}/all", "/2026-11", "/2026/11/all"},
  };
  expect_rows(rows);
}

TEST(Rewrite, TheQueryIsReplacedWhenTheTemplateHasOne) {
  constexpr Row rows[] = {
      {"path: '/{a}'", "/x?id={a}", "/7?old=1", "/x?id=7"},
      {"path: '/{a}'", "/x?", "/7?old=1", "/x"},
      {"path: '/{a}'", "/{a}", "/7?", "/7?"},
      {"path: '/{a}'", "/x?{a}={a}&k=%20", "/7", "/x?7=7&k=%20"},
      {"path: '/{a}/{r...}'", "/x?p={r}", "/7/a/b", "/x?p=a/b"},
  };
  expect_rows(rows);
}

TEST(Rewrite, AValueAddsNoParameter) {
  constexpr Row rows[] = {
      {"path: '/{a}'", "/x?id={a}&role=user", "/7&role=admin", "/x?id=7%26role%3Dadmin&role=user"},
      {"path: '/{a}'", "/x?id={a}", "/a;b+c", "/x?id=a%3Bb%2Bc"},
      {"path: '/{a}'", "/x?id={a}", "/a%26b%2Fc%23d", "/x?id=a%26b%2Fc%23d"},
      {"path: '/{a}'", "/x?id={a}", "/a%3Fb", "/x?id=a%3Fb"},
      {"path_regex: '/(?P<a>.*).'", "/x?id={a}", "/b%20", "/x?id=b%252"},
  };
  expect_rows(rows);
}

TEST(Rewrite, AValueMakesNoOtherPath) {
  constexpr Row rows[] = {
      {"path: '/x/{r...}'", "/pub/{r}", "/x/%2e%2e/secret", "404"},  // normal before it is matched
      {"path: '/x/{r...}'", "/pub/{r}", "/x/..%2Fsecret", "/pub/..%2Fsecret"},
      {"path: '/x/{r...}'", "/pub/{r}", "/x/a%5c..%5csecret", "/pub/a%5C..%5Csecret"},
      {"path: '/x/{r...}'", "/pub/{r}", "/x/a?/../secret", "/pub/a?/../secret"},
      {"path_regex: '/x(?P<a>\\.?)/?(?P<b>.*)'", "/pub/.{a}/secret", "/x.", "400"},
      {"path_regex: '/x(?P<a>\\.?)/?(?P<b>.*)'", "/pub/.{a}y/secret", "/x.", "/pub/..y/secret"},
      {"path_regex: '/(?P<a>.)(?P<b>.)'", "/pub/{a}{b}/secret", "/a.", "/pub/a./secret"},
      {"path_regex: '/x(?P<a>.)(?P<b>.)'", "/pub/{a}{b}/secret", "/x..", "400"},
      {"path_regex: '/(?P<a>.*)[0-9A-F]'", "/pub/{a}", "/%2F", "400"},
      {"path_regex: '/(?P<a>.*)(?P<b>..)'", "/pub/{a}41", "/%2F", "400"},
  };
  expect_rows(rows);
}

TEST(Rewrite, NoPathBeginsWithTwoSlashes) {
  constexpr Row rows[] = {
      {"path: '/x/{r...}'", "/{r}", "/x//evil.example/a", "/evil.example/a"},
      {"path: '/x/{r...}'", "/{r}", "/x////evil.example", "/evil.example"},
      {"path: '/{r...}'", "/{r}", "//evil.example", "/evil.example"},
      {"path: '/x/{r...}'", "/a/{r}", "/x//b//c", "/a/b//c"},
      {"path_regex: '/x(?P<r>.*)'", "/{r}", "/x//evil.example", "/evil.example"},
      {"path_regex: '(?P<r>.*)'", "/a{r}", "//x", "/a//x"},
  };
  expect_rows(rows, {.merge_slashes = false});
}

TEST(Rewrite, WhatIsNone) {
  for (const auto& [match, rewrite, fault] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"path: '/{id}'", "x", "a path begins with '/'"},
           {"path: '/{id}'", "/{idd}", "the match has no capture 'idd'; did you mean 'id'?"},
           {"path: '/{id}/{page}'", "/{other}",
            "the match has no capture 'other'; it has: id, page"},
           {"path: /x", "/{id}", "the match has no capture 'id'; it has none"},
           {"path: '/{r...}'", "/{r...}", "write {r}: only a match says {r...}"},
           {"path: '/{id}'", "//{id}", "it has an empty or a dot segment; write '/{id}'"},
           {"path: '/{id}'", "/a/../{id}", "it has an empty or a dot segment; write '/{id}'"},
           {"path: '/{id}'", "/a/{id}//", "it has an empty or a dot segment; write '/a/{id}/'"},
           {"path: '/{id}'", "/%{id}", "the path has a '%' that begins no escape"},
           {"path: '/{id}'", "/{id}?a=%zz", "the query wants percent escapes"},
           {"path: '/{id}'", "/{id}?a b", "the query wants percent escapes"},
           {"path: '/{id}'", "/{id}?a#b", "the query wants percent escapes"},
           {"path: '/{id}'", "/{id}#top", "the target has a fragment"},
           {"path: '/{id}'", "/{id",
            "a brace has no partner; a brace that is meant is %7B or %7D"}})
    EXPECT_EQ(one_route(match, rewrite).told(),
              "f.yaml:1:3: rewrite: '" + rewrite + "': " + fault + "\n");
}

// The Location that `to` gives for a request, or the status of the refusal.
std::string location(std::string_view match, const std::string& to, std::string_view line,
                     const PathRules& rules = {}) {
  const Routes routes(fmt::format("- {{ match: {{ {} }} }}", match));
  Problems problems;
  const auto captures = capture_names(routes.settings().at(0).match);
  const auto rule = RedirectRule::compile({.to = to}, captures, {}, problems);
  if (!rule) return problems.text();
  Asked asked(line, rules);
  if (asked.refused()) return "refused";
  Request& request = asked.request();
  const auto found = routes.table().find(request);
  if (!found) return "404";
  request.captures = found.captures;
  const auto value = rule->location(request);
  return value ? std::string(*value) : std::to_string(value.error().status);
}

TEST(Redirect, GoesWhereTheConfigurationSays) {
  const std::string path = "path: '/old/{rest...}'";
  EXPECT_EQ(location(path, "/new/{rest}", "GET h/old/a/b?x=1"), "/new/a/b?x=1");
  EXPECT_EQ(location(path, "/new/{rest}", "GET h/old?"), "/new/");
  EXPECT_EQ(location(path, "/new?from={rest}", "GET h/old/a&b?x=1"), "/new?from=a%26b");
  EXPECT_EQ(location(path, "https://new.example/{rest}", "GET h/old/a?x"),
            "https://new.example/a?x");
  EXPECT_EQ(location(path, "https://new.example", "GET h/old/a"), "https://new.example/");
  EXPECT_EQ(location(path, "https://new.example?x", "GET h/old/a"), "https://new.example/?x");
  EXPECT_EQ(location(path, "HTTP://new.example:8080/x#top", "GET h/old/a"),
            "HTTP://new.example:8080/x#top");
  EXPECT_EQ(location(path, "https://[::1]:8443/{rest}", "GET h/old/a"), "https://[::1]:8443/a");
  EXPECT_EQ(location(path, "/x#a", "GET h/old/a?q"), "/x?q#a");
}

TEST(Redirect, AClientNeverChoosesTheHost) {
  const PathRules keep{.merge_slashes = false};
  const std::string path = "path: '/old/{rest...}'";
  EXPECT_EQ(location(path, "/{rest}", "GET h/old//evil.example/", keep), "/evil.example/");
  EXPECT_EQ(location("path: '/{rest...}'", "/{rest}", "GET h//evil.example", keep),
            "/evil.example");
  EXPECT_EQ(location(path, "/{rest}", "GET h/old/%2Fevil.example"), "/%2Fevil.example");
  EXPECT_EQ(location(path, "/{rest}", "GET h/old/%5Cevil.example"), "/%5Cevil.example");
  EXPECT_EQ(location(path, "/{rest}", "GET h/old/\\evil.example"), "refused");
  EXPECT_EQ(location(path, "https://new.example/{rest}", "GET h/old/@evil.example"),
            "https://new.example/@evil.example");
}

TEST(Redirect, NothingOfARequestEndsTheField) {
  for (std::string_view target :
       {"/old/%0d%0aset-cookie:%20x", "/old/%00", "/old/%7f", "/old/\x7f"})
    EXPECT_EQ(location("path: '/old/{rest...}'", "/{rest}", "GET h" + std::string(target)),
              target.back() == '\x7f' ? "400" : "refused");
}

TEST(Redirect, WhatIsNone) {
  for (const auto& [to, fault] : std::vector<std::pair<std::string, std::string>>{
           {"", "wants a path (/...) or a URL (http://... or https://...)"},
           {"new.example/x", "wants a path (/...) or a URL (http://... or https://...)"},
           {"javascript:alert(1)", "wants a path (/...) or a URL (http://... or https://...)"},
           {"ftp://new.example/", "wants a path (/...) or a URL (http://... or https://...)"},
           {"//new.example/x", "it has an empty or a dot segment; write '/new.example/x'"},
           {"https://{rest}/x",
            "the host has a capture; a client would choose where others are sent"},
           {"https://new.example{rest}",
            "the host has a capture; a client would choose where others are sent"},
           {"https://", "the URL names no host"},
           {"https:///x", "the URL names no host"},
           {"https://user@new.example/", "the URL names no host"},
           {"https://new.example:99999/", "the URL names no host"},
           {"/x#{rest}", "the fragment wants plain text, with percent escapes"},
           {"/x#a b", "the fragment wants plain text, with percent escapes"},
           {"/{other}", "the match has no capture 'other'; it has: rest"}})
    EXPECT_EQ(location("path: '/old/{rest...}'", to, "GET h/old/x"),
              "configuration: redirect.to: '" + to + "': " + fault + "\n");
}

TEST(Redirect, StatusesAreThoseOfRedirects) {
  for (uint16_t status : {301, 302, 303, 307, 308}) {
    Problems problems;
    EXPECT_EQ(RedirectRule::compile({"/x", status}, std::nullopt, {}, problems)->status(), status);
  }
  for (uint16_t status : {200, 300, 304, 305, 306, 309, 404}) {
    Problems problems;
    EXPECT_FALSE(RedirectRule::compile({"/x", status}, std::nullopt, {}, problems));
    EXPECT_EQ(problems.text(),
              fmt::format("configuration: redirect.status: {} is none of 301, 302, "
                          "303, 307, 308\n",
                          status));
  }
}

TEST(Redirect, ASharedServiceLeavesOutWhatAMatchDoesNotCapture) {
  Problems problems;
  const auto rule = RedirectRule::compile({.to = "/new/{id}/{rest}"}, std::nullopt, {}, problems);
  ASSERT_TRUE(rule) << problems.text();
  Asked asked("GET h/x");
  const Capture captures[] = {{"rest", "a/b"}};
  asked.request().captures = captures;
  EXPECT_EQ(rule->location(asked.request()), "/new/a/b");
}

}  // namespace
}  // namespace banyan
