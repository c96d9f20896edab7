#include "http/headers.h"

#include <gtest/gtest.h>

#include <string>

namespace banyan {
namespace {

std::string all_of(const Headers& headers) {
  std::string out;
  for (const Field& f : headers) {
    out += f.name;
    out += '=';
    out += f.value;
    out += ' ';
  }
  return out;
}

class HeadersTest : public testing::Test {
 protected:
  Arena arena;
  Headers h{arena};
};

TEST_F(HeadersTest, KeepOrderCaseAndDuplicates) {
  h.add("X-B", "1");
  h.add("Cookie", "a");
  h.add("x-a", "2");
  h.add("cookie", "b");
  EXPECT_EQ(all_of(h), "X-B=1 Cookie=a x-a=2 cookie=b ");
  EXPECT_EQ(h.count(Name::cookie), 2u);
  EXPECT_EQ(h.get(Name::cookie), "a");
}

TEST_F(HeadersTest, FindsKnownAndOtherNamesInAnyCase) {
  h.add("X-Thing", "1");
  h.add("HOST", "a");
  EXPECT_EQ(h.get("x-thing"), "1");
  EXPECT_EQ(h.get("host"), "a");
  EXPECT_EQ(h.get(Name::host), "a");
  EXPECT_EQ(h.find("x-thin"), nullptr);
  EXPECT_EQ(h.find(Name::cookie), nullptr);
  EXPECT_EQ(h.get("absent"), "");
}

TEST_F(HeadersTest, AnEmptyValueIsPresent) {
  h.add(Name::host, "");
  EXPECT_TRUE(h.has(Name::host));
  EXPECT_NE(h.find(Name::host), nullptr);
}

TEST_F(HeadersTest, RemovesAllOfAName) {
  h.add("a", "1");
  h.add("Via", "x");
  h.add("A", "2");
  h.add("via", "y");
  h.add("b", "3");
  h.remove("a");
  EXPECT_EQ(all_of(h), "Via=x via=y b=3 ");
  h.remove("VIA");
  EXPECT_EQ(all_of(h), "b=3 ");
  EXPECT_FALSE(h.has(Name::via));
  h.remove("b");
  EXPECT_TRUE(h.empty());
  EXPECT_EQ(h.find("b"), nullptr);
}

TEST_F(HeadersTest, SetReplacesAllByOne) {
  h.add(Name::via, "x");
  h.add(Name::via, "y");
  h.set(Name::via, "z");
  h.set("Other", "1");
  h.set("other", "2");
  EXPECT_EQ(all_of(h), "via=z other=2 ");
}

TEST_F(HeadersTest, GrowBeyondTheFirstArray) {
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const auto value = arena.copy(std::to_string(i));
    h.add("n", value);
    expected += "n=" + std::string(value) + ' ';
  }
  EXPECT_EQ(all_of(h), expected);
  h.remove_if([](const Field& f) { return f.value.size() != 3; });
  EXPECT_EQ(h.size(), 100u);
}

}  // namespace
}  // namespace banyan
