// Host and path patterns as texts: what is understood, what is refused, and in which words.
#include <gtest/gtest.h>

#include "base/text.h"
#include "patterns/routing/host_index.h"
#include "patterns/routing/path_pattern.h"

namespace banyan {
namespace {

std::string host(std::string_view text) {
  const auto pattern = parse_host_pattern(text);
  return pattern ? to_string(*pattern) : pattern.error();
}

TEST(HostPattern, HasOneForm) {
  for (const auto& [text, form] : std::vector<std::pair<std::string, std::string>>{
           {"shop.example", "shop.example"},
           {"SHOP.Example.", "shop.example"},
           {"*.Shop.example.", "*.shop.example"},
           {"localhost", "localhost"},
           {"a_b-c.example", "a_b-c.example"},
           {"10.0.0.1", "10.0.0.1"},
           {"[FD00::1]", "[fd00::1]"},
           {"xn--bcher-kva.example", "xn--bcher-kva.example"},
           {std::string(63, 'a') + ".example", std::string(63, 'a') + ".example"}})
    EXPECT_EQ(host(text), form);
}

TEST(HostPattern, WhatIsNone) {
  // Long texts are cut where they are shown.
  const std::string label(64, 'a');
  std::string name;
  for (int i = 0; i < 64; ++i) name += "aaa.";
  for (const auto& [text, fault] : std::vector<std::pair<std::string, std::string>>{
           {"", "is empty"},
           {".", "has an empty label"},
           {"*", "is every host; leave `host` out"},
           {"*.", "is empty"},
           {"*.*.example", "has a '*' inside; only '*.name' is understood"},
           {"a*.example", "has a '*' inside; only '*.name' is understood"},
           {"shop.*", "has a '*' inside; only '*.name' is understood"},
           {"a..b", "has an empty label"},
           {".a", "has an empty label"},
           {"a..", "has an empty label"},
           {"shop.example:80", "has a port; a route is for every port"},
           {"*.shop.example:80", "has a port; a route is for every port"},
           {"10.0.0.1:80", "has a port; a route is for every port"},
           {"[::1]:80", "has a port; a route is for every port"},
           {"[::1", "is no address"},
           {"[::g]", "is no address"},
           {"*.[::1]", "is no address"},
           {"::1", "wants brackets: [::1]"},
           {"*.10.0.0.1", "is an address; there is nothing below it"},
           {"http://shop.example", "has ':'"},
           {"shop.example/x", "has '/'"},
           {"shop example", "has ' '"},
           {"a@b.example", "has '@'"},
           {std::string("a\0b", 3), "has '\\x00'"},
           {label, "has a label of more than 63 bytes"},
           {name + "example", "is longer than a host name may be"}})
    EXPECT_EQ(host(text), "host '" + printable(text) + "' " + fault);
  EXPECT_EQ(host("b\u00fccher.example"),
            "host 'b\\xc3\\xbccher.example' is not ASCII; write an international name as it is on "
            "the wire (xn--...)");
}

// "kind:prefix|suffix" for each segment.
std::string shape(std::string_view text) {
  const auto pattern = parse_path_pattern(text);
  if (!pattern) return pattern.error();
  static constexpr std::string_view kinds[] = {"", "affix:", "parameter", "rest"};
  std::string out;
  for (const Segment& s : pattern->segments) {
    out += "/" + std::string(kinds[static_cast<size_t>(s.kind)]) + s.prefix;
    if (s.kind == Segment::Kind::affix) out += "|" + s.suffix;
  }
  for (const std::string& name : pattern->names) out += " " + name;
  return out;
}

TEST(PathPattern, Shapes) {
  for (const auto& [text, form] : std::vector<std::pair<std::string, std::string>>{
           {"/", "/"},
           {"/a", "/a"},
           {"/a/", "/a/"},
           {"/{id}", "/parameter id"},
           {"/a/{id}/{x-y_2...}", "/a/parameter/rest id x-y_2"},
           {"/v{n}", "/affix:v| n"},
           {"/{n}.json", "/affix:|.json n"},
           {"/a{n}b/c", "/affix:a|b/c n"},
           {"/{...}",
            "'{...}' names no capture; a name has letters, digits, '_' and '-', and begins "
            "with no digit"},
           {"/%61%2f%c3%a9", "/a%2F%C3%A9"},
           {"/a b<>\"", "/a%20b%3C%3E%22"},
           {"/a:b@c;d=e,f+g$h&i!j'k(l)*", "/a:b@c;d=e,f+g$h&i!j'k(l)*"},
           {"/%7Bx%7D", "/%7Bx%7D"},
           {"/.a/..b/c.", "/.a/..b/c."},
           {"/.{x}", "/affix:.| x"}})
    EXPECT_EQ(shape(text), form) << text;
}

TEST(PathPattern, WhatIsNone) {
  const std::string name =
      "names no capture; a name has letters, digits, '_' and '-', and begins with no digit";
  const std::string brace = "a brace has no partner; a brace that is meant is %7B or %7D";
  std::string deep, many;
  for (int i = 0; i < 65; ++i) deep += "/a";
  for (int i = 0; i < 17; ++i) many += "/{a" + std::to_string(i) + "}";
  for (const auto& [text, fault] : std::vector<std::pair<std::string, std::string>>{
           {"", "a path begins with '/'"},
           {"a", "a path begins with '/'"},
           {"{a}", "a path begins with '/'"},
           {"https://shop.example/x", "a path begins with '/'"},
           {"/a?b=1", "a path has no '?'; one that is meant is %3F"},
           {"/a#b", "the target has a fragment"},
           {"/a\\b", "the path has a backslash"},
           {"/%", "the path has a '%' that begins no escape"},
           {"/%4{a}", "the path has a '%' that begins no escape"},
           {"/%zz", "the path has a '%' that begins no escape"},
           {"/%00", "the path has an escaped control byte"},
           {std::string("/a\0b", 4), "it has a control byte"},
           {"/a\nb", "it has a control byte"},
           {"/a\tb", "it has a control byte"},
           {"/a\x7f", "it has a control byte"},
           {"/{", brace},
           {"/}", brace},
           {"/{a", brace},
           {"/a}", brace},
           {"/{{a}}", brace},
           {"/{a/b}", brace},
           {"/{}", "'{}' " + name},
           {"/{1a}", "'{1a}' " + name},
           {"/{a b}", "'{a b}' " + name},
           {"/{a..}", "'{a..}' " + name},
           {"/{*}", "'{*}' " + name},
           {"/{a:[0-9]+}", "'{a:[0-9]+}' " + name},
           {"/{a}{b}", "'{a}{b}' has two captures in one segment"},
           {"/{a}-{b}", "'{a}-{b}' has two captures in one segment"},
           {"/{a}/{a}", "two captures are called 'a'"},
           {"/{a...}/b", "{a...} must be the last segment, and all of it"},
           {"/{a...}/", "{a...} must be the last segment, and all of it"},
           {"/x{a...}", "{a...} must be the last segment, and all of it"},
           {"//a", "it has an empty segment, and no request's path has one; write '/a'"},
           {"/a//{b}", "it has an empty segment, and no request's path has one; write '/a/{b}'"},
           {"/a/./b", "it has a dot segment, and no request's path has one; write '/a/b'"},
           {"/a/../{b}", "it has a dot segment, and no request's path has one; write '/{b}'"},
           {"/%2e%2e/a", "it has a dot segment, and no request's path has one"},
           {"/a/..", "it has a dot segment, and no request's path has one; write '/'"},
           {deep, "it has more than 64 segments"},
           {many, "it has more than 16 captures"},
           {"/" + std::string(4096, 'a'), "it is longer than 4096 bytes"}})
    EXPECT_EQ(shape(text), fault) << text;
}

TEST(PathPattern, MoreSpecificIsLess) {
  const std::vector<std::string> order = {
      "/a",     "/a/b",     "/a/bx{n}y", "/a/bx{n}",    "/a/b{n}",  "/a/{n}y",
      "/a/{n}", "/a/{n}/b", "/a/{n...}", "/b",          "/long{n}", "/l{n}",
      "/{n}",   "/{n}/a",   "/{n}/{m}",  "/{n}/{m...}", "/{n...}"};
  for (size_t a = 0; a < order.size(); ++a)
    for (size_t b = 0; b < order.size(); ++b) {
      const auto x = parse_path_pattern(order[a]).value(), y = parse_path_pattern(order[b]).value();
      EXPECT_EQ(compare_specificity(x, y) < 0, a < b) << order[a] << " " << order[b];
      EXPECT_EQ(compare_specificity(x, y) == 0, a == b) << order[a] << " " << order[b];
    }
}

TEST(HostIndex, SitesComeMostSpecificFirst) {
  HostIndex index;
  std::vector<uint32_t> sites;
  for (std::string_view text : {"a.b.example", "*.b.example", "*.example", "*.a.b.c.example"})
    sites.push_back(index.add(*parse_host_pattern(text)));
  EXPECT_EQ(index.add(*parse_host_pattern("*.B.example.")), sites[1]);
  EXPECT_EQ(index.size(), 5u);
  const auto visited = [&](std::string_view host) {
    std::vector<uint32_t> out;
    EXPECT_FALSE(index.search(host, [&](uint32_t site) {
      out.push_back(site);
      return false;
    }));
    return out;
  };
  const uint32_t none = HostIndex::no_host;
  EXPECT_EQ(visited("a.b.example"), (std::vector{sites[0], sites[1], sites[2], none}));
  EXPECT_EQ(visited("c.b.example"), (std::vector{sites[1], sites[2], none}));
  EXPECT_EQ(visited("x.y.z.a.b.c.example"), (std::vector{sites[3], sites[2], none}));
  EXPECT_EQ(visited("example"), (std::vector{none}));
  EXPECT_EQ(visited(""), (std::vector{none}));
  EXPECT_EQ(visited("...."), (std::vector{none}));
}

}  // namespace
}  // namespace banyan
