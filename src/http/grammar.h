// The character classes of HTTP (RFC 9110, section 5.6; RFC 3986, section 2), as one table.
// Owner: none. Thread: any.
// Everything that decides whether a byte is allowed somewhere asks here, so that the parser, the
// writer and the chunk decoder cannot disagree.
// obs-text (0x80 and above) is allowed in field values and reason phrases, nowhere else.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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
  const auto mark = [&](std::string_view chars, int c) {
    for (char ch : chars) t[static_cast<unsigned char>(ch)] |= static_cast<uint8_t>(c);
  };
  constexpr std::string_view alphanumeric =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int c = 0x21; c < 0x7f; ++c) t[static_cast<size_t>(c)] |= target_char;
  mark(alphanumeric, token_char | unreserved_char | path_char | host_char);
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
// The same as all(s, target_char), without a branch for each byte.
constexpr bool is_target(std::string_view s) {
  unsigned char beyond = 0;
  for (char c : s) beyond |= static_cast<unsigned char>(c) - 0x21u > 0x7eu - 0x21u;
  return beyond == 0 && !s.empty();
}
inline bool is_token(std::string_view s) { return !s.empty() && all(s, token_char); }

constexpr bool is_control(char c) {
  const auto b = static_cast<unsigned char>(c);
  return (b < 0x20 && b != '\t') || b == 0x7f;
}

// Where the first byte is that may not stand in a field value (a control byte but HTAB), or
// s.size(). Sixteen bytes at a time where the processor can, because values are most of a head.
inline size_t find_control(std::string_view s) {
  size_t at = 0;
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);
  for (; at + 16 <= s.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(s.data() + at));
    const __m128i below_space = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i found = _mm_or_si128(below_space, _mm_cmpeq_epi8(bytes, del));
    // HTAB is among those found, so each is looked at once more.
    for (auto mask = static_cast<uint32_t>(_mm_movemask_epi8(found)); mask != 0; mask &= mask - 1) {
      const size_t i = at + static_cast<size_t>(std::countr_zero(mask));
      if (s[i] != '\t') return i;
    }
  }
#endif
  while (at < s.size() && !is_control(s[at])) ++at;
  return at;
}

inline bool is_field_value(std::string_view s) { return find_control(s) == s.size(); }

}  // namespace banyan
