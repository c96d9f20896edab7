#include "patterns/bulkhead/fair_queue.h"

#include <gtest/gtest.h>

#include <deque>

namespace banyan {
namespace {

class FairQueueTest : public testing::Test {
 protected:
  FairQueue::Ticket& wait(std::string_view key, Priority priority = Priority::normal) {
    FairQueue::Ticket& ticket = tickets.emplace_back();
    ticket.key = &queue.key(key);
    ticket.priority = priority;
    queue.push(ticket);
    return ticket;
  }
  // Gives `n` permits, and tells to whom.
  std::string give(int n, bool newest_first = false) {
    std::string out;
    for (; n > 0; --n) {
      FairQueue::Ticket* next = queue.next(newest_first);
      if (next == nullptr) break;
      queue.remove(*next);
      queue.started(*next->key);
      out += next->key->name;
    }
    return out;
  }
  std::string victim(std::string_view key, Priority priority = Priority::normal,
                     bool newest_first = false) {
    const FairQueue::Ticket* out = queue.victim(queue.key(key), priority, newest_first);
    return out != nullptr ? out->key->name : "the newcomer";
  }

  FairQueue queue;
  std::deque<FairQueue::Ticket> tickets;
};

TEST_F(FairQueueTest, AFloodByOneKeyWaitsBehindItself) {
  for (int i = 0; i < 6; ++i) wait("a");
  wait("b");
  wait("c");
  EXPECT_EQ(give(8), "abcaaaaa");
}

TEST_F(FairQueueTest, EachGetsItsShareAndIdleSharesAreLent) {
  queue.set_shares({{"gold", 4}}, 1);
  for (int i = 0; i < 8; ++i) {
    wait("gold");
    wait("x");
  }
  EXPECT_EQ(give(5), "goldxgoldgoldgold") << "four to one";
  EXPECT_EQ(give(5), "xgoldgoldgoldgold") << "both have their share: x was served longest ago";
  EXPECT_EQ(give(6), "xxxxxx") << "nobody else waits";
}

TEST_F(FairQueueTest, WhoHasMoreInUseWaits) {
  wait("a");
  wait("a");
  EXPECT_EQ(give(2), "aa");
  wait("a");
  wait("b");
  EXPECT_EQ(give(1), "b");
  queue.ended(queue.key("a"));
  queue.ended(queue.key("a"));
  wait("b");
  EXPECT_EQ(give(2), "ab") << "a has none, b has one";
}

TEST_F(FairQueueTest, HigherPrioritiesGoFirst) {
  wait("a", Priority::low);
  wait("b", Priority::normal);
  wait("c", Priority::high);
  EXPECT_EQ(give(3), "cba");
}

TEST_F(FairQueueTest, TheOldestOrTheNewestOfAKey) {
  FairQueue::Ticket& first = wait("a");
  wait("a");
  FairQueue::Ticket& last = wait("a");
  EXPECT_EQ(queue.next(false), &first);
  EXPECT_EQ(queue.next(true), &last);
}

TEST_F(FairQueueTest, WhoWaitsMostForItsShareMakesRoom) {
  wait("a");
  EXPECT_EQ(victim("a"), "the newcomer") << "its own key is the most crowded";
  EXPECT_EQ(victim("b"), "the newcomer") << "one each would be no better";
  wait("a");
  EXPECT_EQ(victim("b"), "a");
  EXPECT_EQ(victim("a"), "the newcomer");
}

TEST_F(FairQueueTest, WhereTheNewestAreServedTheOldestMakesRoom) {
  FairQueue::Ticket& oldest = wait("a");
  FairQueue::Ticket& newest = wait("a");
  EXPECT_EQ(queue.victim(queue.key("a"), Priority::normal, true), &oldest);
  EXPECT_EQ(queue.victim(queue.key("b"), Priority::normal, false), &newest);
}

TEST_F(FairQueueTest, ALowerPriorityMakesRoomFirst) {
  wait("a", Priority::high);
  wait("b", Priority::low);
  EXPECT_EQ(victim("c"), "b");
  EXPECT_EQ(victim("b", Priority::high), "b");
  EXPECT_EQ(victim("a", Priority::low), "the newcomer");
}

TEST_F(FairQueueTest, IdleKeysAreForgotten) {
  wait("a");
  EXPECT_EQ(give(1), "a");
  EXPECT_EQ(queue.keys(), 1u);
  queue.ended(queue.key("a"));
  EXPECT_EQ(queue.keys(), 0u);
}

TEST_F(FairQueueTest, SharesMayChangeWhileSomeWait) {
  for (int i = 0; i < 4; ++i) {
    wait("a");
    wait("b");
  }
  queue.set_shares({{"b", 3}}, 1);
  EXPECT_EQ(give(4), "abbb");
}

}  // namespace
}  // namespace banyan
