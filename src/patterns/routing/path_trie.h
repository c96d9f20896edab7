// PathTrie: path patterns of all sites as trees of segments, so that finding the routes of a path
// costs what its segments cost, however many routes there are. Owner: the route table. Thread:
// built on one, then read only. Literal children of all nodes are in one hash table; parameter and
// rest have a slot in their node; affixes ("v{n}") are in the same hash table, by the lengths that
// occur at their node (shapes), which are a short list from the most specific one on.
// Bound: a search visits each node at most once, because there is one way to come to it with a
// given path, and goes no deeper than the longest pattern. So nodes that match the beginning of the
// path bound it, never the combinations of its segments; visits_max() is that bound.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "patterns/routing/path_pattern.h"

namespace banyan {

// What a search has captured on its way down.
struct CaptureValues {
  std::string_view values[captures_max];
  size_t count = 0;
};

class PathTrie {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  // A new empty tree; its number.
  uint32_t add_tree();
  // The slot where routes of this shape meet (names of captures do not count): `fresh` when it is
  // the first such pattern of the tree. Not for patterns that are `/{rest...}` alone.
  uint32_t add(uint32_t tree, const PathPattern& pattern, uint32_t fresh);
  // How many nodes a search of any of the trees can visit at most.
  uint64_t visits_max() const;

  // Calls visit(slot, values) for each pattern of the tree that matches, from the most specific
  // one on, until it says true. `path` begins with '/'.
  template <class Visit>
  bool search(uint32_t tree, std::string_view path, CaptureValues& values, Visit& visit) const {
    const Node& node = nodes_[tree];
    if (path.empty())
      return (node.end != none && visit(node.end, values)) || visit_rest(node, {}, values, visit);
    const size_t slash = path.find('/', 1);
    const size_t end = slash == std::string_view::npos ? path.size() : slash;
    const std::string_view segment = path.substr(1, end - 1), left = path.substr(end);
    if (node.has_literals)
      if (const uint32_t child = find_literal(tree, segment);
          child != none && search(child, left, values, visit))
        return true;
    for (uint32_t n = node.shapes; n != none; n = shapes_[n].next)
      if (search_shape(n, segment, left, values, visit)) return true;
    if (node.parameter != none && !segment.empty() &&
        capture(node.parameter, segment, left, values, visit))
      return true;
    return visit_rest(node, path.substr(1), values, visit);
  }

 private:
  struct Node {
    uint32_t parameter = none;  // a child
    uint32_t shapes = none;     // the first of its list
    uint32_t end = none;        // slots
    uint32_t rest = none;
    bool has_literals = false;
  };
  // Affixes of a node with as much text before and after: at most one of them matches a segment.
  struct Shape {
    uint32_t prefix_bytes, suffix_bytes;
    uint32_t next;
  };
  // The number of a shape where a literal has that of its parent node.
  static constexpr uint32_t shape_bit = 1u << 31;
  struct Literal {
    uint32_t parent = none;  // none: free
    uint32_t child = 0;
    uint32_t text = 0;  // where in texts_; of an affix: what is before and what is after
    uint32_t bytes = 0;
  };

  template <class Visit>
  bool capture(uint32_t child, std::string_view value, std::string_view left, CaptureValues& values,
               Visit& visit) const {
    values.values[values.count++] = value;
    if (search(child, left, values, visit)) return true;
    --values.count;
    return false;
  }
  template <class Visit>
  bool visit_rest(const Node& node, std::string_view value, CaptureValues& values,
                  Visit& visit) const {
    if (node.rest == none) return false;
    values.values[values.count++] = value;
    if (visit(node.rest, values)) return true;
    --values.count;
    return false;
  }

  template <class Visit>
  bool search_shape(uint32_t number, std::string_view segment, std::string_view left,
                    CaptureValues& values, Visit& visit) const {
    const Shape& shape = shapes_[number];
    if (segment.size() <= shape.prefix_bytes + shape.suffix_bytes) return false;
    const std::string_view prefix = segment.substr(0, shape.prefix_bytes);
    const std::string_view suffix = segment.substr(segment.size() - shape.suffix_bytes);
    const uint32_t child = find_literal(number | shape_bit, prefix, suffix);
    if (child == none) return false;
    const std::string_view value = affix_value(segment, prefix, suffix);
    return !value.empty() && capture(child, value, left, values, visit);
  }

  // The text is in two pieces, because that of an affix is.
  static size_t hash(uint32_t parent, std::string_view text, std::string_view more) {
    constexpr uint64_t odd = 0x9E3779B97F4A7C15u;
    uint64_t mixed = std::hash<std::string_view>{}(text) ^ parent;
    if (!more.empty()) mixed = mixed * odd ^ std::hash<std::string_view>{}(more);
    return static_cast<size_t>(mixed * odd >> 20);
  }
  bool is(const Literal& l, uint32_t parent, std::string_view text, std::string_view more) const {
    if (l.parent != parent || l.bytes != text.size() + more.size()) return false;
    const std::string_view own = text_of(l);
    return own.starts_with(text) && own.ends_with(more);
  }
  std::string_view text_of(const Literal& l) const {
    return std::string_view(texts_).substr(l.text, l.bytes);
  }
  // The place of this child in the table, or the free place where it belongs.
  size_t find_place(uint32_t parent, std::string_view text, std::string_view more) const {
    const size_t mask = literals_.size() - 1;
    size_t at = hash(parent, text, more) & mask;
    while (literals_[at].parent != none && !is(literals_[at], parent, text, more))
      at = (at + 1) & mask;
    return at;
  }
  uint32_t find_literal(uint32_t parent, std::string_view text, std::string_view more = {}) const {
    const Literal& l = literals_[find_place(parent, text, more)];
    return l.parent == none ? none : l.child;
  }
  // How much of its text is the first piece.
  size_t prefix_bytes(const Literal& l) const {
    return (l.parent & shape_bit) != 0 ? shapes_[l.parent & ~shape_bit].prefix_bytes : l.bytes;
  }

  uint32_t add_child(uint32_t parent, const Segment& segment);
  uint32_t add_literal(uint32_t parent, std::string_view text, std::string_view more = {});
  uint32_t add_shape(uint32_t parent, const Segment& affix);
  void grow();

  std::vector<Node> nodes_;  // a tree's number is that of its root; children come after parents
  std::vector<Shape> shapes_;
  std::vector<Literal> literals_ = std::vector<Literal>(64);  // open addressing, at most half full
  size_t literals_count_ = 0;
  std::string texts_;
};

}  // namespace banyan
