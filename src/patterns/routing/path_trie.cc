#include "patterns/routing/path_trie.h"

#include <algorithm>

namespace banyan {

namespace {

Segment segment_of(const std::string& prefix, const std::string& suffix) {
  return {Segment::Kind::affix, prefix, suffix};
}

}  // namespace

uint32_t PathTrie::add_tree() {
  nodes_.emplace_back();
  return static_cast<uint32_t>(nodes_.size() - 1);
}

uint32_t PathTrie::add(uint32_t tree, const PathPattern& pattern, uint32_t fresh) {
  uint32_t at = tree;
  for (const Segment& segment : pattern.segments) {
    if (segment.kind == Segment::Kind::rest) break;
    at = add_child(at, segment);
  }
  const bool rest = pattern.segments.back().kind == Segment::Kind::rest;
  uint32_t& slot = rest ? nodes_[at].rest : nodes_[at].end;
  if (slot == none) slot = fresh;
  return slot;
}

uint32_t PathTrie::add_child(uint32_t parent, const Segment& segment) {
  if (segment.kind == Segment::Kind::literal) return add_literal(parent, segment.prefix);
  if (segment.kind == Segment::Kind::affix) return add_affix(parent, segment);
  if (nodes_[parent].parameter == none) {
    const uint32_t child = add_tree();
    nodes_[parent].parameter = child;
  }
  return nodes_[parent].parameter;
}

uint32_t PathTrie::add_literal(uint32_t parent, const std::string& text) {
  if (literals_count_ * 2 >= literals_.size()) grow();
  const size_t place = find_place(parent, text);
  if (literals_[place].parent != none) return literals_[place].child;
  const uint32_t child = add_tree();
  literals_[place] = {parent, child, static_cast<uint32_t>(texts_.size()),
                      static_cast<uint32_t>(text.size())};
  texts_ += text;
  ++literals_count_;
  nodes_[parent].has_literals = true;
  return child;
}

uint32_t PathTrie::add_affix(uint32_t parent, const Segment& segment) {
  // In the order in which they are tried.
  uint32_t before = none, at = nodes_[parent].affixes;
  for (; at != none; before = at, at = affixes_[at].next) {
    const auto order =
        compare_specificity(segment_of(affixes_[at].prefix, affixes_[at].suffix), segment);
    if (order == 0) return affixes_[at].child;
    if (order > 0) break;
  }
  const uint32_t child = add_tree();
  const auto self = static_cast<uint32_t>(affixes_.size());
  affixes_.push_back({segment.prefix, segment.suffix, child, at});
  (before == none ? nodes_[parent].affixes : affixes_[before].next) = self;
  return child;
}

void PathTrie::grow() {
  std::vector<Literal> old(literals_.size() * 2);
  old.swap(literals_);
  for (const Literal& l : old)
    if (l.parent != none) literals_[find_place(l.parent, text_of(l))] = l;
}

uint64_t PathTrie::visits_max() const {
  // Children have greater numbers than their parents: from the last node to the first, each child
  // is known before its parent is. Only one literal child can match, but any affix.
  std::vector<uint64_t> visits(nodes_.size(), 0), literal(nodes_.size(), 0);
  std::vector<uint32_t> parent(nodes_.size(), none);
  for (const Literal& l : literals_)
    if (l.parent != none) parent[l.child] = l.parent;
  for (size_t n = nodes_.size(); n-- > 0;) {
    const Node& node = nodes_[n];
    visits[n] = 1 + literal[n];
    if (node.parameter != none) visits[n] += visits[node.parameter];
    for (uint32_t a = node.affixes; a != none; a = affixes_[a].next)
      visits[n] += visits[affixes_[a].child];
    if (parent[n] != none) literal[parent[n]] = std::max(literal[parent[n]], visits[n]);
  }
  return visits.empty() ? 0 : *std::max_element(visits.begin(), visits.end());
}

}  // namespace banyan
