#include "base/shared_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace banyan {
namespace {

TEST(SharedLimitTest, NeverMoreThanTheLimit) {
  SharedLimit limit(2);
  auto a = limit.try_acquire();
  auto b = limit.try_acquire();
  EXPECT_TRUE(a && b);
  EXPECT_FALSE(limit.try_acquire());
  EXPECT_EQ(limit.taken(), 2u);
  a.reset();
  EXPECT_EQ(limit.taken(), 1u);
  EXPECT_TRUE(limit.try_acquire());  // and given back at once
  EXPECT_EQ(limit.taken(), 1u);
}

TEST(SharedLimitTest, AMovedTokenIsGivenBackOnce) {
  SharedLimit limit(1);
  {
    auto a = limit.try_acquire();
    SharedLimit::Token b(std::move(*a));
    a.reset();
    EXPECT_EQ(limit.taken(), 1u);
  }
  EXPECT_EQ(limit.taken(), 0u);
}

TEST(SharedLimitTest, ALowerLimitWaitsForWhatIsOut) {
  SharedLimit limit(3);
  std::vector<SharedLimit::Token> out;
  for (int i = 0; i < 3; ++i) out.push_back(*limit.try_acquire());
  limit.set_limit(2);
  EXPECT_EQ(limit.taken(), 3u);
  out.pop_back();
  EXPECT_FALSE(limit.try_acquire()) << "two are out, two are allowed";
  out.pop_back();
  EXPECT_TRUE(limit.try_acquire());
  limit.set_limit(0);
  EXPECT_FALSE(limit.try_acquire());
}

// For the thread sanitizer, and for exactness.
TEST(SharedLimitTest, SeveralThreadsTogetherNeverPassIt) {
  constexpr uint64_t most = 3;
  SharedLimit limit(most);
  std::atomic<uint64_t> inside{0}, highest{0}, got{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const auto token = limit.try_acquire();
        if (!token) continue;
        const uint64_t now = ++inside;
        uint64_t seen = highest;
        while (now > seen && !highest.compare_exchange_weak(seen, now)) {
        }
        ++got;
        --inside;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_LE(highest, most);
  EXPECT_GT(got, 0u);
  EXPECT_EQ(limit.taken(), 0u);
}

}  // namespace
}  // namespace banyan
