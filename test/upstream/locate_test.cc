#include "upstream/locate.h"

#include <gtest/gtest.h>

#include "config/yaml.h"
#include "upstream/settings.h"

namespace banyan {
namespace {

using Kind = Location::Kind;

TEST(Locate, Addresses) {
  struct Row {
    const char* url;
    const char* address;
    const char* host_header;
  };
  const Row rows[] = {
      {"http://10.0.0.1:8080", "10.0.0.1:8080", "10.0.0.1:8080"},
      {"http://10.0.0.1", "10.0.0.1:80", "10.0.0.1"},
      {"HTTP://10.0.0.1:80", "10.0.0.1:80", "10.0.0.1"},
      {"http://10.0.0.1:8080/", "10.0.0.1:8080", "10.0.0.1:8080"},
      {"http://[::1]:8080", "[::1]:8080", "[::1]:8080"},
      {"http://[FD00::1]", "[fd00::1]:80", "[fd00::1]"},
      {"dns:10.0.0.1:81", "10.0.0.1:81", "10.0.0.1:81"},
      {"unix:/run/app.sock", "unix:/run/app.sock", "localhost"},
      {"unix:@app", "unix:@app", "localhost"},
      {"unix:/run/a?b#c", "unix:/run/a?b#c", "localhost"},
  };
  for (const Row& row : rows) {
    const auto found = locate(row.url);
    ASSERT_TRUE(found.has_value()) << row.url << ": " << found.error();
    EXPECT_EQ(found->kind, Kind::fixed) << row.url;
    EXPECT_EQ(to_string(found->address), row.address) << row.url;
    EXPECT_EQ(to_string(*found), row.address) << row.url;
    EXPECT_EQ(found->host_header, row.host_header) << row.url;
  }
}

TEST(Locate, Names) {
  struct Row {
    const char* url;
    Kind kind;
    const char* host;
    uint16_t port;
    const char* host_header;
    const char* shown;
  };
  const Row rows[] = {
      {"http://catalog:8080", Kind::name, "catalog", 8080, "catalog:8080", "catalog:8080"},
      {"http://Shop.Example", Kind::name, "shop.example", 80, "shop.example", "shop.example:80"},
      {"http://localhost:1", Kind::name, "localhost", 1, "localhost:1", "localhost:1"},
      {"http://a_b.x-y.example.:80", Kind::name, "a_b.x-y.example.", 80, "a_b.x-y.example.",
       "a_b.x-y.example.:80"},
      {"dns:catalog:8080", Kind::name, "catalog", 8080, "catalog:8080", "catalog:8080"},
      {"dns:3com.example:65535", Kind::name, "3com.example", 65535, "3com.example:65535",
       "3com.example:65535"},
      {"dns+srv:_http._tcp.Shop.example", Kind::service, "_http._tcp.shop.example", 0,
       "shop.example", "_http._tcp.shop.example"},
  };
  for (const Row& row : rows) {
    const auto found = locate(row.url);
    ASSERT_TRUE(found.has_value()) << row.url << ": " << found.error();
    EXPECT_EQ(found->kind, row.kind) << row.url;
    EXPECT_EQ(found->host, row.host) << row.url;
    EXPECT_EQ(found->port, row.port) << row.url;
    EXPECT_EQ(found->host_header, row.host_header) << row.url;
    EXPECT_EQ(to_string(*found), row.shown) << row.url;
  }
}

TEST(Locate, TlsAndItsName) {
  using Tls = Location::Tls;
  struct Row {
    const char* url;
    Tls tls;
    const char* name;
    const char* host_header;
    uint16_t port;
  };
  const Row rows[] = {
      {"https://Shop.example", Tls::always, "shop.example", "shop.example", 443},
      {"https://shop.example.:8443", Tls::always, "shop.example", "shop.example.:8443", 8443},
      {"https://10.0.0.7:443", Tls::always, "10.0.0.7", "10.0.0.7", 443},
      {"https://[::1]:9443", Tls::always, "::1", "[::1]:9443", 9443},
      {"http://shop.example:443", Tls::never, "shop.example", "shop.example:443", 443},
      {"dns:shop.example:443", Tls::unsaid, "shop.example", "shop.example:443", 443},
      {"tcp://db:5432", Tls::unsaid, "db", "db:5432", 5432},
      {"unix:/run/app.sock", Tls::unsaid, "", "localhost", 0},
  };
  for (const Row& row : rows) {
    const auto found = locate(row.url);
    ASSERT_TRUE(found.has_value()) << row.url << ": " << found.error();
    EXPECT_EQ(found->tls, row.tls) << row.url;
    EXPECT_EQ(found->tls_name, row.name) << row.url;
    EXPECT_EQ(found->host_header, row.host_header) << row.url;
    const bool fixed = found->kind == Location::Kind::fixed;
    EXPECT_EQ(fixed ? found->address.port : found->port, row.port) << row.url;
    EXPECT_EQ(found->http, !std::string_view(row.url).starts_with("tcp")) << row.url;
  }
}

TEST(Locate, FaultsSayWhatToWrite) {
  const std::string long_label = std::string(64, 'a');
  struct Row {
    std::string url;
    const char* says;
  };
  const Row rows[] = {
      {"", "write http://host:port"},
      {"127.0.0.1:9001", "has no scheme; write http://127.0.0.1:9001"},
      {"catalog", "has no scheme; write http://catalog"},
      {"https://shop.example:0", "is no port; allowed is 1 to 65535"},
      {"https://shop.example/api", "set the path with the route's rewrite"},
      {"tcp://db", "the port is missing; write tcp://db:PORT"},
      {"tcp://db:5432/x", "is more than host:port"},
      {"tcp://", "the port is missing"},
      {"tcp://db:0", "is no port"},
      {"ftp://shop.example", "is no endpoint"},
      {"http://", "the host is missing"},
      {"http://:80", "neither an address nor a host name"},
      {"http://shop:0", "is no port; allowed is 1 to 65535"},
      {"http://shop:65536", "is no port"},
      {"http://shop:", "is no port"},
      {"http://shop:8o", "is no port"},
      {"http://shop/api", "set the path with the route's rewrite"},
      {"http://shop:80//", "set the path with the route's rewrite"},
      {"http://shop?x=1", "set the path with the route's rewrite"},
      {"http://shop#x", "set the path with the route's rewrite"},
      {"http://me:secret@shop", "would be seen in logs"},
      {"http://::1:80", "wants brackets"},
      {"http://[::1", "is no IPv6 address"},
      {"http://[::g]:80", "is no IPv6 address"},
      {"http://[10.0.0.1.2]", "is no IPv6 address"},
      {"http://10.0.0.256", "neither an address nor a host name"},
      {"http://10.0.0", "neither an address nor a host name"},
      {"http://a..b", "neither an address nor a host name"},
      {"http://-a", "neither an address nor a host name"},
      {"http://a-", "neither an address nor a host name"},
      {"http://a b", "neither an address nor a host name"},
      {"http://" + long_label, "neither an address nor a host name"},
      {"http://" + std::string(127, 'a') + std::string(127, '.'), "neither an address"},
      {"unix:", "begins with '/'"},
      {"unix:run/app.sock", "begins with '/'"},
      {"unix:/", "1 to 107 bytes long"},
      {"unix:@", "1 to 107 bytes long"},
      {"unix:/" + std::string(107, 'x'), "1 to 107 bytes long"},
      {"dns:catalog", "the port is missing; write dns:catalog:80"},
      {"dns:", "the host is missing"},
      {"dns://catalog:80", "neither an address nor a host name"},
      {"dns+srv:shop.example", "write dns+srv:_http._tcp.shop.example"},
      {"dns+srv:_http._tcp", "write dns+srv:_http._tcp.shop.example"},
      {"dns+srv:_http._tcp.shop:80", "write dns+srv:_http._tcp.shop.example"},
      {"dns+srv:_http.tcp.shop", "write dns+srv:_http._tcp.shop.example"},
  };
  for (const Row& row : rows) {
    const auto found = locate(row.url);
    ASSERT_FALSE(found.has_value()) << row.url;
    EXPECT_NE(found.error().find(row.says), std::string::npos) << row.url << ": " << found.error();
    EXPECT_EQ(found.error().find("secret"), std::string::npos);
  }
}

TEST(Locate, FaultsAreToldAtLoadWithTheirPlace) {
  Problems problems;
  const Node node = parse_yaml(
      "- http://10.0.0.1:80\n"
      "- { url: http://shop/api, weight: 2 }\n"
      "- url: ftp://shop\n",
      "x.yaml", system_sources(), problems);
  std::vector<EndpointSettings> endpoints;
  const Reading top(problems);
  const Reading at(top, "endpoints");
  EXPECT_FALSE(Value<std::vector<EndpointSettings>>::read(node, endpoints, at));
  const auto found = problems.sorted();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(to_string(found[0].place), "x.yaml:2:10");
  EXPECT_NE(found[0].message.find("rewrite"), std::string::npos);
  EXPECT_EQ(to_string(found[1].place), "x.yaml:3:8");
  EXPECT_EQ(found[1].path, "endpoints[2].url");
}

}  // namespace
}  // namespace banyan
