// Conditions on headers, query, cookies and the client, one by one: a route holds, or the request
// goes to none.
#include "patterns/routing/condition.h"

#include <fmt/format.h>

#include "patterns/routing/request_value.h"
#include "patterns/routing/routes.h"

namespace banyan {
namespace {

bool matches(const std::string& match, std::string_view request) {
  const Routes routes("- { name: yes, match: { " + match + " } }");
  EXPECT_TRUE(routes.good()) << routes.told();
  return routes.find(request) == "yes";
}

struct Row {
  std::string match;
  std::vector<std::string_view> hold, fail;
};

void expect_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    for (std::string_view r : row.hold) EXPECT_TRUE(matches(row.match, r)) << row.match << " " << r;
    for (std::string_view r : row.fail)
      EXPECT_FALSE(matches(row.match, r)) << row.match << " " << r;
  }
}

TEST(Condition, Headers) {
  expect_rows({
      {"headers: { x-api: '2' }",
       {"GET h/ | x-api: 2", "GET h/ | X-API: 2", "GET h/ | x-api: 1 | x-api: 2"},
       {"GET h/", "GET h/ | x-api: 22", "GET h/ | x-api: 1", "GET h/ | x-apis: 2"}},
      {"headers: { X-Api: { prefix: v } }",
       {"GET h/ | x-api: v", "GET h/ | x-api: v2"},
       {"GET h/ | x-api: 2v", "GET h/ | x-api: V2"}},
      {"headers: { user-agent: { regex: '.*Firefox/[0-9]+' } }",
       {"GET h/ | user-agent: Mozilla Firefox/1"},
       {"GET h/ | user-agent: Firefox/1 x", "GET h/"}},
      {"headers: { cookie: { present: true } }", {"GET h/ | cookie: x"}, {"GET h/ | x: cookie"}},
      {"headers: { cookie: { present: false } }", {"GET h/"}, {"GET h/ | Cookie: x"}},
      {"headers: { x-own: { present: false } }", {"GET h/ | x: y"}, {"GET h/ | X-Own: x"}},
      {"headers: { x: { prefix: a, regex: '.*z' } }",
       {"GET h/ | x: az"},
       {"GET h/ | x: a | x: z"}},  // on one line
      {"headers: { x: { prefix: a }, X: { regex: '.*z' } }",
       {"GET h/ | x: az", "GET h/ | x: a | x: z"},
       {"GET h/ | x: a"}},
      {"headers: { x: '' }", {"GET h/ | x: "}, {"GET h/", "GET h/ | x: a"}},
  });
}

TEST(Condition, Query) {
  expect_rows({
      {"query: { v: '2' }",
       {"GET h/?v=2", "GET h/?a&v=2&v=1", "GET h/?%76=%32", "GET h/?&&v=2"},
       {"GET h/", "GET h/?v=1&v=2", "GET h/?v=22", "GET h/?V=2", "GET h/?v2", "GET h/?v",
        "GET h/?w=v=2"}},
      {"query: { v: '' }", {"GET h/?v", "GET h/?v="}, {"GET h/", "GET h/?", "GET h/?v=1"}},
      {"query: { v: { present: true } }", {"GET h/?v", "GET h/?v=1"}, {"GET h/?w=v"}},
      {"query: { v: { present: false } }", {"GET h/", "GET h/?w"}, {"GET h/?v"}},
      {"query: { v: 'a b&c=d%' }",
       {"GET h/?v=a+b%26c=d%", "GET h/?v=a%20b%26c%3dd%25"},
       {"GET h/?v=a b", "GET h/?v=a+b&c=d%"}},
      {"query: { v: { prefix: 'a ' } }",
       {"GET h/?v=a+b", "GET h/?v=a%20"},
       {"GET h/?v=a", "GET h/?v=ab"}},
      {"query: { v: { regex: '[a-z]+ [0-9]' } }",
       {"GET h/?v=%61+1"},
       {"GET h/?v=a%2B1", "GET h/?v=a"}},
      {"query: { 'a b': x }", {"GET h/?a+b=x", "GET h/?a%20b=x"}, {"GET h/?ab=x"}},
      {"query: { v: '%zz' }", {"GET h/?v=%zz"}, {"GET h/?v=zz"}},
      {"query: { v: '%4' }", {"GET h/?v=%4"}, {"GET h/?v=4"}},
  });
}

TEST(Condition, Cookies) {
  expect_rows({
      {"cookies: { sid: a }",
       {"GET h/ | cookie: sid=a", "GET h/ | cookie: x=1; sid=a; sid=b",
        "GET h/ | cookie: sid = a ;x", "GET h/ | cookie: x=1 | cookie: sid=a"},
       {"GET h/", "GET h/ | cookie: sid=b; sid=a", "GET h/ | cookie: SID=a",
        "GET h/ | cookie: xsid=a", "GET h/ | cookie: sid=\"a\"", "GET h/ | cookie: sid",
        "GET h/ | set-cookie: sid=a"}},
      {"cookies: { sid: { present: false } }",
       {"GET h/", "GET h/ | cookie: x=1; sid"},
       {"GET h/ | cookie: sid="}},
      {"cookies: { sid: { prefix: eu- } }",
       {"GET h/ | cookie: sid=eu-1"},
       {"GET h/ | cookie: sid=eu"}},
      {"cookies: { sid: 'a=b' }", {"GET h/ | cookie: sid=a=b"}, {"GET h/ | cookie: sid=a"}},
  });
}

TEST(Condition, Clients) {
  expect_rows({
      {"client_ip: [10.0.0.0/8, 'fd00::/8']",
       {"GET h/ | from 10.255.0.1", "GET h/ | from [fd00::1]", "GET h/ | from [::ffff:10.0.0.1]"},
       {"GET h/ | from 11.0.0.1", "GET h/ | from [fe80::1]", "GET h/ | from [::1]"}},
      {"client_ip: 127.0.0.1", {"GET h/"}, {"GET h/ | from 127.0.0.2"}},
  });
}

TEST(Condition, AClientWithoutAnAddressIsInNoNetwork) {
  const Routes routes("- { name: all, match: { client_ip: ['::/0', '0.0.0.0/0'] } }");
  ASSERT_TRUE(routes.good()) << routes.told();
  Asked asked("GET h/"), local("GET h/");
  EXPECT_EQ(routes.find(asked), "all");
  local.from(parse_address("unix:/run/a.sock").value());
  EXPECT_EQ(routes.find(local), "404");
}

TEST(Condition, WhatIsNone) {
  for (const auto& [match, place, fault] : std::vector<std::tuple<std::string, int, std::string>>{
           {"headers: { x: {} }", 25,
            "match: header 'x' wants one of exact, prefix, regex, present"},
           {"query: { x: {} }", 23, "match: query 'x' wants one of exact, prefix, regex, present"},
           {"headers: { 'x y': a }", 25,
            "match: header 'x y' is no name that can come (letters, digits, '-' and '_')"},
           {"headers: { '': a }", 25,
            "match: header '' is no name that can come (letters, digits, '-' and '_')"},
           {"cookies: { 'a=b': a }", 25,
            "match: cookie 'a=b' is no name that can come (letters, digits, '-' and '_')"},
           {"cookies: { x: { regex: '(' } }", 25,
            "match: cookie 'x' '(' is no regular expression (RE2): missing ): ("}})
    EXPECT_EQ(Routes("- { match: { " + match + " } }").told(),
              fmt::format("f.yaml:1:{}: {}\n", place, fault));
  EXPECT_EQ(Routes("- { match: { methods: 'GE T' } }").told(),
            "f.yaml:1:3: match.methods: 'GE T' is no method\n");
  EXPECT_EQ(Routes("- { match: { methods: [get, Put, purge] } }").told(),
            "f.yaml:1:3: warning: match.methods: methods are case-sensitive: 'get' is not GET\n"
            "f.yaml:1:3: warning: match.methods: methods are case-sensitive: 'Put' is not PUT\n");
  EXPECT_EQ(Routes("- { match: { path: /x, path_regex: /x } }").told(),
            "f.yaml:1:3: match: has both path and path_regex; one of them\n");
}

TEST(Condition, AreTold) {
  const Routes routes(
      "- { match: { headers: { X: { exact: ab, prefix: a }, y: { present: true } }, query: { q: { "
      "regex: 'a+' } }, cookies: { c: { present: false } }, client_ip: [10.0.0.0/8, 192.0.2.1] } "
      "}");
  ASSERT_TRUE(routes.good()) << routes.told();
  std::vector<std::string> told, failures;
  Asked asked("GET h/?q=b | x: b | cookie: c=1");
  for (const Condition& c : routes.table().route(0).conditions) {
    told.push_back(describe(c));
    failures.push_back(describe_failure(c, asked.request()));
  }
  EXPECT_EQ(told,
            (std::vector<std::string>{"header x is 'ab' and begins with 'a'", "header y is present",
                                      "query q matches 'a+'", "cookie c is absent",
                                      "client is in 10.0.0.0/8, 192.0.2.1/32"}));
  EXPECT_EQ(failures, (std::vector<std::string>{
                          "header x is not 'ab' or does not begin with 'a'", "header y is missing",
                          "query q does not match 'a+'", "cookie c is present",
                          "client is not in 10.0.0.0/8, 192.0.2.1/32"}));
}

TEST(RequestValue, AQueryIsDecodedOnlyWhenItMust) {
  Arena arena;
  const std::string_view query = "a=plain&b=%41+%zz%2";
  const auto plain = find_query(query, "a"), escaped = find_query(query, "b");
  ASSERT_TRUE(plain && escaped);
  EXPECT_EQ(plain->text(arena).data(), query.data() + 2);
  EXPECT_EQ(escaped->raw(), "%41+%zz%2");
  EXPECT_EQ(escaped->text(arena), "A %zz%2");
  EXPECT_FALSE(find_query(query, "c"));
  EXPECT_FALSE(find_query("", ""));
  EXPECT_FALSE(find_query("&&a=1", ""));
  EXPECT_TRUE(find_query("=x", "")->equals("x"));
}

}  // namespace
}  // namespace banyan
