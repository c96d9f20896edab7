// Pieces: a text of the configuration with captures in braces, "/v2/{id}", cut into what stands
// there and what is filled in. Patterns (path_pattern.h) and templates (template.h) share it, so a
// brace means the same in both. Owner: plain values. Thread: any. Literal text of a path is brought
// into the normal form of http/uri.h here, and nowhere else in this pattern. Errors are sentences
// for the person who wrote the configuration.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace banyan {

struct Piece {
  enum class Kind : uint8_t { text, capture, rest };  // "x", "{x}", "{x...}"
  Kind kind = Kind::text;
  std::string text;  // of a capture: its name
};

template <class T>
using OrMessage = std::expected<T, std::string>;

// Texts between captures are never empty.
OrMessage<std::vector<Piece>> split_pieces(std::string_view text);

// Literal text of a path, with or without slashes: escapes in one form, what needs escaping
// escaped. Dot segments and empty segments are left as they are: is_normal_path() tells them.
OrMessage<std::string> normal_path_text(std::string_view text);

// Whether a whole path is what http/uri.h makes of it, with slashes merged or not.
bool is_normal_path(std::string_view path, bool merge_slashes);

// "{id}" and "{rest...}" kept, everything else as http/uri.h would have it; empty when it would
// refuse it. For messages.
std::string suggested_path(std::string_view text);

}  // namespace banyan
