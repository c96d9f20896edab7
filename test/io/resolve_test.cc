#include "io/resolve.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/hosts_file.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

Resolved::Entry entry(std::string_view address, uint16_t priority = 0, uint16_t weight = 1) {
  return {*parse_address(address), priority, weight};
}

TEST(InOrder, SortsByPriorityThenAddress) {
  std::vector<Resolved::Entry> some = {entry("10.0.0.2:80", 1), entry("[fd00::1]:80", 1),
                                       entry("10.0.0.1:80", 1), entry("10.0.0.9:80", 0)};
  const std::vector<Resolved::Entry> sorted = {entry("10.0.0.9:80", 0), entry("10.0.0.1:80", 1),
                                               entry("10.0.0.2:80", 1), entry("[fd00::1]:80", 1)};
  std::ranges::sort(some, {}, [](auto& e) { return e.address.ip; });
  do {
    EXPECT_EQ(in_order(some, 5s).entries, sorted);
  } while (std::ranges::next_permutation(some, {}, [](auto& e) { return e.address.ip; }).found);
}

TEST(InOrder, AnAddressCountsOnceAPriority) {
  const auto two = in_order(
      {entry("10.0.0.1:80"), entry("10.0.0.1:80"), entry("10.0.0.1:81"), entry("10.0.0.1:80", 2)},
      5s);
  EXPECT_EQ(two.entries.size(), 3u);
}

TEST(InOrder, KeepsTheBounds) {
  std::vector<Resolved::Entry> many;
  for (int i = 99; i >= 0; --i) many.push_back(entry("10.0.0." + std::to_string(i) + ":80"));
  const auto cut = in_order(many, 5s);
  ASSERT_EQ(cut.entries.size(), resolved_max);
  EXPECT_EQ(to_string(cut.entries.front().address), "10.0.0.0:80");
  EXPECT_EQ(to_string(cut.entries.back().address), "10.0.0.63:80");
  EXPECT_EQ(cut.ttl, 5s);
  EXPECT_EQ(in_order({entry("10.0.0.1:80")}, 0s).ttl, 1s);
  EXPECT_EQ(in_order({entry("10.0.0.1:80")}, Duration::max()).ttl, 1h);
}

TEST(WithoutAsking, NumericHosts) {
  EXPECT_EQ(without_asking("10.0.0.1", 80)->entries, std::vector{entry("10.0.0.1:80")});
  EXPECT_EQ(without_asking("::1", 81)->entries, std::vector{entry("[::1]:81")});
  EXPECT_EQ(without_asking("[::1]", 81)->entries, std::vector{entry("[::1]:81")});
  EXPECT_FALSE(without_asking("10.0.0.256", 80));
  EXPECT_FALSE(without_asking("shop.example", 80));
  EXPECT_FALSE(without_asking("", 80));
}

TEST(WithoutAsking, LocalhostIsHere) {
  const std::vector both = {entry("127.0.0.1:80"), entry("[::1]:80")};
  for (const char* name :
       {"localhost", "LocalHost", "localhost.", "app.localhost", "a.b.localhost."})
    EXPECT_EQ(without_asking(name, 80)->entries, both) << name;
  for (const char* name : {"notlocalhost", "localhost.example", "ocalhost"})
    EXPECT_FALSE(without_asking(name, 80)) << name;
}

TEST(HostsFile, ReadsNamesAndAliases) {
  const HostsFile hosts(
      "# a comment\n"
      "10.0.0.1\tshop.example  shop # the shop\n"
      "   ::1 ip6-localhost\r\n"
      "10.0.0.2 shop\n"
      "nonsense shop\n"
      "10.0.0.3\n"
      "10.0.0.4 last");
  ASSERT_NE(hosts.find("shop.example"), nullptr);
  EXPECT_EQ(hosts.find("shop.example")->size(), 1u);
  ASSERT_NE(hosts.find("SHOP."), nullptr);
  EXPECT_EQ(hosts.find("SHOP.")->size(), 2u);
  EXPECT_EQ(to_string(hosts.find("ip6-localhost")->front()), "[::1]:0");
  EXPECT_NE(hosts.find("last"), nullptr);
  for (const char* name : {"the", "comment", "nonsense", "10.0.0.1", ""})
    EXPECT_EQ(hosts.find(name), nullptr) << name;
}

TEST(HostsFile, AFileThatIsNotThereKnowsNothing) {
  EXPECT_EQ(HostsFile::read("/nonexistent/hosts").find("localhost"), nullptr);
}

}  // namespace
}  // namespace banyan
