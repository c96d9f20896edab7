// The small policies of the edge, each by itself: networks against a model that looks at all of
// them, whose word about the client counts, origins, and names of requests.
#include <gmock/gmock.h>

#include <random>

#include "io/address.h"
#include "patterns/offloading/cors.h"
#include "patterns/offloading/ip_rules.h"
#include "patterns/offloading/request_id.h"
#include "sim/run.h"

namespace banyan {
namespace {

Ip ip(std::string_view text) { return parse_ip_bytes(text).value(); }
Cidr net(std::string_view text) { return parse_cidr(text).value(); }

TEST(IpRules, TheMostSpecificNetworkDecides) {
  const IpRules rules({.allow = {net("10.0.0.0/8"), net("10.1.2.3"), net("fd00::/8")},
                       .deny = {net("10.1.0.0/16"), net("fd00:1::/32")}});
  EXPECT_TRUE(rules.allows(ip("10.9.0.1")));
  EXPECT_FALSE(rules.allows(ip("10.1.0.1")));
  EXPECT_TRUE(rules.allows(ip("10.1.2.3")));
  EXPECT_TRUE(rules.allows(ip("fd00:2::1")));
  EXPECT_FALSE(rules.allows(ip("fd00:1::1")));
  EXPECT_FALSE(rules.allows(ip("192.0.2.1"))) << "some are allowed, so others are not";
  const IpRules but({.allow = {}, .deny = {net("192.0.2.0/24")}});
  EXPECT_FALSE(but.allows(ip("192.0.2.7")));
  EXPECT_TRUE(but.allows(ip("198.51.100.1")));
}

TEST(IpRules, AsAModelThatLooksAtAllOfThem) {
  std::mt19937 random(7);
  const auto address = [&] {
    Ip out = ip("10.0.0.0");
    for (size_t i = 12; i < 16; ++i) out[i] = static_cast<uint8_t>(random() & 3);
    return out;
  };
  for (int round = 0; round < 50; ++round) {
    IpSettings settings;
    std::vector<std::pair<Cidr, bool>> all;
    for (int n = 0; n < 40; ++n) {
      Cidr network{address(), static_cast<uint8_t>(96 + random() % 33)};
      for (size_t bit = network.bits; bit < 128; ++bit)
        network.network[bit / 8] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
      const auto twice = [&](const auto& one) { return one.first == network; };
      if (std::ranges::any_of(all, twice)) continue;
      all.emplace_back(network, random() % 2 == 0);
      (all.back().second ? settings.allow : settings.deny).push_back(network);
    }
    const IpRules rules(settings);
    for (int n = 0; n < 200; ++n) {
      const Ip client = address();
      bool expected = settings.allow.empty();
      int longest = -1;
      for (const auto& [network, allowed] : all)
        if (network.contains(client) && network.bits > longest) {
          longest = network.bits;
          expected = allowed;
        }
      ASSERT_EQ(rules.allows(client), expected);
    }
  }
}

class RealClient : public testing::Test {
 protected:
  std::string of(std::string_view peer, std::vector<std::string_view> chain) {
    Arena arena;
    Headers headers(arena);
    for (std::string_view value : chain) headers.add(Name::x_forwarded_for, value);
    Record record;
    const Address client = *parse_ip(peer, 1234);
    const Request request{.arena = arena, .headers = headers, .client = client, .record = record};
    const auto found = real_client(request, {net("10.0.0.0/8"), net("192.0.2.1")});
    if (!found) return "none";
    const std::string text = to_string(Cidr{*found, 128});
    return text.substr(0, text.find('/'));
  }
};

TEST_F(RealClient, IsWhoTheTrustedName) {
  EXPECT_EQ(of("203.0.113.5", {"198.51.100.1"}), "203.0.113.5") << "nobody trusts this peer";
  EXPECT_EQ(of("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(of("10.0.0.1", {"1.1.1.1, 198.51.100.1"}), "198.51.100.1") << "the last one counts";
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.1, 192.0.2.1,10.2.2.2"}), "198.51.100.1");
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.1", "192.0.2.1"}), "198.51.100.1");
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.1, nonsense, 192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(of("10.0.0.1", {", ,"}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {"10.1.1.1, 10.2.2.2"}), "10.1.1.1") << "all of them are trusted";
  EXPECT_EQ(of("10.0.0.1", {"fd00::1"}), "fd00::1");
}

TEST(Cors, OriginsAreWholeTexts) {
  const CorsPolicy policy({.origins = {"https://shop.example", "https://*.blog.example:8443"}});
  for (const char* yes :
       {"https://shop.example", "https://a.blog.example:8443", "https://a.b.blog.example:8443"})
    EXPECT_TRUE(policy.allows_origin(yes)) << yes;
  for (const char* no :
       {"", "null", "http://shop.example", "https://shop.example:444", "https://shop.example.evil",
        "https://evilshop.example", "https://blog.example:8443", "https://.blog.example:8443",
        "https://evil.example/.blog.example:8443", "https://a@b.blog.example:8443",
        "https://a.blog.example", "https://evil.example#.blog.example:8443"})
    EXPECT_FALSE(policy.allows_origin(no)) << no;
}

TEST(RequestId, IsAUuidThatSortsByTime) {
  Sim sim;
  Arena arena;
  const std::string one(make_uuid7(sim.loop(), arena));
  EXPECT_THAT(one, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                         "[0-9a-f]{12}"));
  EXPECT_NE(one, make_uuid7(sim.loop(), arena));
}

}  // namespace
}  // namespace banyan
