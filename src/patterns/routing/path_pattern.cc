#include "patterns/routing/path_pattern.h"

#include <algorithm>

namespace banyan {

namespace {

std::unexpected<std::string> message(std::string text) { return std::unexpected(std::move(text)); }

OrMessage<Segment> parse_segment(std::string_view text, bool last,
                                 std::vector<std::string>& names) {
  auto pieces = split_pieces(text);
  if (!pieces) return message(std::move(pieces).error());
  Segment out;
  bool captured = false;
  for (Piece& piece : *pieces) {
    if (piece.kind == Piece::Kind::text) {
      auto literal = normal_path_text(piece.text);
      if (!literal) return message(std::move(literal).error());
      (captured ? out.suffix : out.prefix) = std::move(*literal);
      continue;
    }
    if (captured) return message("'" + std::string(text) + "' has two captures in one segment");
    captured = true;
    if (piece.kind == Piece::Kind::rest && (pieces->size() != 1 || !last))
      return message("{" + piece.text + "...} must be the last segment, and all of it");
    if (std::find(names.begin(), names.end(), piece.text) != names.end())
      return message("two captures are called '" + piece.text + "'");
    out.kind = piece.kind == Piece::Kind::rest ? Segment::Kind::rest
               : pieces->size() == 1           ? Segment::Kind::parameter
                                               : Segment::Kind::affix;
    names.push_back(std::move(piece.text));
  }
  return out;
}

bool is_dots(const Segment& s) {
  return s.kind == Segment::Kind::literal && (s.prefix == "." || s.prefix == "..");
}

std::string not_normal(std::string_view what, std::string_view text) {
  std::string out = "it has " + std::string(what) + ", and no request's path has one";
  if (const std::string better = suggested_path(text); !better.empty())
    out += "; write '" + better + "'";
  return out;
}

bool segment_matches(const Segment& pattern, std::string_view segment) {
  switch (pattern.kind) {
    case Segment::Kind::literal:
      return segment == pattern.prefix;
    case Segment::Kind::affix:
      return !affix_value(segment, pattern.prefix, pattern.suffix).empty();
    case Segment::Kind::parameter:
      return !segment.empty();
    case Segment::Kind::rest:
      break;
  }
  return true;
}

}  // namespace

OrMessage<PathPattern> parse_path_pattern(std::string_view text) {
  if (!text.starts_with('/')) return message("a path begins with '/'");
  if (text.size() > pattern_bytes_max)
    return message("it is longer than " + std::to_string(pattern_bytes_max) + " bytes");
  PathPattern out;
  for (size_t at = 1; at <= text.size();) {
    const size_t end = std::min(text.find('/', at), text.size());
    const bool last = end == text.size();
    auto segment = parse_segment(text.substr(at, end - at), last, out.names);
    if (!segment) return message(std::move(segment).error());
    if (is_dots(*segment)) return message(not_normal("a dot segment", text));
    if (end == at && !last) return message(not_normal("an empty segment", text));
    out.segments.push_back(std::move(*segment));
    at = end + 1;
  }
  if (out.segments.size() > pattern_segments_max)
    return message("it has more than " + std::to_string(pattern_segments_max) + " segments");
  if (out.names.size() > captures_max)
    return message("it has more than " + std::to_string(captures_max) + " captures");
  return out;
}

std::string_view affix_value(std::string_view segment, std::string_view prefix,
                             std::string_view suffix) {
  if (segment.size() <= prefix.size() + suffix.size() || !segment.starts_with(prefix) ||
      !segment.ends_with(suffix))
    return {};
  const std::string_view value =
      segment.substr(prefix.size(), segment.size() - prefix.size() - suffix.size());
  const size_t escape = value.rfind('%');
  return escape != std::string_view::npos && escape + 3 > value.size() ? std::string_view{} : value;
}

std::strong_ordering compare_specificity(const Segment& a, const Segment& b) {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  if (a.kind == Segment::Kind::affix) {
    if (a.prefix.size() != b.prefix.size()) return b.prefix.size() <=> a.prefix.size();
    if (a.suffix.size() != b.suffix.size()) return b.suffix.size() <=> a.suffix.size();
  }
  if (const auto order = a.prefix <=> b.prefix; order != 0) return order;
  return a.suffix <=> b.suffix;
}

std::strong_ordering compare_specificity(const PathPattern& a, const PathPattern& b) {
  const size_t both = std::min(a.segments.size(), b.segments.size());
  for (size_t i = 0; i < both; ++i)
    if (const auto order = compare_specificity(a.segments[i], b.segments[i]); order != 0)
      return order;
  return a.segments.size() <=> b.segments.size();
}

bool PathPattern::matches(std::string_view path) const {
  for (const Segment& segment : segments) {
    if (segment.kind == Segment::Kind::rest) return true;
    if (path.empty()) return false;
    const size_t end = std::min(path.find('/', 1), path.size());
    if (!segment_matches(segment, path.substr(1, end - 1))) return false;
    path.remove_prefix(end);
  }
  return path.empty();
}

}  // namespace banyan
