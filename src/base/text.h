// Bytes and ASCII text: the few helpers that the protocol code shares. All of them are locale-free.
// Owner: views own nothing; whoever makes one keeps the bytes alive. Thread: any.
// `Bytes` is how a piece of data travels: a view, valid until the call named where it is returned.
// Numbers are parsed strictly: no sign, no space, no overflow (RFC 9110, section 8.6).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace banyan {

using Bytes = std::string_view;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// Equal but for the case of ASCII letters.
bool iequal(std::string_view a, std::string_view b);
// Without leading and trailing SP and HTAB (OWS, RFC 9110, section 5.6.3).
std::string_view trim(std::string_view s);
// Digits only, whole text, no overflow; anything else is nullopt.
std::optional<uint64_t> parse_u64(std::string_view digits);
// Text safe to print in a log or an error: control bytes and non-ASCII as \xNN, cut at `limit`
// bytes.
std::string printable(std::string_view s, size_t limit = 200);
// Length of the valid UTF-8 sequence at the start of `s`, or 0 (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF). 0 for empty text, too.
size_t utf8_length(std::string_view s);
// Appends `s` as the inside of a JSON string (quotes not included); invalid UTF-8 becomes U+FFFD.
// Control characters are escaped, DEL and U+0080 to U+009F too: a terminal that shows the text must
// not obey it.
void append_json_escaped(std::string& out, std::string_view s);
// Damerau-Levenshtein distance, for "did you mean".
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace banyan
