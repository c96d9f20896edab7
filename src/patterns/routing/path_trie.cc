#include "patterns/routing/path_trie.h"

#include <algorithm>

namespace banyan {

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
  if (segment.kind == Segment::Kind::literal) {
    nodes_[parent].has_literals = true;
    return add_literal(parent, segment.prefix);
  }
  if (segment.kind == Segment::Kind::affix)
    return add_literal(add_shape(parent, segment) | shape_bit, segment.prefix, segment.suffix);
  if (nodes_[parent].parameter == none) {
    const uint32_t child = add_tree();
    nodes_[parent].parameter = child;
  }
  return nodes_[parent].parameter;
}

uint32_t PathTrie::add_literal(uint32_t parent, std::string_view text, std::string_view more) {
  if (literals_count_ * 2 >= literals_.size()) grow();
  const size_t place = find_place(parent, text, more);
  if (literals_[place].parent != none) return literals_[place].child;
  const uint32_t child = add_tree();
  literals_[place] = {parent, child, static_cast<uint32_t>(texts_.size()),
                      static_cast<uint32_t>(text.size() + more.size())};
  texts_ += text;
  texts_ += more;
  ++literals_count_;
  return child;
}

uint32_t PathTrie::add_shape(uint32_t parent, const Segment& affix) {
  const std::pair lengths(affix.prefix.size(), affix.suffix.size());
  // In the order in which they are tried.
  uint32_t before = none, at = nodes_[parent].shapes;
  for (; at != none; before = at, at = shapes_[at].next) {
    const std::pair<size_t, size_t> other(shapes_[at].prefix_bytes, shapes_[at].suffix_bytes);
    if (other == lengths) return at;
    if (other < lengths) break;
  }
  const auto self = static_cast<uint32_t>(shapes_.size());
  shapes_.push_back(
      {static_cast<uint32_t>(lengths.first), static_cast<uint32_t>(lengths.second), at});
  (before == none ? nodes_[parent].shapes : shapes_[before].next) = self;
  return self;
}

void PathTrie::grow() {
  std::vector<Literal> old(literals_.size() * 2);
  old.swap(literals_);
  for (const Literal& l : old) {
    if (l.parent == none) continue;
    const std::string_view text = text_of(l);
    const size_t first = prefix_bytes(l);
    literals_[find_place(l.parent, text.substr(0, first), text.substr(first))] = l;
  }
}

uint64_t PathTrie::visits_max() const {
  // Children have greater numbers than their parents: from the last node to the first, each child
  // is known before its parent is. Only one literal child can match, and one of each shape.
  std::vector<uint64_t> visits(nodes_.size(), 0), literal(nodes_.size(), 0);
  std::vector<uint64_t> shape(shapes_.size(), 0);
  std::vector<uint32_t> parent(nodes_.size(), none);
  for (const Literal& l : literals_)
    if (l.parent != none) parent[l.child] = l.parent;
  for (size_t n = nodes_.size(); n-- > 0;) {
    const Node& node = nodes_[n];
    visits[n] = 1 + literal[n];
    if (node.parameter != none) visits[n] += visits[node.parameter];
    for (uint32_t s = node.shapes; s != none; s = shapes_[s].next) visits[n] += shape[s];
    if (parent[n] == none) continue;
    const bool affix = (parent[n] & shape_bit) != 0;
    uint64_t& most = affix ? shape[parent[n] & ~shape_bit] : literal[parent[n]];
    most = std::max(most, visits[n]);
  }
  return visits.empty() ? 0 : *std::max_element(visits.begin(), visits.end());
}

}  // namespace banyan
