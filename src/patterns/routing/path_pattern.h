// PathPattern: "/x", "/x/{id}", "/x/{name}.json", "/x/{rest...}", read once at load. Owner: whoever
// compiles routes; the trie keeps no patterns. Thread: any. What they match:
//   {id}       one segment, never an empty one; text around it must be there ("v{n}", "{n}.json"),
//              one capture a segment
//   {rest...}  all that follows, slashes included, only at the end. "/x/{rest...}" matches
//   "/x/a/b",
//              "/x/" and "/x" too (the rest is empty then), so that a whole area is one route
// Literal text is brought into the normal form of http/uri.h; dot segments and empty segments
// cannot be in a normal path, so they are refused with the path that was meant.
#pragma once
#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "patterns/routing/pieces.h"

namespace banyan {

constexpr size_t pattern_bytes_max = 4096;
constexpr size_t pattern_segments_max = 64;
constexpr size_t captures_max = 16;

struct Segment {
  // In the order of how specific they are.
  enum class Kind : uint8_t { literal, affix, parameter, rest };
  Kind kind = Kind::literal;
  std::string prefix;  // of a literal: all of it
  std::string suffix;

  friend bool operator==(const Segment&, const Segment&) = default;
};

struct PathPattern {
  std::vector<Segment> segments;   // never empty
  std::vector<std::string> names;  // of the captures, in their order

  // "/{rest...}": says nothing of the path.
  bool is_any() const { return segments.front().kind == Segment::Kind::rest; }
  bool matches(std::string_view path) const;
};

OrMessage<PathPattern> parse_path_pattern(std::string_view text);

// The value of `prefix{x}suffix` in a segment, or empty. Never cuts an escape in half.
std::string_view affix_value(std::string_view segment, std::string_view prefix,
                             std::string_view suffix);

// Which of two segments that both match is more specific ("less" wins): literal, then affix
// (longer prefix, then longer suffix), parameter, rest. A total order, so that every search agrees.
std::strong_ordering compare_specificity(const Segment& a, const Segment& b);
// Segment by segment, left to right; a path that ends wins over one with a rest there.
std::strong_ordering compare_specificity(const PathPattern& a, const PathPattern& b);

}  // namespace banyan
