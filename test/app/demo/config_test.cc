// The files that users start from: the demo's configuration and the examples use only words that
// exist, name only services that are there, and fit the shop's ports; and each command of the
// greeting asks for something that the configuration has.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "app/demo/demo.h"
#include "app/demo/shop.h"
#include "app/settings.h"

namespace banyan {
namespace {

std::string file(const std::string& name) {
  std::ifstream in(BANYAN_SOURCE_DIR "/" + name);
  EXPECT_TRUE(in.good()) << name;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Settings read(const std::string& text, const std::string& name) {
  Problems problems;
  Settings settings;
  const Node root = parse_yaml(text, name, Sources{}, problems);
  Value<Settings>::read(root, settings, Reading(problems));
  EXPECT_EQ(problems.text(), "") << name;
  return settings;
}

const std::set<std::string> shop_urls = {"http://127.0.0.1:9001", "http://127.0.0.1:9002",
                                         "http://127.0.0.1:9003", "http://127.0.0.1:9004",
                                         "http://127.0.0.1:9005", "http://127.0.0.1:9007",
                                         "http://127.0.0.1:9010"};

class ExampleFile : public testing::TestWithParam<const char*> {
 protected:
  std::string name = std::string("examples/") + GetParam();
  Settings settings = read(file(name), name);
};

TEST_P(ExampleFile, NamesOnlyServicesThatAreThere) {
  std::set<std::string> services, used;
  for (const auto& s : settings.services) services.insert(s.name);
  for (const RouteEntry& r : settings.routes)
    if (!r.to.empty()) used.insert(r.to);
  for (const auto& s : settings.services) {
    if (!s.value.split) continue;
    for (const auto& part : s.value.split->to) used.insert(part.name);
  }
  // Both ways: nothing dangles, and nothing stands there for no reason.
  EXPECT_EQ(services, used);
}

TEST_P(ExampleFile, FitsThePortsOfTheShop) {
  std::set<std::string> down;
  for (const auto& s : settings.services)
    for (const EndpointSettings& e : s.value.endpoints)
      if (!shop_urls.contains(e.url)) down.insert(s.name + " " + e.url);
  for (const std::string& d : down) EXPECT_EQ(d, "down http://127.0.0.1:9099");
  EXPECT_FALSE(settings.listeners.empty());
  ASSERT_TRUE(settings.admin.has_value());
  EXPECT_TRUE(settings.admin->address.starts_with("127.0.0.1:"));
}

TEST_P(ExampleFile, GivesEveryRouteItsOwnName) {
  std::set<std::string> names;
  for (const RouteEntry& r : settings.routes) {
    EXPECT_FALSE(r.route.name.empty());
    EXPECT_TRUE(names.insert(r.route.name).second) << r.route.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ExampleFile,
                         testing::Values("demo.yaml", "gateway-routing.yaml", "ambassador.yaml",
                                         "bulkhead.yaml"));

TEST(DemoConfig, IsTheExampleByteForByte) { EXPECT_EQ(demo_config(), file("examples/demo.yaml")); }

TEST(DemoConfig, ThePortsOfTheShopAreTheStandardOnes) {
  const Shop::Ports p;
  for (uint16_t port :
       {p.catalog, p.catalog_second, p.reviews, p.sellers, p.stock, p.catalog_v3, p.monolith})
    EXPECT_TRUE(shop_urls.contains("http://127.0.0.1:" + std::to_string(port))) << port;
}

// The paths after "localhost:8080" and "localhost:9901" in the greeting.
std::set<std::string> paths_in(const std::string& text, std::string_view host) {
  std::set<std::string> paths;
  for (size_t at = text.find(host); at != text.npos; at = text.find(host, at + 1)) {
    const size_t begin = at + host.size();
    if (text[begin] != '/') continue;  // the address alone, in the first line
    paths.insert(text.substr(begin, text.find_first_of(" ;?'\n", begin) - begin));
  }
  return paths;
}

// A route without conditions on the host takes the path: segment by segment, {x} is any.
bool takes(std::string_view pattern, std::string_view path) {
  for (;;) {
    const size_t a = pattern.find('/', 1), b = path.find('/', 1);
    const std::string_view piece = pattern.substr(0, a);
    if (!piece.starts_with("/{") && piece != path.substr(0, b)) return false;
    if (a == pattern.npos || b == path.npos) return a == b;
    pattern.remove_prefix(a);
    path.remove_prefix(b);
  }
}

TEST(DemoGreeting, AsksForPathsThatTheConfigurationHas) {
  const Settings settings = read(std::string(demo_config()), "demo.yaml");
  const auto asked = paths_in(demo_greeting(), "localhost:8080");
  EXPECT_GE(asked.size(), 10u);
  for (const std::string& path : asked) {
    size_t routes = 0;
    for (const RouteEntry& r : settings.routes)
      routes += r.route.match.host.empty() && takes(r.route.match.path, path);
    EXPECT_EQ(routes > 0, path != "/nowhere") << path;
  }
}

TEST(DemoGreeting, KnowsTheAdminAddress) {
  const Settings settings = read(std::string(demo_config()), "demo.yaml");
  EXPECT_EQ(settings.admin->address, "127.0.0.1:9901");
  const std::set<std::string> there = {"/healthz", "/readyz", "/metrics",
                                       "/config",  "/stack",  "/explain"};
  for (const std::string& path : paths_in(demo_greeting(), "localhost:9901"))
    EXPECT_TRUE(there.contains(path)) << path;
}

}  // namespace
}  // namespace banyan
