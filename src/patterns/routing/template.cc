#include "patterns/routing/template.h"

#include <algorithm>

#include "config/problems.h"
#include "http/grammar.h"

namespace banyan {

namespace {

using Names = std::optional<std::span<const std::string>>;

std::string capture_fault(const Piece& piece, const Names& names) {
  if (piece.kind == Piece::Kind::rest)
    return "write {" + piece.text + "}: only a match says {" + piece.text + "...}";
  if (!names || std::find(names->begin(), names->end(), piece.text) != names->end()) return {};
  std::string known;
  for (const std::string& name : *names) known += (known.empty() ? "" : ", ") + name;
  const std::string near = did_you_mean(piece.text, {names->begin(), names->end()});
  return "the match has no capture '" + piece.text + "'" +
         (!near.empty()   ? near
          : known.empty() ? "; it has none"
                          : "; it has: " + known);
}

bool is_query_text(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is(text[i], target_char) || text[i] == '#') return false;
    if (text[i] == '%' &&
        (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0))
      return false;
  }
  return true;
}

// A normal path once every capture is some plain text.
std::string path_fault(const std::vector<Piece>& pieces) {
  std::string sample, shown;
  for (const Piece& piece : pieces) {
    const bool literal = piece.kind == Piece::Kind::text;
    sample += literal ? piece.text : "x";
    shown += literal ? piece.text : "{" + piece.text + "}";
  }
  if (is_normal_path(sample, true)) return {};
  const std::string better = suggested_path(shown);
  return "it has an empty or a dot segment" + (better.empty() ? "" : "; write '" + better + "'");
}

std::string_view value_of(const Piece& piece, std::span<const Capture> captures) {
  if (piece.kind == Piece::Kind::text) return piece.text;
  for (const Capture& capture : captures)
    if (capture.name == piece.text) return capture.value;
  return {};
}

size_t bytes_of(const std::vector<Piece>& pieces, std::span<const Capture> captures) {
  size_t bytes = 0;
  for (const Piece& piece : pieces) bytes += value_of(piece, captures).size();
  return bytes;
}

// What would mean something else within a query: separators, and a '%' that begins no escape.
bool wants_escape(std::string_view at) {
  if (at.front() == '%') return at.size() < 3 || hex_value(at[1]) < 0 || hex_value(at[2]) < 0;
  return at.find_first_of("&=+;") == 0;
}

char* append_escaped(std::string_view value, char* to) {
  static constexpr char hex[] = "0123456789ABCDEF";
  for (size_t i = 0; i < value.size(); ++i) {
    if (!wants_escape(value.substr(i))) {
      *to++ = value[i];
      continue;
    }
    const auto byte = static_cast<unsigned char>(value[i]);
    *to++ = '%';
    *to++ = hex[byte >> 4];
    *to++ = hex[byte & 15];
  }
  return to;
}

}  // namespace

OrMessage<Template> Template::parse(std::string_view text, Names names) {
  if (!text.starts_with('/')) return std::unexpected("a path begins with '/'");
  Template out;
  const size_t mark = text.find('?');
  out.has_query_ = mark != std::string_view::npos;
  auto path = split_pieces(text.substr(0, mark));
  if (!path) return std::unexpected(std::move(path).error());
  auto query = split_pieces(out.has_query_ ? text.substr(mark + 1) : std::string_view{});
  if (!query) return std::unexpected(std::move(query).error());
  for (const auto* pieces : {&*path, &*query})
    for (const Piece& piece : *pieces)
      if (piece.kind != Piece::Kind::text)
        if (std::string fault = capture_fault(piece, names); !fault.empty())
          return std::unexpected(std::move(fault));
  for (Piece& piece : *path) {
    if (piece.kind != Piece::Kind::text) continue;
    auto normal = normal_path_text(piece.text);
    if (!normal) return std::unexpected(std::move(normal).error());
    piece.text = std::move(*normal);
  }
  if (std::string fault = path_fault(*path); !fault.empty()) return std::unexpected(fault);
  for (const Piece& piece : *query)
    if (piece.kind == Piece::Kind::text && !is_query_text(piece.text))
      return std::unexpected("the query wants percent escapes");
  out.path_ = std::move(*path);
  out.query_ = std::move(*query);
  return out;
}

Result<std::string_view> Template::path(std::span<const Capture> captures, Arena& arena) const {
  char* const begin = arena.array<char>(bytes_of(path_, captures));
  char* to = begin;
  for (const Piece& piece : path_) {
    std::string_view value = value_of(piece, captures);
    while (to != begin && to[-1] == '/' && value.starts_with('/')) value.remove_prefix(1);
    to = std::copy(value.begin(), value.end(), to);
  }
  const std::string_view path(begin, static_cast<size_t>(to - begin));
  // Empty segments within a value are there because this listener keeps them.
  if (!is_normal_path(path, false))
    return fail({Code::protocol, Side::client, false, 400,
                 "the path has no safe form after it was rewritten"});
  return path;
}

std::string_view Template::query(std::span<const Capture> captures, Arena& arena) const {
  char* const begin = arena.array<char>(bytes_of(query_, captures) * 3);
  char* to = begin;
  for (const Piece& piece : query_) {
    const std::string_view value = value_of(piece, captures);
    to = piece.kind == Piece::Kind::text ? std::copy(value.begin(), value.end(), to)
                                         : append_escaped(value, to);
  }
  return {begin, static_cast<size_t>(to - begin)};
}

}  // namespace banyan
