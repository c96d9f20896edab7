#include "task/cancel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace banyan {
namespace {

struct Probe final : Cancellable {
  explicit Probe(std::string n = "probe") : label(std::move(n)) {}
  void on_cancel(Code why) noexcept override {
    told.push_back(why);
    EXPECT_FALSE(linked()) << "it is told when it is off the list already";
    if (act) act();
  }
  void describe(std::string& out, int depth) const override { describe_line(out, depth, label); }
  std::string label;
  std::vector<Code> told;
  std::function<void()> act;
};

TEST(Cancel, TellsEverythingBelowWithTheReason) {
  Cancel root;
  Cancel left(&root), right(&root), leaf(&left);
  Probe at_root, at_leaf, at_right;
  root.add(at_root);
  leaf.add(at_leaf);
  right.add(at_right);
  left.request(Code::timeout);
  EXPECT_EQ(at_leaf.told, std::vector{Code::timeout});
  EXPECT_TRUE(at_root.told.empty() && at_right.told.empty());
  EXPECT_FALSE(root.requested());
  root.request(Code::cancelled);
  EXPECT_EQ(at_leaf.told.size(), 1u);
  EXPECT_EQ(at_root.told, std::vector{Code::cancelled});
  EXPECT_EQ(at_right.told, std::vector{Code::cancelled});
}

TEST(Cancel, TheFirstReasonStays) {
  Cancel root;
  Cancel child(&root);
  child.request(Code::timeout);
  root.request(Code::cancelled);
  root.request(Code::overloaded);
  EXPECT_EQ(child.why(), Code::timeout);
  EXPECT_EQ(root.why(), Code::cancelled);
}

TEST(Cancel, AChildOfACancelledScopeIsBornCancelled) {
  Cancel root;
  root.request(Code::overloaded);
  const Cancel child(&root);
  EXPECT_EQ(child.why(), Code::overloaded);
}

TEST(Cancel, TellsInTheOrderOfAdding) {
  Cancel root;
  std::vector<int> order;
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 10; ++i) {
    probes.push_back(std::make_unique<Probe>());
    probes.back()->act = [&order, i] { order.push_back(i); };
    root.add(*probes.back());
  }
  probes.erase(probes.begin() + 4);  // one that dies leaves the list
  root.request(Code::cancelled);
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 5, 6, 7, 8, 9}));
  EXPECT_TRUE(root.idle());
}

TEST(Cancel, OneThatIsToldMayAddAndRemoveOthers) {
  Cancel root;
  Probe first, removed, added;
  root.add(first);
  root.add(removed);
  first.act = [&] {
    removed.unlink();
    root.add(added);
  };
  root.request(Code::cancelled);
  EXPECT_EQ(first.told.size(), 1u);
  EXPECT_TRUE(removed.told.empty());
  EXPECT_EQ(added.told.size(), 1u);
}

TEST(Cancel, AChildThatEndsIsForgotten) {
  Cancel root;
  Probe probe;
  {
    Cancel child(&root);
    child.add(probe);
    probe.unlink();
  }
  EXPECT_TRUE(root.idle());
  root.request(Code::cancelled);
  EXPECT_TRUE(probe.told.empty());
}

TEST(Cancel, DescribesTheTree) {
  Cancel root;
  Cancel request(&root), call(&request);
  Probe accept("accept"), read("read"), sleep("sleep");
  root.add(accept);
  request.add(sleep);
  call.add(read);
  std::string tree;
  root.describe(tree);
  EXPECT_EQ(tree, "scope\n  scope\n    scope\n      read\n    sleep\n  accept\n");
  call.request(Code::timeout);
  tree.clear();
  root.describe(tree, 1);
  EXPECT_EQ(tree, "  scope\n    scope\n      scope (cancelled)\n      sleep\n    accept\n");
}

}  // namespace
}  // namespace banyan
