#include "base/ip.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

TEST(IpTest, Addresses) {
  const Ip v4 = *parse_ip_bytes("10.1.2.3");
  EXPECT_TRUE(is_v4(v4));
  EXPECT_EQ(v4[12], 10);
  EXPECT_EQ(v4[15], 3);
  EXPECT_EQ(parse_ip_bytes("::ffff:10.1.2.3"), v4) << "one address, however it came";
  const Ip v6 = *parse_ip_bytes("2001:db8::1");
  EXPECT_FALSE(is_v4(v6));
  EXPECT_EQ(parse_ip_bytes("[2001:db8::1]"), v6);
  EXPECT_EQ(parse_ip_bytes("2001:0DB8:0:0:0:0:0:1"), v6);
  for (const char* bad : {"", "10.1.2", "10.1.2.3.4", "256.1.1.1", "01.2.3.4x", "10.1.2.3:80",
                          " 10.1.2.3", "[10.1.2.3", "[::1", "::1]", "1::2::3", "localhost", ":::"})
    EXPECT_EQ(parse_ip_bytes(bad), std::nullopt) << bad;
}

TEST(IpTest, NetworksHoldTheirAddressesAndNoOthers) {
  struct Case {
    const char *network, *first, *last, *before, *behind;
  };
  for (const Case& c : {
           Case{"10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
           Case{"192.168.4.0/22", "192.168.4.0", "192.168.7.255", "192.168.3.255", "192.168.8.0"},
           Case{"10.0.0.7/32", "10.0.0.7", "10.0.0.7", "10.0.0.6", "10.0.0.8"},
           Case{"10.0.0.7", "10.0.0.7", "10.0.0.7", "10.0.0.6", "10.0.0.8"},
           Case{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "::1", "2001:db8::1"},
           Case{"fd00::/8", "fd00::", "fdff::1", "fcff::1", "fe00::"},
           Case{"2001:db8::/33", "2001:db8::", "2001:db8:7fff::1", "2001:db7::", "2001:db8:8000::"},
           Case{"::1", "::1", "::1", "::", "::2"},
       }) {
    const auto network = parse_cidr(c.network);
    ASSERT_TRUE(network) << c.network;
    EXPECT_TRUE(network->contains(*parse_ip_bytes(c.first))) << c.network;
    EXPECT_TRUE(network->contains(*parse_ip_bytes(c.last))) << c.network;
    EXPECT_FALSE(network->contains(*parse_ip_bytes(c.before))) << c.network;
    EXPECT_FALSE(network->contains(*parse_ip_bytes(c.behind))) << c.network;
  }
}

TEST(IpTest, EveryIpv6AndIpv4AddressIsInTheWidestNetwork) {
  const Cidr all = *parse_cidr("::/0");
  EXPECT_TRUE(all.contains(*parse_ip_bytes("2001:db8::1")));
  EXPECT_TRUE(all.contains(*parse_ip_bytes("10.0.0.1")));
}

TEST(IpTest, NetworksThatAreSlips) {
  for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1",
                          "10.0.0.0/8/8", "10.0.0.0/ 8", "fd00::1/8", "::/129", "x/8"})
    EXPECT_EQ(parse_cidr(bad), std::nullopt) << bad;
}

TEST(IpTest, TextOfANetworkReadsBack) {
  for (const char* text : {"10.0.0.0/8", "10.0.0.7/32", "0.0.0.0/0", "fd00::/8", "::1/128"}) {
    const Cidr network = *parse_cidr(text);
    EXPECT_EQ(to_string(network), text);
    EXPECT_EQ(parse_cidr(to_string(network)), network);
  }
}

}  // namespace
}  // namespace banyan
