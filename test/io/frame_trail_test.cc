// A trail is a hint, so what it must not be is wrong for long, too long, or read after its end.
#include "io/frame_trail.h"

#include <gtest/gtest.h>

#include "sim/run.h"
#include "task/combine.h"

namespace banyan {
namespace {

// Suspends nobody; takes the trail of whoever awaits it.
struct TakeTrail {
  FrameTrail& trail;
  const PromiseBase*& own;
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> caller) noexcept {
    own = &caller.promise();
    trail.follow(own);
    return false;
  }
  void await_resume() const noexcept {}
};

size_t length(const FrameTrail& trail) {
  size_t n = 0;
  while (n < FrameTrail::depth && trail.frames[n] != nullptr) ++n;
  return n;
}

Task<> nested(int levels, FrameTrail& trail, std::vector<const void*>& frames) {
  const PromiseBase* own = nullptr;
  if (levels > 1) co_await nested(levels - 1, trail, frames);
  FrameTrail mine;
  co_await TakeTrail{levels > 1 ? mine : trail, own};
  frames.push_back(own);
}

TEST(FrameTrailTest, ItNamesTheFramesFromTheInnermostOn) {
  Sim sim;
  FrameTrail trail;
  std::vector<const void*> frames;  // the innermost ends first
  sim.run([&]() -> Task<> { co_await nested(3, trail, frames); });
  ASSERT_EQ(frames.size(), 3u);
  ASSERT_GE(length(trail), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(trail.frames[i], frames[i]) << i;
}

TEST(FrameTrailTest, ItGoesThroughLimitsOfTime) {
  Sim sim;
  FrameTrail trail;
  std::vector<const void*> frames;
  size_t without = 0;
  sim.run([&]() -> Task<> {
    co_await nested(2, trail, frames);
    without = length(trail);
    co_await within{std::chrono::seconds(1), nested(2, trail, frames)};
  });
  EXPECT_EQ(length(trail), without);
}

TEST(FrameTrailTest, ALongChainIsCut) {
  Sim sim;
  FrameTrail trail;
  std::vector<const void*> frames;
  sim.run([&]() -> Task<> { co_await nested(100, trail, frames); });
  EXPECT_EQ(length(trail), FrameTrail::depth);
  for (size_t i = 0; i < FrameTrail::depth; ++i) EXPECT_EQ(trail.frames[i], frames[i]) << i;
}

TEST(FrameTrailTest, AShorterOneEndsWhereItEnds) {
  FrameTrail trail;
  PromiseBase outer, inner;
  inner.caller = &outer;
  PromiseBase many[FrameTrail::depth];
  for (size_t i = 0; i + 1 < FrameTrail::depth; ++i) many[i].caller = &many[i + 1];
  trail.follow(many);
  trail.follow(&inner);
  EXPECT_EQ(length(trail), 2u);
  EXPECT_EQ(trail.frames[1], &outer);
  trail.follow(nullptr);
  EXPECT_EQ(length(trail), 0u);
  trail.prefetch();
}

}  // namespace
}  // namespace banyan
