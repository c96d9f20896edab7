#include "app/worker_plan.h"

#include <gtest/gtest.h>

namespace banyan {
namespace {

Settings listeners(std::vector<std::pair<std::string, std::optional<uint32_t>>> wanted) {
  Settings out;
  for (auto& [name, threads] : wanted) {
    ListenerSettings listener;
    listener.threads = threads;
    out.listeners.push_back({.name = name, .place = {}, .value = listener});
  }
  return out;
}

TEST(WorkerPlan, WithoutThreadsAllShareTheGeneralWorkers) {
  const WorkerPlan plan(3, listeners({{"public", {}}, {"inside", {}}}));
  EXPECT_EQ(plan.size(), 3u);
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_TRUE(plan.serves(i, "public"));
    EXPECT_TRUE(plan.serves(i, "inside"));
    EXPECT_TRUE(plan.serves(i, "one that a reload brings"));
  }
  EXPECT_EQ(plan.thread_name(2), "worker-2");
}

TEST(WorkerPlan, AListenersOwnWorkersServeItAndNothingElse) {
  const WorkerPlan plan(2, listeners({{"web", 2}, {"public", {}}, {"mobile", 1}}));
  EXPECT_EQ(plan.size(), 5u);
  EXPECT_EQ(plan.general(), 2u);
  const struct {
    unsigned worker;
    bool web, open, mobile;
    const char* thread;
  } rows[] = {{0, false, true, false, "worker-0"},
              {1, false, true, false, "worker-1"},
              {2, true, false, false, "web-0"},
              {3, true, false, false, "web-1"},
              {4, false, false, true, "mobile-0"}};
  for (const auto& row : rows) {
    EXPECT_EQ(plan.serves(row.worker, "web"), row.web) << row.worker;
    EXPECT_EQ(plan.serves(row.worker, "public"), row.open) << row.worker;
    EXPECT_EQ(plan.serves(row.worker, "mobile"), row.mobile) << row.worker;
    EXPECT_EQ(plan.thread_name(row.worker), row.thread);
  }
}

TEST(WorkerPlan, ALongNameKeepsTheNumberOfTheThread) {
  const WorkerPlan plan(1, listeners({{"a-listener-with-a-long-name", 11}}));
  EXPECT_EQ(plan.thread_name(11), "a-listener-w-10");
  EXPECT_EQ(plan.thread_name(11).size(), 15u);
}

TEST(WorkerPlan, AFileThatWantsItOtherwiseIsTold) {
  const WorkerPlan plan(1, listeners({{"web", 2}, {"public", {}}}));
  EXPECT_TRUE(plan.differences(listeners({{"web", 2}, {"public", {}}, {"new", {}}})).empty());
  EXPECT_TRUE(plan.differences(listeners({{"public", {}}})).empty()) << "it is gone, that is all";
  const auto told = plan.differences(listeners({{"web", 3}, {"public", 1}, {"new", 4}}));
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0],
            "listener web: `threads` is 3 in the file; until the process is started again it has 2 "
            "of its own");
  EXPECT_EQ(told[1],
            "listener public: `threads` is 1 in the file; until the process is started again it "
            "shares the general workers");
  EXPECT_EQ(plan.differences(listeners({{"web", {}}})).at(0),
            "listener web: `threads` is not in the file; until the process is started again it has "
            "2 of its own");
}

}  // namespace
}  // namespace banyan
