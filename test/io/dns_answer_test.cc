#include "io/dns_answer.h"

#include <gtest/gtest.h>

#include "io/dns_message.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

std::span<const unsigned char> bytes(const std::string& message) {
  return {reinterpret_cast<const unsigned char*>(message.data()), message.size()};
}
std::string answer(const std::vector<std::string>& records) {
  return dns::message(7, 0x8180, dns::question("shop.example", DnsType::a), records);
}

TEST(DnsAnswer, ReadsAddresses) {
  const auto v4 = read_dns_answer(bytes(answer({dns::address("shop.example", "10.0.0.2", 60),
                                                dns::address("shop.example", "10.0.0.1", 30)})),
                                  DnsType::a);
  ASSERT_TRUE(v4.has_value());
  ASSERT_EQ(v4->addresses.size(), 2u);
  EXPECT_EQ(to_string(v4->addresses[0]), "10.0.0.2:0");
  EXPECT_EQ(to_string(v4->addresses[1]), "10.0.0.1:0");
  EXPECT_EQ(v4->ttl, 30s);
  const auto v6 =
      read_dns_answer(bytes(answer({dns::address("shop.example", "fd00::1", 5)})), DnsType::aaaa);
  ASSERT_TRUE(v6.has_value());
  ASSERT_EQ(v6->addresses.size(), 1u);
  EXPECT_EQ(to_string(v6->addresses[0]), "[fd00::1]:0");
}

TEST(DnsAnswer, TakesOnlyWhatWasAskedFor) {
  const std::string message = answer({dns::address("shop.example", "10.0.0.1", 60),
                                      dns::address("shop.example", "fd00::1", 1),
                                      dns::record("shop.example", DnsType{16}, 1, "\4text")});
  const auto v4 = read_dns_answer(bytes(message), DnsType::a);
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(v4->addresses.size(), 1u);
  EXPECT_EQ(v4->ttl, 60s);
  EXPECT_TRUE(read_dns_answer(bytes(message), DnsType::srv)->empty());
}

TEST(DnsAnswer, AnAliasCountsForTheTime) {
  const auto read = read_dns_answer(bytes(answer({dns::alias("shop.example", "a.example", 7),
                                                  dns::address("a.example", "10.0.0.1", 60)})),
                                    DnsType::a);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->addresses.size(), 1u);
  EXPECT_EQ(read->ttl, 7s);
}

TEST(DnsAnswer, ReadsServices) {
  const auto read = read_dns_answer(
      bytes(answer({dns::service("_http._tcp.shop.example", 1, 20, 8080, "a.shop.example", 9)})),
      DnsType::srv);
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->targets.size(), 1u);
  EXPECT_EQ(read->targets[0].host, "a.shop.example");
  EXPECT_EQ(read->targets[0].port, 8080);
  EXPECT_EQ(read->targets[0].priority, 1);
  EXPECT_EQ(read->targets[0].weight, 20);
  EXPECT_EQ(read->ttl, 9s);
}

TEST(DnsAnswer, FollowsCompressedNames) {
  // The owner is a pointer to the question's name, at byte 12.
  const std::string owner("\xc0\x0c", 2);
  const std::string record = owner + dns::u16(1) + dns::u16(1) + dns::u32(60) + dns::u16(4) +
                             std::string("\x0a\x00\x00\x01", 4);
  const auto read = read_dns_answer(bytes(answer({record})), DnsType::a);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->addresses.size(), 1u);
}

TEST(DnsAnswer, ATimeWithTheHighestBitIsZero) {
  const auto read = read_dns_answer(
      bytes(answer({dns::address("shop.example", "10.0.0.1", 0x80000001)})), DnsType::a);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->ttl, 0s);
}

TEST(DnsAnswer, EveryCutMessageIsMalformed) {
  for (const auto& [type, whole] :
       {std::pair(DnsType::a, answer({dns::alias("shop.example", "a.example", 7),
                                      dns::address("a.example", "10.0.0.1", 60)})),
        std::pair(DnsType::aaaa, answer({dns::address("shop.example", "fd00::1", 60)})),
        std::pair(DnsType::srv, answer({dns::service("_h._tcp.x", 1, 2, 3, "a.b", 9)}))}) {
    ASSERT_TRUE(read_dns_answer(bytes(whole), type).has_value());
    for (size_t n = 0; n < whole.size(); ++n) {
      // A copy of its own size, so that the sanitizer sees a read beyond it.
      const std::vector<unsigned char> cut(whole.begin(), whole.begin() + static_cast<long>(n));
      const auto read = read_dns_answer(cut, type);
      ASSERT_FALSE(read.has_value()) << n;
      EXPECT_EQ(read.error().code, Code::unavailable);
      EXPECT_EQ(read.error().side, Side::upstream);
    }
  }
}

TEST(DnsAnswer, RefusesWrongLengths) {
  const auto short_address = dns::record("x", DnsType::a, 1, "abc");
  const auto long_address = dns::record("x", DnsType::a, 1, "abcde");
  const auto short_v6 = dns::record("x", DnsType::aaaa, 1, "abcd");
  const auto long_service = dns::record(
      "x", DnsType::srv, 1, dns::u16(1) + dns::u16(1) + dns::u16(80) + dns::name("a.b") + "more");
  EXPECT_FALSE(read_dns_answer(bytes(answer({short_address})), DnsType::a));
  EXPECT_FALSE(read_dns_answer(bytes(answer({long_address})), DnsType::a));
  EXPECT_FALSE(read_dns_answer(bytes(answer({short_v6})), DnsType::aaaa));
  EXPECT_FALSE(read_dns_answer(bytes(answer({long_service})), DnsType::srv));
}

TEST(DnsAnswer, RefusesNamesThatRunInACircle) {
  // The owner points at itself: the question's name is 14 bytes, the record begins at byte 30.
  const std::string asked = dns::question("shop.example", DnsType::a);
  const unsigned at = 12 + static_cast<unsigned>(asked.size());
  const std::string record =
      dns::u16(0xc000 | at) + dns::u16(1) + dns::u16(1) + dns::u32(60) + dns::u16(4) + "abcd";
  EXPECT_FALSE(read_dns_answer(bytes(dns::message(7, 0x8180, asked, {record})), DnsType::a));
}

TEST(DnsAnswer, NoRecordsAreNoError) {
  const auto read = read_dns_answer(bytes(answer({})), DnsType::a);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->empty());
}

}  // namespace
}  // namespace banyan
