#include "http/hop.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace banyan {
namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

std::string after_removal(const Fields& fields) {
  Arena arena;
  Headers h(arena);
  for (const auto& [name, value] : fields) h.add(name, value);
  remove_hop_by_hop(h);
  std::string out;
  for (const Field& f : h) out += std::string(f.name) + "=" + std::string(f.value) + " ";
  return out;
}

TEST(Hop, RemovesTheFieldsOfTheConnection) {
  EXPECT_EQ(after_removal({{"A", "1"},
                           {"Connection", "keep-alive"},
                           {"Keep-Alive", "x"},
                           {"Proxy-Connection", "x"},
                           {"Proxy-Authenticate", "x"},
                           {"Proxy-Authorization", "x"},
                           {"Transfer-Encoding", "chunked"},
                           {"Upgrade", "x"},
                           {"B", "2"}}),
            "A=1 B=2 ");
}

TEST(Hop, RemovesWhatConnectionNames) {
  EXPECT_EQ(after_removal({{"X-A", "1"}, {"Connection", "close, x-a"}, {"x-b", "2"}}), "x-b=2 ");
  EXPECT_EQ(after_removal({{"Connection", "x-a"},
                           {"Connection", " X-B ,"},
                           {"x-a", "1"},
                           {"X-b", "2"},
                           {"x-c", "3"},
                           {"x-a", "4"}}),
            "x-c=3 ");
  EXPECT_EQ(after_removal({{"Connection", "etag"}, {"ETag", "1"}}), "");
}

// A client may not use Connection to take away what the next hop relies on.
TEST(Hop, KeepsWhatMayNotBeStripped) {
  for (std::string_view name :
       {"host", "content-length", "content-type", "authorization", "cookie", "x-forwarded-for",
        "x-forwarded-proto", "forwarded", "via", "x-request-id", "traceparent", "cache-control"}) {
    EXPECT_EQ(after_removal({{"connection", name}, {name, "v"}}), std::string(name) + "=v ");
  }
}

TEST(Hop, OnlyTrailersIsLeftOfTe) {
  EXPECT_EQ(after_removal({{"TE", "gzip, trailers"}}), "te=trailers ");
  EXPECT_EQ(after_removal({{"TE", "gzip"}, {"a", "b"}}), "a=b ");
  EXPECT_EQ(after_removal({{"TE", "trailers"}, {"Connection", "te"}}), "te=trailers ");
}

TEST(Hop, LeavesOthersAlone) {
  EXPECT_EQ(after_removal({}), "");
  EXPECT_EQ(after_removal({{"b", "1"}, {"a", "2"}, {"b", "3"}}), "b=1 a=2 b=3 ");
}

std::string_view asked(Arena& arena, const Fields& fields, uint8_t minor = 1) {
  Headers h(arena);
  for (const auto& [name, value] : fields) h.add(name, value);
  return upgrade_protocol(h, minor);
}

TEST(Hop, UpgradeCountsOnlyIfConnectionSaysSo) {
  Arena arena;
  const Fields both = {{"Connection", "keep-alive, Upgrade"}, {"Upgrade", "websocket"}};
  EXPECT_EQ(asked(arena, both), "websocket");
  EXPECT_EQ(asked(arena, both, 0), "");
  EXPECT_EQ(asked(arena, {{"Upgrade", "websocket"}}), "");
  EXPECT_EQ(asked(arena, {{"Connection", "upgrade"}}), "");
}

// h2c ends at the gateway: behind a switched connection no rule would see the requests any more.
TEST(Hop, AnUpgradeToHttp2IsNotPassedOn) {
  Arena arena;
  for (std::string_view protocol :
       {"h2c", "H2C", "h2c, websocket", "websocket,h2c", "h2", "HTTP/2.0"})
    EXPECT_EQ(asked(arena, {{"Connection", "upgrade"}, {"Upgrade", protocol}}), "") << protocol;
}

TEST(Hop, ARequiredProtocolIsToldButNotHttp) {
  const auto required = [](const Fields& fields) {
    Arena arena;
    Headers h(arena);
    for (const auto& [name, value] : fields) h.add(name, value);
    return std::string(required_protocol(h));
  };
  EXPECT_EQ(required({{"Upgrade", "websocket"}}), "websocket");
  EXPECT_EQ(required({{"Upgrade", "h2c"}}), "");
  EXPECT_EQ(required({{"Upgrade", "a"}, {"Upgrade", "b"}}), "");
  EXPECT_EQ(required({}), "");
}

// "false" is the end of the way, a number what is left behind us.
std::string spent(Method method, const Fields& fields) {
  Arena arena;
  Headers h(arena);
  for (const auto& [name, value] : fields) h.add(name, value);
  const auto further = spend_forward(method, h);
  if (!further) return further.error().what;
  return *further ? std::string(h.get(Name::max_forwards)) : "false";
}

TEST(Hop, MaxForwardsIsCountedDown) {
  EXPECT_EQ(spent(Method::options, {{"Max-Forwards", "10"}}), "9");
  EXPECT_EQ(spent(Method::trace, {{"max-forwards", "1"}}), "0");
  EXPECT_EQ(spent(Method::trace, {{"Max-Forwards", "0"}}), "false");
  EXPECT_EQ(spent(Method::options, {{"Max-Forwards", "000"}}), "false");
  EXPECT_EQ(spent(Method::options, {}), "");
  EXPECT_EQ(spent(Method::get, {{"Max-Forwards", "0"}}), "0");
}

TEST(Hop, MaxForwardsIsOneNumber) {
  for (std::string_view value : {"", "-1", "+1", "1,2", "x", "99999999999999999999"})
    EXPECT_EQ(spent(Method::options, {{"Max-Forwards", value}}), "Max-Forwards is not a number")
        << value;
  EXPECT_EQ(spent(Method::trace, {{"Max-Forwards", "1"}, {"Max-Forwards", "2"}}),
            "Max-Forwards is not a number");
}

}  // namespace
}  // namespace banyan
