#include "http/traceparent.h"

#include <gtest/gtest.h>

#include <string>

namespace banyan {
namespace {

const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr TraceId id{.high = 0x0af7651916cd43dd, .low = 0x8448eb211c80319c};

TEST(Traceparent, TheIdOfAVersionThatIsKnown) {
  EXPECT_EQ(parse_traceparent(good), id);
  EXPECT_EQ(parse_traceparent("00-00000000000000000000000000000001-0000000000000001-00"),
            (TraceId{.low = 1}));
}

TEST(Traceparent, AVersionToComeMayHaveMore) {
  EXPECT_EQ(parse_traceparent("01" + good.substr(2)), id);
  EXPECT_EQ(parse_traceparent("cc" + good.substr(2) + "-what-the-future-will-be-like"), id);
  EXPECT_EQ(parse_traceparent("01" + good.substr(2) + "-"), id);
  EXPECT_EQ(parse_traceparent("01" + good.substr(2) + ".more"), std::nullopt);
}

TEST(Traceparent, AnythingElseIsNone) {
  const auto with = [](size_t at, char c) {
    std::string text = good;
    text[at] = c;
    return text;
  };
  for (const std::string& text :
       {std::string(), good.substr(1), good.substr(0, 54), good + "-more", good + " ",
        "ff" + good.substr(2), with(0, 'x'), with(2, '_'), with(3, 'A'), with(20, 'g'),
        with(35, '0'), with(52, '+'), with(54, 'F'),
        std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        std::string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")})
    EXPECT_EQ(parse_traceparent(text), std::nullopt) << text;
}

}  // namespace
}  // namespace banyan
