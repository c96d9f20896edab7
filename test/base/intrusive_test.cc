#include "base/intrusive.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace banyan {
namespace {

struct Item : Hook {
  explicit Item(char n) : name(n) {}
  char name;
};

std::string names(const List<Item>& list) {
  std::string out;
  for (const Item* at = list.front(); at != nullptr; at = list.after(*at)) out += at->name;
  return out;
}

TEST(IntrusiveTest, FirstInFirstOut) {
  List<Item> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
  Item a('a'), b('b'), c('c');
  list.push_back(a);
  list.push_back(b);
  list.push_front(c);
  EXPECT_EQ(names(list), "cab");
  EXPECT_EQ(list.back(), &b);
  EXPECT_EQ(list.pop_front(), &c);
  EXPECT_FALSE(c.linked());
  EXPECT_EQ(names(list), "ab");
}

TEST(IntrusiveTest, WhatDiesLeavesTheList) {
  List<Item> list;
  Item a('a'), c('c');
  std::optional<Item> b('b');
  list.push_back(a);
  list.push_back(*b);
  list.push_back(c);
  b.reset();
  EXPECT_EQ(names(list), "ac");
  a.unlink();
  a.unlink();  // of one that is alone: nothing
  EXPECT_EQ(names(list), "c");
}

TEST(IntrusiveTest, AListThatDiesLeavesItsItemsAlone) {
  Item a('a');
  {
    List<Item> list;
    list.push_back(a);
    EXPECT_TRUE(a.linked());
    a.unlink();
  }
  EXPECT_FALSE(a.linked());
}

TEST(IntrusiveTest, TakeMovesAllInTheirOrder) {
  List<Item> list, other;
  Item a('a'), b('b'), c('c');
  list.push_back(a);
  other.push_back(b);
  other.push_back(c);
  list.take(other);
  EXPECT_EQ(names(list), "abc");
  EXPECT_TRUE(other.empty());
  list.take(other);
  EXPECT_EQ(names(list), "abc");
}

}  // namespace
}  // namespace banyan
