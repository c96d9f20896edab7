#include "patterns/routing/table.h"

#include "patterns/routing/routes.h"

namespace banyan {
namespace {

struct Row {
  std::string_view request;
  std::string_view answer;
};

// The same answers whatever the order of the file.
void expect_in_any_order(std::vector<std::string> routes, const std::vector<Row>& rows) {
  std::sort(routes.begin(), routes.end());
  int orders = 0;
  do {
    std::string text;
    for (const std::string& route : routes) text += "- " + route + "\n";
    const Routes table(text);
    ASSERT_TRUE(table.good()) << table.told();
    for (const Row& row : rows) EXPECT_EQ(table.find(row.request), row.answer) << row.request;
  } while (++orders < 120 && std::next_permutation(routes.begin(), routes.end()));
}

TEST(RouteTable, ExactHostBeforeLongerWildcardBeforeShorterBeforeNone) {
  expect_in_any_order({"{ name: exact, match: { host: a.b.example } }",
                       "{ name: near, match: { host: '*.b.example' } }",
                       "{ name: far, match: { host: '*.example' } }",  //
                       "{ name: none }"},
                      {{"GET a.b.example/x", "exact"},
                       {"GET A.B.Example/x", "exact"},
                       {"GET a.b.example:8080/x", "exact"},
                       {"GET a.b.example./x", "exact"},
                       {"GET a.b.example.:80/x", "exact"},
                       {"GET c.b.example/x", "near"},
                       {"GET d.c.b.example/x", "near"},
                       {"GET b.example/x", "far"},
                       {"GET xb.example/x", "far"},
                       {"GET example/x", "none"},
                       {"GET /x", "none"},
                       {"GET b.example.evil/x", "none"},
                       {"GET a.b.example.evil/x", "none"},
                       {"GET .b.example/x", "far"},
                       {"GET .example/x", "none"}});
}

TEST(RouteTable, AddressesAreHosts) {
  expect_in_any_order({"{ name: four, match: { host: 10.0.0.1 } }",
                       "{ name: six, match: { host: '[fd00::A]' } }", "{ name: other }"},
                      {{"GET 10.0.0.1/", "four"},
                       {"GET 10.0.0.1:81/", "four"},
                       {"GET [fd00::a]/", "six"},
                       {"GET [FD00::A]:8443/", "six"},
                       {"GET [fd00::b]/", "other"},
                       {"GET 110.0.0.1/", "other"}});
}

TEST(RouteTable, SeveralHostsAreOneRoute) {
  const Routes table("- { name: shop, match: { host: [a.example, B.example., '*.c.example'] } }");
  EXPECT_EQ(table.find("GET a.example/"), "shop");
  EXPECT_EQ(table.find("GET b.example/"), "shop");
  EXPECT_EQ(table.find("GET x.c.example/"), "shop");
  EXPECT_EQ(table.find("GET c.example/"), "404");
}

TEST(RouteTable, LiteralBeforeAffixBeforeParameterBeforeRestBeforeRegexBeforeNoPath) {
  expect_in_any_order(
      {"{ name: literal, match: { path: /x/v1 } }", "{ name: affix, match: { path: '/x/v{n}' } }",
       "{ name: parameter, match: { path: '/x/{id}' } }",
       "{ name: rest, match: { path: '/x/{rest...}' } }",
       "{ name: regex, match: { path_regex: '/.[0-9]*(/.*)?' } }", "{ name: none }"},
      {{"GET h/x/v1", "literal"},
       {"GET h/x/v2", "affix n=2"},
       {"GET h/x/v", "parameter id=v"},
       {"GET h/x/w1", "parameter id=w1"},
       {"GET h/x/v1/a", "rest rest=v1/a"},
       {"GET h/x/", "rest rest="},
       {"GET h/x", "rest rest="},
       {"GET h/y1/v1", "regex"},
       {"GET h/yy/v1", "none"}});
}

TEST(RouteTable, ARestAloneSaysNoMoreThanNoPath) {
  // So a regex beside a catch-all still has its requests.
  expect_in_any_order({"{ name: all, match: { path: '/{rest...}' } }",
                       "{ name: regex, match: { path_regex: '/item-(?P<n>[0-9]+)' } }"},
                      {{"GET h/item-4", "regex n=4"},
                       {"GET h/item-x", "all rest=item-x"},
                       {"GET h/", "all rest="},
                       {"GET h/a/b", "all rest=a/b"}});
}

TEST(RouteTable, PathsAreComparedFromTheLeft) {
  expect_in_any_order(
      {"{ name: ab, match: { path: '/{a}/b' } }", "{ name: ax, match: { path: '/a/{x}' } }",
       "{ name: deep, match: { path: '/{a}/b/c' } }",
       "{ name: all, match: { path: '/a/{x...}' } }"},
      {{"GET h/a/b", "ax x=b"},
       {"GET h/c/b", "ab a=c"},
       {"GET h/a/b/c", "all x=b/c"},
       {"GET h/c/b/c", "deep a=c"},
       {"GET h/c/b/d", "404"}});
}

TEST(RouteTable, AffixesWithMoreTextAroundThemComeFirst) {
  expect_in_any_order(
      {"{ name: long, match: { path: '/file-{n}' } }", "{ name: short, match: { path: '/f{n}' } }",
       "{ name: both, match: { path: '/f{n}.json' } }",
       "{ name: end, match: { path: '/{n}.json' } }"},
      {{"GET h/file-1", "long n=1"},
       {"GET h/file-1.json", "long n=1.json"},
       {"GET h/fil.json", "both n=il"},
       {"GET h/f1", "short n=1"},
       {"GET h/x.json", "end n=x"},
       {"GET h/.json", "404"},
       {"GET h/f.json", "short n=.json"},
       {"GET h/f", "404"}});
}

TEST(RouteTable, AnEndBeforeARest) {
  expect_in_any_order(
      {"{ name: end, match: { path: /a } }", "{ name: slash, match: { path: /a/ } }",
       "{ name: rest, match: { path: '/a/{r...}' } }"},
      {{"GET h/a", "end"},
       {"GET h/a/", "slash"},
       {"GET h/a//", "slash"},
       {"GET h/a/b", "rest r=b"},
       {"GET h/a/b/", "rest r=b/"}});
}

TEST(RouteTable, ASlashAtTheEndIsAnotherPath) {
  const Routes table("- { name: a, match: { path: /a } }\n- { name: b, match: { path: /b/ } }");
  EXPECT_EQ(table.find("GET h/a"), "a");
  EXPECT_EQ(table.find("GET h/a/"), "404");
  EXPECT_EQ(table.find("GET h/b/"), "b");
  EXPECT_EQ(table.find("GET h/b"), "404");
}

TEST(RouteTable, MethodsBeforeNone) {
  expect_in_any_order(
      {"{ name: get, match: { path: /x, methods: [GET, HEAD] } }",
       "{ name: own, match: { path: /x, methods: PURGE } }", "{ name: any, match: { path: /x } }"},
      {{"GET h/x", "get"},
       {"HEAD h/x", "get"},
       {"PURGE h/x", "own"},
       {"POST h/x", "any"},
       {"get h/x", "any"},
       {"purge h/x", "any"}});
}

TEST(RouteTable, MethodsBeforeConditions) {
  expect_in_any_order({"{ name: method, match: { path: /x, methods: GET } }",
                       "{ name: three, match: { path: /x, headers: { a: '1' }, query: { b: '1' }, "
                       "cookies: { c: '1' } } }"},
                      {{"GET h/x?b=1 | a: 1 | cookie: c=1", "method"},
                       {"PUT h/x?b=1 | a: 1 | cookie: c=1", "three"},
                       {"PUT h/x?b=1 | a: 1", "405 GET"}});
}

TEST(RouteTable, MoreConditionsBeforeFewerThenExactPrefixRegexPresent) {
  expect_in_any_order(
      {"{ name: two, match: { headers: { b: { present: true }, c: { present: true } } } }",
       "{ name: exact, match: { headers: { a: one } } }",
       "{ name: prefix, match: { headers: { a: { prefix: o } } } }",
       "{ name: regex, match: { headers: { a: { regex: '[a-z]+' } } } }",
       "{ name: present, match: { headers: { a: { present: true } } } }"},
      {{"GET h/ | a: one", "exact"},
       {"GET h/ | a: on", "prefix"},
       {"GET h/ | a: two", "regex"},
       {"GET h/ | a: 2", "present"},
       {"GET h/ | b: 1 | c: 1", "two"},
       {"GET h/ | a: one | b: 1 | c: 1", "two"},
       {"GET h/ | b: 1", "404"}});
}

TEST(RouteTable, WhatDoesNotHoldLeavesTheRequestToTheNext) {
  expect_in_any_order(
      {"{ name: beta, match: { host: h, path: /x, headers: { beta: '1' } } }",
       "{ name: post, match: { host: h, path: '/{p}', methods: POST } }",
       "{ name: site, match: { host: h } }", "{ name: rest, match: { path: '/{r...}' } }"},
      {{"GET h/x | beta: 1", "beta"},
       {"POST h/x | beta: 1", "beta"},
       {"POST h/x", "post p=x"},
       {"GET h/x", "site"},
       {"GET i/x", "rest r=x"}});
}

TEST(RouteTable, ALessSpecificHostIsAskedWhenNothingOfTheHostFits) {
  expect_in_any_order({"{ name: exact, match: { host: a.example, path: /only } }",
                       "{ name: wild, match: { host: '*.example', path: '/w/{r...}' } }",
                       "{ name: none, match: { path: '/w/{a}' } }"},
                      {{"GET a.example/only", "exact"},
                       {"GET a.example/w/1", "wild r=1"},
                       {"GET b.test/w/1", "none a=1"},
                       {"GET b.test/w/1/2", "404"}});
}

TEST(RouteTable, TheMethodThatIsMissingIsTold) {
  const Routes table(
      "- { match: { path: /x, methods: [POST, GET] } }\n"
      "- { match: { path: '/{a}', methods: [DELETE, PURGE] } }\n"
      "- { match: { path: /x, methods: PUT, headers: { admin: '1' } } }\n"
      "- { match: { host: other, path: /x, methods: PATCH } }\n");
  EXPECT_EQ(table.find("OPTIONS h/x"), "405 GET, POST, DELETE, PURGE");
  EXPECT_EQ(table.find("OPTIONS h/x | admin: 1"), "405 GET, POST, PUT, DELETE, PURGE");
  EXPECT_EQ(table.find("GET h/y"), "405 DELETE, PURGE");
  EXPECT_EQ(table.find("OPTIONS other/x"), "405 GET, POST, DELETE, PATCH, PURGE");
  EXPECT_EQ(table.find("GET h/x/y"), "404");
  EXPECT_EQ(table.find("PATCH h/x"), "405 GET, POST, DELETE, PURGE");
}

TEST(RouteTable, AMissedMethodBehindAMissedConditionIsNoResource) {
  const Routes table("- { match: { path: /x, methods: POST, headers: { a: '1' } } }");
  EXPECT_EQ(table.find("GET h/x"), "404");
  EXPECT_EQ(table.find("GET h/x | a: 1"), "405 POST");
}

TEST(RouteTable, TheFormsWithoutAPathHaveNoRoute) {
  const Routes table("- { name: all }");
  EXPECT_EQ(table.find("OPTIONS *"), "404");
  EXPECT_EQ(table.find("CONNECT shop.example:443"), "404");
}

TEST(RouteTable, NormalPathsAreWhatIsCompared) {
  const Routes table(
      "- { name: user, match: { path: '/~{user}' } }\n"
      "- { name: cafe, match: { path: '/caf%c3%a9/{x}' } }\n"
      "- { name: umlaut, match: { path: '/stra\u00dfe' } }\n"
      "- { name: space, match: { path: '/a b' } }\n"
      "- { name: slash, match: { path: '/a%2fb' } }\n"
      "- { name: admin, match: { path: '/admin/{r...}' } }\n");
  ASSERT_TRUE(table.good()) << table.told();
  for (const Row& row :
       {Row{"GET h/%7Ebob", "user user=bob"}, Row{"GET h/caf%C3%A9/%41", "cafe x=A"},
        Row{"GET h/caf%c3%a9/a%2fb", "cafe x=a%2Fb"}, Row{"GET h/stra%c3%9fe", "umlaut"},
        Row{"GET h/a%20b", "space"}, Row{"GET h/a%2Fb", "slash"}, Row{"GET h/a/b", "404"},
        Row{"GET h/x/../admin/x", "admin r=x"}, Row{"GET h//admin//x", "admin r=x"},
        Row{"GET h/%61dmin/", "admin r="}, Row{"GET h/./admin/%2e/x", "admin r=x"},
        Row{"GET h/admin%2Fx", "404"}, Row{"GET h/ADMIN/x", "404"},
        Row{"GET h/admin/../../x", "refused"}, Row{"GET h/admin/%00", "refused"},
        Row{"GET h/admin\\x", "refused"}})
    EXPECT_EQ(table.find(row.request), row.answer) << row.request;
}

TEST(RouteTable, EmptySegmentsThatAListenerKeepsAreNoParameters) {
  const Routes table(
      "- { name: pair, match: { path: '/{a}/{b}' } }\n- { name: all, match: { path: "
      "'/x/{r...}' } }");
  const PathRules keep{.merge_slashes = false};
  EXPECT_EQ(table.find("GET h//b", keep), "404");
  EXPECT_EQ(table.find("GET h/a//", keep), "404");
  EXPECT_EQ(table.find("GET h/x//b", keep), "all r=/b");
  EXPECT_EQ(table.find("GET h/x//", keep), "all r=/");
  EXPECT_EQ(table.find("GET h/x//b"), "all r=b");
}

TEST(RouteTable, AnAffixNeverCutsAnEscape) {
  const Routes table(
      "- { name: f, match: { path: '/{n}F.json' } }\n- { name: all, match: { path: '/{x}' } }");
  EXPECT_EQ(table.find("GET h/aF.json"), "f n=a");
  EXPECT_EQ(table.find("GET h/a%2F.json"), "all x=a%2F.json");
  EXPECT_EQ(table.find("GET h/%2FF.json"), "f n=%2F");
}

TEST(RouteTable, NamesOfCapturesMayDifferInOnePlace) {
  const Routes table(
      "- { name: get, match: { path: '/u/{id}/x', methods: GET } }\n"
      "- { name: put, match: { path: '/u/{user}/x', methods: PUT } }");
  EXPECT_EQ(table.find("GET h/u/4/x"), "get id=4");
  EXPECT_EQ(table.find("PUT h/u/4/x"), "put user=4");
}

TEST(RouteTable, CapturesOfABranchThatFailedAreForgotten) {
  const Routes table(
      "- { name: one, match: { path: '/{a}/{b}/c' } }\n"
      "- { name: two, match: { path: '/x{y}/{r...}' } }\n"
      "- { name: three, match: { path: '/{a}/{r...}' } }");
  EXPECT_EQ(table.find("GET h/x1/b/c"), "two y=1 r=b/c");
  EXPECT_EQ(table.find("GET h/z1/b/c"), "one a=z1 b=b");
  EXPECT_EQ(table.find("GET h/z1/b/d"), "three a=z1 r=b/d");
}

TEST(RouteTable, RegexesOfAHost) {
  // More than are tried one by one, and one expression for two routes.
  std::string text;
  for (int i = 0; i < 10; ++i)
    text += "- { name: r" + std::to_string(i) + ", match: { path_regex: '/" + std::to_string(i) +
            "(?P<x>[a-z]*)(/(?P<y>.*))?' } }\n";
  text +=
      "- { name: head, match: { path_regex: '/0(?P<z>[a-z]*)(/(?P<y>.*))?', methods: HEAD } }\n";
  text += "- { name: other, match: { host: o, path_regex: '.*' } }\n";
  const Routes table(text);
  ASSERT_TRUE(table.good()) << table.told();
  EXPECT_EQ(table.find("GET h/0abc/d/e"), "r0 x=abc y=d/e");
  EXPECT_EQ(table.find("HEAD h/0abc"), "head z=abc y=");
  EXPECT_EQ(table.find("GET h/9"), "r9 x= y=");
  EXPECT_EQ(table.find("GET h/9A"), "404");
  EXPECT_EQ(table.find("GET h/19"), "404");
  EXPECT_EQ(table.find("GET o/9"), "other");
}

TEST(RouteTable, ManyRoutesOfOnePlaceAreAskedBySpecificity) {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "- { name: v" + std::to_string(i) + ", match: { path: /x, headers: { v: '" +
            std::to_string(i) + "' } } }\n";
  const Routes table(text + "- { name: rest, match: { path: /x } }\n");
  ASSERT_EQ(table.told(), "");
  EXPECT_EQ(table.find("GET h/x | v: 0"), "v0");
  EXPECT_EQ(table.find("GET h/x | v: 99"), "v99");
  EXPECT_EQ(table.find("GET h/x | v: 100"), "rest");
}

TEST(RouteTable, HostilePathsCostNoMoreThanTheTableHas) {
  // Each level has a literal and a parameter, and only the end tells that neither leads there.
  std::string text;
  for (int i = 0; i < 1 << 6; ++i) {
    std::string path;
    for (int bit = 0; bit < 6; ++bit)
      path += (i >> bit & 1) != 0 ? "/a" : "/{p" + std::to_string(bit) + "}";
    text += "- { match: { path: '" + path + "/end' } }\n";
  }
  const Routes table(text);
  ASSERT_EQ(table.told(), "");
  EXPECT_EQ(table.table().visits_max(), (1u << 7) - 1 + (1u << 6));
  std::string path;
  for (int i = 0; i < 10'000; ++i) path += "/a";
  Asked asked("GET", "h", path);
  EXPECT_EQ(table.find(asked), "404");
}

TEST(RouteTable, ForksThatCostTooMuchAreTold) {
  std::string text;
  for (int i = 0; i < 1 << 11; ++i) {
    std::string path;
    for (int bit = 0; bit < 11; ++bit)
      path += (i >> bit & 1) != 0 ? "/a" : "/{p" + std::to_string(bit) + "}";
    text += "- { match: { path: '" + path + "/end' } }\n";
  }
  const Routes table(text);
  ASSERT_TRUE(table.good());
  EXPECT_EQ(table.told(),
            "f.yaml:1:3: warning: routes: a single path may be compared at 6143 places, because "
            "many patterns have a parameter where others have a text; use fewer such forks\n");
}

TEST(RouteTable, LongHostsAndPaths) {
  const Routes table(
      "- { name: wild, match: { host: '*.b.example' } }\n- { name: all, match: { path: "
      "'/a/{r...}' } }");
  const std::string dots(20'000, '.');
  std::string labels;
  for (int i = 0; i < 10'000; ++i) labels += "a.";
  Asked deep("GET", labels + "b.example", "/x"), other("GET", labels + "c.example", "/a/x");
  EXPECT_EQ(table.find(deep), "wild");
  EXPECT_EQ(table.find(other), "all r=x");
  const std::string path = "/a/" + std::string(60'000, 'x');
  Asked wide("GET", dots + "b.example", path);
  EXPECT_EQ(table.find(wide), "wild");
}

TEST(RouteTable, AnEmptyListIsATable) {
  Problems problems;
  const auto table = RouteTable::build({}, problems);
  ASSERT_NE(table, nullptr);
  Asked asked("GET h/");
  EXPECT_FALSE(table->find(asked.request()));
  EXPECT_EQ(problems.text(), "");
}

}  // namespace
}  // namespace banyan
