// What people read when they ask why a request goes where it goes.
#include "patterns/routing/explain.h"

#include "patterns/routing/routes.h"

namespace banyan {
namespace {

// "why" and a line for each of the others: "name: reason; reason".
std::string explained(const std::string& text, std::string_view line, size_t others_max = 5) {
  const Routes routes(text);
  EXPECT_TRUE(routes.good()) << routes.told();
  Asked asked(line);
  const Explanation e = explain(routes.table(), routes.settings(), asked.request(), others_max);
  std::string out = e.why + "\n";
  for (const auto& other : e.others) {
    out += routes.table().route(other.route).name + ":";
    for (const std::string& reason : other.reasons) out += " " + reason + ";";
    out += "\n";
  }
  return out;
}

TEST(Explain, TheWinnerAndWhatKeptTheOthersAway) {
  EXPECT_EQ(
      explained(
          "- { name: get, match: { host: shop.example, path: '/items/{id}', methods: GET } }\n"
          "- { name: beta, match: { path: '/items/{id}', headers: { beta: '1' } } }\n"
          "- { name: rest, match: { path: '/items/{rest...}' } }\n"
          "- { name: other, match: { host: other.example, path: /about } }\n",
          "GET shop.example/items/4"),
      "the most specific route that fits is 'get'\n"
      "rest: less specific: host shop.example wins over no host;\n"
      "beta: header beta is missing;\n"
      "other: host is other.example, the request has shop.example; path is /about, the "
      "request has /items/4;\n");
}

TEST(Explain, EachWayToBeLessSpecific) {
  const auto other = [](std::string_view winner, std::string_view loser, std::string_view line) {
    const std::string out = explained("- { name: l, match: " + std::string(loser) +
                                          " }\n- { name: w, match: " + std::string(winner) + " }\n",
                                      line);
    const std::string begin = "the most specific route that fits is 'w'\nl: ";
    EXPECT_TRUE(out.starts_with(begin)) << out;
    return out.substr(std::min(begin.size(), out.size()));
  };
  for (const auto& [winner, loser, line, why] :
       std::vector<std::tuple<std::string, std::string, std::string, std::string>>{
           {"{ host: a.b.example }", "{ host: '*.b.example' }", "GET a.b.example/",
            "host a.b.example wins over *.b.example"},
           {"{ host: ['*.example', '*.b.example'] }", "{}", "GET c.b.example/",
            "host *.b.example wins over no host"},
           {"{ host: ['*.b.example', a.b.example] }", "{}", "GET a.b.example/",
            "host a.b.example wins over no host"},
           {"{ host: '*.example' }", "{}", "GET a.example/", "host *.example wins over no host"},
           {"{ path: /a }", "{ path_regex: '/.' }", "GET h/a", "a pattern wins over a path_regex"},
           {"{ path: /a }", "{}", "GET h/a", "a pattern wins over any path"},
           {"{ path_regex: '/.' }", "{ path: '/{r...}' }", "GET h/a",
            "a path_regex wins over any path"},
           {"{ path: /a }", "{ path: '/{x}' }", "GET h/a", "a literal path wins over a parameter"},
           {"{ path: '/a{x}' }", "{ path: '/{x}' }", "GET h/ab",
            "a parameter with text around it wins over a parameter"},
           {"{ path: '/ab{x}' }", "{ path: '/a{x}' }", "GET h/abc",
            "more text around a parameter wins"},
           {"{ path: '/a/{x}' }", "{ path: '/a/{x...}' }", "GET h/a/b",
            "a parameter wins over a rest"},
           {"{ path: /a }", "{ path: '/a/{x...}' }", "GET h/a",
            "a path that ends wins over a rest"},
           {"{ methods: GET }", "{}", "GET h/", "a route with methods wins over one without"},
           {"{ headers: { a: '1', b: '1' } }", "{ headers: { a: '1' } }", "GET h/ | a: 1 | b: 1",
            "more conditions win over fewer"},
           {"{ headers: { a: '1' } }", "{ headers: { a: { prefix: '1' } } }", "GET h/ | a: 1",
            "exact conditions win over prefixes, these over others"}})
    EXPECT_EQ(other(winner, loser, line), "less specific: " + why + ";\n");
  EXPECT_EQ(explained("- { name: w, match: { headers: { a: '1' } } }\n"
                      "- { name: l, match: { headers: { b: '1' } } }\n",
                      "GET h/ | a: 1 | b: 1"),
            "the most specific route that fits is 'w'\nl: as specific, and later in the list;\n");
}

TEST(Explain, WhyThereIsNone) {
  const std::string text =
      "- { name: get, match: { path: '/items/{id}', methods: [GET, HEAD] } }\n"
      "- { name: near, match: { path_regex: '/item-[0-9]+', client_ip: 10.0.0.0/8 } }\n";
  EXPECT_EQ(
      explained(text, "PUT h/items/4"),
      "only the method does not fit (allowed: GET, HEAD): 405\n"
      "get: methods are GET, HEAD, the request has PUT;\n"
      "near: path is ~/item-[0-9]+, the request has /items/4; client is not in 10.0.0.0/8;\n");
  EXPECT_EQ(explained(text, "GET h/item-4"),
            "no route fits: 404\n"
            "near: client is not in 10.0.0.0/8;\n"
            "get: path is /items/{id}, the request has /item-4;\n");
  EXPECT_EQ(explained("- { name: all }", "OPTIONS *"),
            "no route fits: 404\nall: path is any path, the request has *;\n");
}

TEST(Explain, ARequestWithoutAHost) {
  EXPECT_EQ(
      explained("- { name: shop, match: { host: [shop.example, '*.shop.example'] } }", "GET /"),
      "no route fits: 404\nshop: host is shop.example, *.shop.example, the request has none;\n");
}

TEST(Explain, TheNearestAreToldAndNoMore) {
  std::string text;
  for (int i = 0; i < 50; ++i)
    text += "- { name: r" + std::to_string(i) + ", match: { path: /x" + std::to_string(i) +
            "/y, headers: { a: '1' } } }\n";
  EXPECT_EQ(explained(text, "GET h/x17/z", 2),
            "no route fits: 404\n"
            "r17: path is /x17/y, the request has /x17/z; header a is missing;\n"
            "r1: path is /x1/y, the request has /x17/z; header a is missing;\n");
  EXPECT_EQ(explained(text, "GET h/x17/z", 0), "no route fits: 404\n");
}

TEST(Explain, HostileTextsAreShownSafely) {
  const Routes routes("- { name: shop, match: { host: shop.example } }");
  Asked asked("G\x1bT", "evil.example", "/x");
  asked.request().host = "\x1b[2Jevil";
  const Explanation e = explain(routes.table(), routes.settings(), asked.request());
  EXPECT_EQ(e.others.at(0).reasons.at(0), "host is shop.example, the request has \\x1b[2Jevil");
}

}  // namespace
}  // namespace banyan
