#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace banyan {
namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

class ForwardedTest : public testing::Test {
 protected:
  std::string set(const Fields& fields, bool trusted) {
    Arena arena;
    Headers headers(arena);
    Record record;
    for (const auto& [name, value] : fields) headers.add(name, value);
    const Address address = *parse_address(client);
    Request request{.arena = arena,
                    .authority = authority,
                    .minor_version = minor_version,
                    .secure = secure,
                    .headers = headers,
                    .client = address,
                    .record = record};
    set_forwarded(request, trusted);
    std::string out;
    for (const Field& f : headers) out += std::string(f.name) + "=" + std::string(f.value) + "|";
    return out;
  }
  std::string client = "192.0.2.1:5000";
  std::string authority = "shop.example:8080";
  bool secure = false;
  uint8_t minor_version = 1;
};

TEST_F(ForwardedTest, TellsAboutTheClient) {
  EXPECT_EQ(set({}, false),
            "x-forwarded-for=192.0.2.1|x-forwarded-proto=http|"
            "x-forwarded-host=shop.example:8080|via=1.1 banyan|");
  secure = true;
  minor_version = 0;
  authority = "";
  EXPECT_EQ(set({}, false), "x-forwarded-for=192.0.2.1|x-forwarded-proto=https|via=1.0 banyan|");
}

const Fields claims = {{"X-Forwarded-For", "10.0.0.1"}, {"X-Forwarded-Proto", "https"},
                       {"X-Forwarded-Host", "evil"},    {"X-Forwarded-Port", "1"},
                       {"X-Real-IP", "10.0.0.1"},       {"Forwarded", "for=10.0.0.1"},
                       {"x-forwarded-for", "10.0.0.2"}};

TEST_F(ForwardedTest, WhatAnUntrustedPeerSaysIsReplaced) {
  EXPECT_EQ(set(claims, false), set({}, false));
}

TEST_F(ForwardedTest, ATrustedPeersChainIsAddedTo) {
  EXPECT_EQ(set({{"X-Forwarded-For", "10.0.0.1"}, {"X-Forwarded-Proto", "https"}}, true),
            "X-Forwarded-Proto=https|x-forwarded-for=10.0.0.1, 192.0.2.1|"
            "x-forwarded-host=shop.example:8080|via=1.1 banyan|");
  // In several fields the last one is the newest: ours goes behind.
  EXPECT_EQ(set({{"X-Forwarded-For", "10.0.0.1"}, {"X-Forwarded-For", "10.0.0.2"}}, true),
            "X-Forwarded-For=10.0.0.1|X-Forwarded-For=10.0.0.2|x-forwarded-for=192.0.2.1|"
            "x-forwarded-proto=http|x-forwarded-host=shop.example:8080|via=1.1 banyan|");
}

TEST_F(ForwardedTest, ForwardedIsAddedToWhereATrustedPeerUsedIt) {
  EXPECT_NE(set({{"Forwarded", "for=10.0.0.1"}}, true).find("forwarded=for=192.0.2.1;proto=http|"),
            std::string::npos);
  client = "[2001:db8::1]:5000";
  EXPECT_NE(set({{"Forwarded", "for=10.0.0.1"}}, true)
                .find("forwarded=for=\"[2001:db8::1]\";proto=http|"),
            std::string::npos);
  EXPECT_EQ(set({}, true).find("|forwarded="), std::string::npos);
}

TEST_F(ForwardedTest, ViaIsAlwaysAddedTo) {
  EXPECT_EQ(set({{"Via", "1.0 first"}}, false).substr(0, 14), "Via=1.0 first|");
  EXPECT_TRUE(set({{"Via", "1.0 first"}}, false).ends_with("via=1.1 banyan|"));
}

// To a CGI program these are HTTP_X_FORWARDED_FOR and so on, whoever sent them.
TEST_F(ForwardedTest, AliasesOfKnownNamesAreRemoved) {
  for (const bool trusted : {false, true})
    for (std::string_view name :
         {"X_Forwarded_For", "x-forwarded_for", "X_FORWARDED_PROTO", "x_real_ip", "Content_Length",
          "transfer_encoding", "X_Request_ID", "Proxy", "PROXY"})
      EXPECT_EQ(set({{name, "1"}}, trusted), set({}, trusted)) << name;
}

TEST_F(ForwardedTest, OtherNamesWithUnderscoresPass) {
  for (std::string_view name : {"My_Own", "x_forwarded_for_", "_x_forwarded_for", "proxy_", "_",
                                "a_name_that_is_longer_than_every_known_one"})
    EXPECT_TRUE(set({{name, "1"}}, false).starts_with(std::string(name) + "=1|")) << name;
}

// A Unix socket has no address that could be told; the field must be well-formed all the same.
TEST_F(ForwardedTest, AUnixPeerIsUnknown) {
  client = "unix:/run/x.sock";
  EXPECT_TRUE(set({}, false).starts_with("x-forwarded-for=unknown|"));
  EXPECT_NE(set({{"Forwarded", "for=a"}}, true).find("for=unknown;"), std::string::npos);
}

}  // namespace
}  // namespace banyan
