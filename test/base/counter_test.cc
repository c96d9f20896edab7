#include "base/counter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace banyan {
namespace {

struct Cell : Appended<Cell> {
  explicit Cell(std::string n, int* alive = nullptr) : name(std::move(n)), alive_(alive) {
    if (alive_ != nullptr) ++*alive_;
  }
  ~Cell() {
    if (alive_ != nullptr) --*alive_;
  }
  const std::string name;
  Counter count;

 private:
  int* alive_;
};

TEST(CounterTest, AddsAndSets) {
  Counter c;
  EXPECT_EQ(c.value(), 0u);
  c.add(2);
  c.add(3);
  EXPECT_EQ(c.value(), 5u);
  c.set(1);
  EXPECT_EQ(c.value(), 1u);
}

TEST(AppendListTest, KeepsWhatIsAppendedAndFreesItAtItsEnd) {
  int alive = 0;
  {
    AppendList<Cell> list;
    EXPECT_EQ(list.first(), nullptr);
    Cell& a = list.append("a", &alive);
    list.append("b", &alive);
    list.append("c", &alive);
    EXPECT_EQ(alive, 3);
    std::string names;
    list.for_each([&](const Cell& cell) { names += cell.name; });
    EXPECT_EQ(names, "cba");
    a.count.add(1);
    EXPECT_EQ(list.first()->next->next, &a);
  }
  EXPECT_EQ(alive, 0);
}

// For the thread sanitizer: readers see whole elements, and counts that never go back.
TEST(AppendListTest, ThreadsReadWhileOneAppends) {
  AppendList<Cell> list;
  std::atomic<bool> done{false};
  auto read = [&] {
    uint64_t before = 0;
    while (!done.load()) {
      uint64_t all = 0;
      list.for_each([&](const Cell& cell) {
        EXPECT_TRUE(cell.name.starts_with("a name that is longer than a small string "));
        all += cell.count.value();
      });
      EXPECT_GE(all, before);
      before = all;
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) readers.emplace_back(read);
  for (int i = 0; i < 500; ++i) {
    list.append("a name that is longer than a small string " + std::to_string(i));
    list.for_each([](Cell& cell) { cell.count.add(1); });
  }
  done = true;
  for (auto& reader : readers) reader.join();
  uint64_t all = 0;
  list.for_each([&](const Cell& cell) { all += cell.count.value(); });
  EXPECT_EQ(all, 500u * 501 / 2);
}

}  // namespace
}  // namespace banyan
