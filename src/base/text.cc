#include "base/text.h"

#include <algorithm>
#include <vector>

namespace banyan {

bool iequal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

std::string_view trim(std::string_view s) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

std::optional<uint64_t> parse_u64(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value))
      return std::nullopt;
  }
  return value;
}

std::string printable(std::string_view s, size_t limit) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string out;
  for (char c : s.substr(0, limit)) {
    if (c >= 0x20 && c < 0x7f) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
  }
  if (s.size() > limit) out += "...";
  return out;
}

size_t utf8_length(std::string_view s) {
  if (s.empty()) return 0;
  auto byte = [&](size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
    return byte(1) >= low && byte(1) <= high && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
    return byte(1) >= low && byte(1) <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

namespace {

void append_u00(std::string& out, unsigned char value) {
  static constexpr char hex[] = "0123456789abcdef";
  out += {'\\', 'u', '0', '0', hex[value >> 4], hex[value & 15]};
}

// U+0080 to U+009F: terminals obey some of them as they do ESC.
bool is_c1(std::string_view s) {
  return s.size() == 2 && s[0] == '\xC2' && static_cast<unsigned char>(s[1]) < 0xA0;
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view s) {
  while (!s.empty()) {
    const char c = s.front();
    size_t n = utf8_length(s);
    if (n == 0) {
      out += "\xEF\xBF\xBD";
      n = 1;
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      append_u00(out, static_cast<unsigned char>(c));
    } else if (is_c1(s.substr(0, n))) {
      append_u00(out, static_cast<unsigned char>(s[1]));
    } else {
      out.append(s.substr(0, n));
    }
    s.remove_prefix(n);
  }
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t same = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + same});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace banyan
