#include <gmock/gmock.h>

#include "patterns/ambassador/token_source.h"
#include "sim/run.h"

namespace banyan {
namespace {

using namespace std::chrono_literals;

// ---- What a server grants.
TEST(Grant, IsRead) {
  const auto grant = parse_grant(
      R"({"access_token":"abc.DEF-1","token_type":"Bearer","expires_in":3600,"scope":"a"})");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->token, "abc.DEF-1");
  EXPECT_EQ(grant->life, 1h);
  EXPECT_EQ(parse_grant(R"({"access_token":"a","token_type":"bearer"})")->life, 5min);
  EXPECT_EQ(parse_grant(R"({"access_token":"a","expires_in":"120"})")->life, 2min);
  EXPECT_EQ(parse_grant(R"({"access_token":"a","expires_in":1.5})")->life, 1500ms);
  EXPECT_EQ(parse_grant(R"({"access_token":"a","expires_in":1e300})")->life, TokenStore::life_max);
  EXPECT_EQ(parse_grant(R"({"access_token":"a","expires_in":-5})")->life, 5min);
}

TEST(Grant, WhatCannotBeUsedIsNone) {
  for (const char* json :
       {"", "x", "[]", "{}", "null", R"("a")", R"({"access_token":""})", R"({"access_token":7})",
        R"({"access_token":"a b"})", R"({"access_token":"a\r\nX-Evil: 1"})",
        R"({"access_token":"ä"})", R"({"access_token":"a","token_type":"mac"})",
        R"({"access_token":"a")", R"({"error":"invalid_client"})"})
    EXPECT_FALSE(parse_grant(json)) << json;
  EXPECT_FALSE(parse_grant(R"({"access_token":")" + std::string(20'000, 'a') + "\"}"));
}

TEST(Grant, TheQuestionIsEncoded) {
  OAuth2Settings s{.client_id = "me", .client_secret = {"s&=+%"}, .scope = "read write"};
  EXPECT_EQ(grant_request(s), "grant_type=client_credentials&scope=read+write");
  s.auth = ClientAuth::post;
  s.audience = "https://api";
  EXPECT_EQ(grant_request(s),
            "grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi&client_id="
            "me&client_secret=s%26%3D%2B%25");
}

// ---- One token for all.
class TokenStoreTest : public testing::Test {
 protected:
  Time now() { return sim.loop().now(); }
  template <class F>
  void at(Duration when, F f) {
    sim.run([&]() -> Task<> {
      (void)co_await sleep_for(when);
      f();
    });
  }
  Sim sim;
  TokenStore store;
};

TEST_F(TokenStoreTest, OneFetchesAndTheOthersWait) {
  const auto first = store.look(now());
  EXPECT_TRUE(first.fetch);
  EXPECT_EQ(first.token, nullptr);
  const auto second = store.look(now());
  EXPECT_FALSE(second.fetch);
  EXPECT_TRUE(second.awaited);
  const auto signal = std::make_shared<TokenStore::Signal>(sim.loop());
  store.wait(signal);
  EXPECT_FALSE(signal->event.is_set());
  store.granted("t", 100s, sim.loop());
  EXPECT_TRUE(signal->event.is_set());
  EXPECT_EQ(*store.look(now()).token, "t");
  const auto late = std::make_shared<TokenStore::Signal>(sim.loop());
  store.wait(late);
  EXPECT_TRUE(late->event.is_set()) << "it has ended before";
}

TEST_F(TokenStoreTest, ItIsRenewedEarlyByOneAndUsedUntilItsEnd) {
  (void)store.look(now());
  store.granted("old", 100s, sim.loop());
  at(74s, [&] { EXPECT_FALSE(store.look(now()).fetch); });
  at(1s, [&] {
    const auto view = store.look(now());
    EXPECT_TRUE(view.fetch);
    EXPECT_EQ(*view.token, "old");
    EXPECT_FALSE(store.look(now()).fetch) << "one fetch at a time";
  });
  at(14s, [&] { EXPECT_EQ(*store.look(now()).token, "old"); });
  at(1s, [&] { EXPECT_EQ(store.look(now()).token, nullptr) << "90 s: the last part is kept"; });
  store.granted("new", 100s, sim.loop());
  EXPECT_EQ(*store.look(now()).token, "new");
}

TEST_F(TokenStoreTest, AFailureIsNotTriedAgainAtOnce) {
  Duration pauses[] = {1s, 2s, 4s, 8s, 16s, 30s, 30s};
  for (const Duration pause : pauses) {
    EXPECT_TRUE(store.look(now()).fetch);
    store.failed("no", sim.loop());
    const auto view = store.look(now());
    EXPECT_FALSE(view.fetch || view.awaited);
    EXPECT_STREQ(view.why, "no");
    at(pause - 1ms, [&] { EXPECT_FALSE(store.look(now()).fetch); });
    at(1ms, [] {});
  }
  EXPECT_TRUE(store.look(now()).fetch);
  store.given_up(sim.loop());
  EXPECT_TRUE(store.look(now()).fetch) << "called off is not failed";
  store.granted("t", 100s, sim.loop());
  EXPECT_EQ(store.counts().failed, 7u);
  EXPECT_EQ(store.counts().fetched, 1u);
}

TEST_F(TokenStoreTest, ARejectedOneIsDroppedOnce) {
  (void)store.look(now());
  store.granted("a", 100s, sim.loop());
  const TokenPtr a = store.look(now()).token;
  store.rejected(a);
  EXPECT_TRUE(store.look(now()).fetch);
  store.granted("b", 100s, sim.loop());
  store.rejected(a);
  EXPECT_EQ(*store.look(now()).token, "b") << "a late answer to the old one";
  EXPECT_EQ(store.counts().rejected, 1u);
}

TEST(TokenStores, OthersSettingsAreOtherTokens) {
  TokenStores stores;
  const OAuth2Settings a{.client_id = "a"}, b{.client_id = "b"};
  const auto first = stores.of("s", a);
  EXPECT_EQ(stores.of("s", a), first);
  EXPECT_NE(stores.of("t", a), first);
  const auto second = stores.of("s", b);
  EXPECT_NE(second, first);
  EXPECT_EQ(stores.of("s", b), second);
}

}  // namespace
}  // namespace banyan
