#include "patterns/routing/pieces.h"

#include <algorithm>

#include "http/grammar.h"
#include "http/uri.h"

namespace banyan {

namespace {

bool is_capture_name(std::string_view name) {
  if (name.empty() || is_digit(name.front()) || name.front() == '-') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '-'; });
}

OrMessage<Piece> parse_capture(std::string_view inside) {
  const bool rest = inside.ends_with("...");
  const std::string_view name = inside.substr(0, inside.size() - (rest ? 3 : 0));
  if (!is_capture_name(name))
    return std::unexpected("'{" + printable(inside) +
                           "}' names no capture; a name has letters, digits, '_' and '-', and "
                           "begins with no digit");
  return Piece{rest ? Piece::Kind::rest : Piece::Kind::capture, std::string(name)};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

bool is_normal_escape(std::string_view at) {
  if (at.size() < 3) return false;
  const auto upper = [](char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); };
  if (!upper(at[1]) || !upper(at[2])) return false;
  const char c = static_cast<char>(hex_value(at[1]) << 4 | hex_value(at[2]));
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7f && !is(c, unreserved_char);
}

// `at` begins behind a slash.
bool begins_with_bad_segment(std::string_view at, bool merge_slashes) {
  if (at.starts_with('/')) return merge_slashes;
  if (at.starts_with("..")) at.remove_prefix(1);
  return at == "." || at.starts_with("./");
}

}  // namespace

OrMessage<std::vector<Piece>> split_pieces(std::string_view text) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    const size_t brace = text.find_first_of("{}");
    if (brace != 0) {
      pieces.push_back({Piece::Kind::text, std::string(text.substr(0, brace))});
      text.remove_prefix(std::min(brace, text.size()));
      continue;
    }
    const size_t end = text.find_first_of("{}", 1);
    if (text.front() == '}' || end == std::string_view::npos || text[end] == '{')
      return std::unexpected("a brace has no partner; a brace that is meant is %7B or %7D");
    auto capture = parse_capture(text.substr(1, end - 1));
    if (!capture) return std::unexpected(std::move(capture).error());
    pieces.push_back(std::move(*capture));
    text.remove_prefix(end + 1);
  }
  return pieces;
}

OrMessage<std::string> normal_path_text(std::string_view text) {
  if (text.find('?') != std::string_view::npos)
    return std::unexpected("a path has no '?'; one that is meant is %3F");
  // No request's path has one, HTAB included, not even escaped.
  if (std::any_of(text.begin(), text.end(), [](char c) { return is_control(c) || c == '\t'; }))
    return std::unexpected("it has a control byte");
  std::string out;
  for (bool first = true; first || !text.empty(); first = false) {
    const size_t slash = std::min(text.find('/'), text.size());
    // Behind a letter no segment is a dot segment.
    Arena arena;
    const std::string segment = "/x" + std::string(text.substr(0, slash));
    const auto target = parse_target(Method::get, segment, {}, arena);
    if (!target) return std::unexpected(target.error().what);
    out += target->path.substr(2);
    if (slash < text.size()) out += '/';
    text.remove_prefix(std::min(slash + 1, text.size()));
  }
  return out;
}

bool is_normal_path(std::string_view path, bool merge_slashes) {
  if (!path.starts_with('/')) return false;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '/' && begins_with_bad_segment(path.substr(i + 1), merge_slashes)) return false;
    if (c == '%' ? !is_normal_escape(path.substr(i)) : !is(c, path_char)) return false;
  }
  return true;
}

std::string suggested_path(std::string_view text) {
  Arena arena;
  const std::string raw(text);
  const auto target = parse_target(Method::get, raw, {}, arena);
  if (!target || target->has_query) return {};
  return replaced(replaced(std::string(target->path), "%7B", "{"), "%7D", "}");
}

}  // namespace banyan
