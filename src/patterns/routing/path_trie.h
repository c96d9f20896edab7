// PathTrie: path patterns of all sites as trees of segments, so that finding the routes of a path
// costs what its segments cost, however many routes there are. Owner: the route table. Thread:
// built on one, then read only. Literal children of all nodes are in one hash table; parameter and
// rest have a slot in their node; affixes ("v{n}") are a short list from the most specific one on.
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
  // How many nodes a search of any of the trees can visit at most, affixes that it tries included.
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
    for (uint32_t a = node.affixes; a != none; a = affixes_[a].next) {
      const std::string_view value = affix_value(segment, affixes_[a].prefix, affixes_[a].suffix);
      if (!value.empty() && capture(affixes_[a].child, value, left, values, visit)) return true;
    }
    if (node.parameter != none && !segment.empty() &&
        capture(node.parameter, segment, left, values, visit))
      return true;
    return visit_rest(node, path.substr(1), values, visit);
  }

 private:
  struct Node {
    uint32_t parameter = none;  // a child
    uint32_t affixes = none;    // the first of its list
    uint32_t end = none;        // slots
    uint32_t rest = none;
    bool has_literals = false;
  };
  struct Affix {
    std::string prefix, suffix;
    uint32_t child;
    uint32_t next;
  };
  struct Literal {
    uint32_t parent = none;  // none: free
    uint32_t child = 0;
    uint32_t text = 0;  // where in texts_
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

  static size_t hash(uint32_t parent, std::string_view segment) {
    const uint64_t mixed = (std::hash<std::string_view>{}(segment) ^ parent) * 0x9E3779B97F4A7C15u;
    return static_cast<size_t>(mixed >> 20);
  }
  std::string_view text_of(const Literal& l) const {
    return std::string_view(texts_).substr(l.text, l.bytes);
  }
  // The place of this child in the table, or the free place where it belongs.
  size_t find_place(uint32_t parent, std::string_view segment) const {
    const size_t mask = literals_.size() - 1;
    size_t at = hash(parent, segment) & mask;
    while (literals_[at].parent != none &&
           (literals_[at].parent != parent || text_of(literals_[at]) != segment))
      at = (at + 1) & mask;
    return at;
  }
  uint32_t find_literal(uint32_t parent, std::string_view segment) const {
    const Literal& l = literals_[find_place(parent, segment)];
    return l.parent == none ? none : l.child;
  }

  uint32_t add_child(uint32_t parent, const Segment& segment);
  uint32_t add_literal(uint32_t parent, const std::string& text);
  uint32_t add_affix(uint32_t parent, const Segment& segment);
  void grow();

  std::vector<Node> nodes_;  // a tree's number is that of its root; children come after parents
  std::vector<Affix> affixes_;
  std::vector<Literal> literals_ = std::vector<Literal>(64);  // open addressing, at most half full
  size_t literals_count_ = 0;
  std::string texts_;
};

}  // namespace banyan
