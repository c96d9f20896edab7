// Routes and requests drawn from few words, so that they meet often: for the model test (by seed)
// and the fuzz target (by bytes). `Pick` gives a number below its argument. Owner: the test.
// Thread: one.
#pragma once
#include <initializer_list>
#include <string>
#include <vector>

#include "patterns/routing/asked.h"
#include "patterns/routing/settings.h"

namespace banyan {

template <class Pick>
class RandomRoutes {
 public:
  explicit RandomRoutes(Pick& pick) : pick_(pick) {}

  std::vector<RouteSettings> routes(size_t most) {
    std::vector<RouteSettings> out(1 + pick_(most));
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = route();
      out[i].name = "r" + std::to_string(i);
      out[i].place = {.line = static_cast<uint32_t>(i + 1), .column = 1};
    }
    return out;
  }

  std::unique_ptr<Asked> request() {
    std::string target;
    for (size_t n = 1 + pick_(4); n > 0; --n)
      target += "/" + one({"a", "b", "ab", "aab", "", "a%2Fb"});
    target += one({"", "", "?q=1", "?q=2&q=1", "?%71=%31&w", "?x=+&q", "?&&q=1%"});
    const PathRules rules{.merge_slashes = pick_(4) != 0};
    auto asked = std::make_unique<Asked>(one({"GET", "POST", "PURGE", "HEAD", "get"}), host_asked(),
                                         target, rules);
    for (size_t n = pick_(3); n > 0; --n) asked->add(one({"x", "X", "via"}), one({"1", "2", "10"}));
    if (pick_(3) == 0)
      asked->add("cookie", one({"c=1", "c=2; c=1", " d=1 ; c = 1", "c", "c=\"1\""}));
    asked->from(one({"10.1.0.1", "10.2.0.1", "192.0.2.1"}));
    return asked;
  }

 private:
  std::string one(std::initializer_list<const char*> words) {
    return *(words.begin() + pick_(words.size()));
  }

  RouteSettings route() {
    RouteSettings out;
    MatchSettings& m = out.match;
    for (size_t n = pick_(3); n > 0; --n) {
      std::string host =
          one({"h.example", "a.h.example", "*.h.example", "*.example", "A.B.h.example"});
      if (std::find(m.host.begin(), m.host.end(), host) == m.host.end()) m.host.push_back(host);
    }
    const size_t kind = pick_(10);
    if (kind < 7) m.path = pattern();
    if (kind == 7)
      m.path_regex = one({"/a.*", "/(?P<x>a+)(/(?P<y>b.*))?", "/[ab]*/a", "(?i)/AB/?", ".*", "/a/b",
                          "^/a/(?P<n>[a-b]*)$"});
    for (size_t n = pick_(3); n > 0; --n) {
      std::string method = one({"GET", "POST", "PURGE"});
      if (std::find(m.methods.begin(), m.methods.end(), method) == m.methods.end())
        m.methods.push_back(method);
    }
    conditions(m);
    return out;
  }
  void conditions(MatchSettings& m) {
    if (pick_(4) == 0) m.headers.push_back({one({"x", "X"}), {}, text_match()});
    if (pick_(8) == 0) m.headers.push_back({"via", {}, text_match()});
    if (pick_(6) == 0) m.query.push_back({"q", {}, text_match()});
    if (pick_(6) == 0) m.cookies.push_back({"c", {}, text_match()});
    if (pick_(8) == 0) m.client_ip.push_back(*parse_cidr(one({"10.0.0.0/8", "10.1.0.0/16"})));
  }
  TextMatch text_match() {
    TextMatch m;
    switch (pick_(6)) {
      case 0:
        m.present = true;
        break;
      case 1:
        m.present = false;
        break;
      case 2:
        m.prefix = one({"", "1"});
        break;
      case 3:
        m.regex = one({"1.*", "[0-9]"});
        break;
      default:
        m.exact = one({"1", "2", ""});
    }
    return m;
  }

  // Segment by segment; each capture has its own name.
  std::string pattern() {
    std::string out;
    const size_t count = 1 + pick_(3);
    for (size_t i = 0; i < count; ++i) {
      const std::string name = "{p" + std::to_string(i) + "}";
      switch (pick_(8)) {
        case 0:
          out += "/" + name;
          break;
        case 1:
          out += "/a" + name;
          break;
        case 2:
          out += "/" + name + "b";
          break;
        case 3:
          out += "/a" + name + "b";
          break;
        case 4:
          return out + "/{rest...}";
        default:
          out += "/" + one({"a", "b", "ab", "a%2Fb"});
      }
    }
    return out + one({"", "", "", "/"});
  }
  std::string host_asked() {
    return one({"h.example", "a.h.example", "b.a.h.example:80", "A.b.H.example.", "x.example",
                "other", ""});
  }

  Pick& pick_;
};

}  // namespace banyan
