// The character classes of HTTP (RFC 9110, section 5.6; RFC 3986, section 2), as one table.
// Owner: none. Thread: any.
// Everything that decides whether a byte is allowed somewhere asks here, so that the parser, the writer and the
// chunk decoder cannot disagree.
// obs-text (0x80 and above) is allowed in field values and reason phrases, nowhere else.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/text.h"

namespace banyan {

enum CharClass : uint8_t {
  token_char = 1,       // tchar: methods, field names
  target_char = 2,      // a request target: visible ASCII
  unreserved_char = 4,  // RFC 3986: letters, digits, - . _ ~
  path_char = 8,        // pchar without '%', and '/': needs no work in a path
  host_char = 16,       // reg-name without '%': letters, digits, - . _ ~ and sub-delims
};

inline constexpr std::array<uint8_t, 256> char_classes = [] {
  std::array<uint8_t, 256> t{};
  const auto mark = [&](std::string_view chars, uint8_t c) {
    for (char ch : chars) t[static_cast<unsigned char>(ch)] |= c;
  };
  for (int c = 0x21; c < 0x7f; ++c) t[static_cast<size_t>(c)] |= target_char;
  for (char c = '0'; c <= '9'; ++c) mark({&c, 1}, token_char | unreserved_char | path_char | host_char);
  for (char c = 'a'; c <= 'z'; ++c) mark({&c, 1}, token_char | unreserved_char | path_char | host_char);
  for (char c = 'A'; c <= 'Z'; ++c) mark({&c, 1}, token_char | unreserved_char | path_char | host_char);
  mark("!#$%&'*+-.^_`|~", token_char);
  mark("-._~", unreserved_char | path_char | host_char);
  mark("!$&'()*+,;=:@/", path_char);
  mark("!$&'()*+,;=", host_char);
  return t;
}();

constexpr bool is(char c, CharClass what) {
  return (char_classes[static_cast<unsigned char>(c)] & what) != 0;
}
constexpr bool all(std::string_view s, CharClass what) {
  for (char c : s)
    if (!is(c, what)) return false;
  return true;
}
inline bool is_token(std::string_view s) { return !s.empty() && all(s, token_char); }

// True when `s` may stand in a field value: no control byte but HTAB. Eight bytes at a time, because values
// are most of a head.
inline bool is_field_value(std::string_view s) {
  constexpr uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
  const auto precise = [](std::string_view part) {
    for (char c : part) {
      const auto b = static_cast<unsigned char>(c);
      if ((b < 0x20 && b != '\t') || b == 0x7f) return false;
    }
    return true;
  };
  while (s.size() >= 8) {
    uint64_t x;
    std::memcpy(&x, s.data(), 8);
    const uint64_t below_space = (x - ones * 0x20) & ~x & high;
    const uint64_t y = x ^ ones * 0x7f;
    const uint64_t is_del = (y - ones) & ~y & high;
    if ((below_space | is_del) != 0 && !precise(s.substr(0, 8))) return false;
    s.remove_prefix(8);
  }
  return precise(s);
}

}  // namespace banyan
