// is_json: whether a text is exactly one JSON value (RFC 8259), for tests that must not trust the
// writer. Strict: no trailing commas, no bare control bytes, no leading zeros. Owner: none. Thread:
// any. Bound: 64 levels.
#pragma once
#include <string_view>

#include "base/text.h"

namespace banyan {

class JsonCheck {
 public:
  explicit JsonCheck(std::string_view text) : rest_(text) {}
  bool all() {
    const bool good = value(0);
    space();
    return good && rest_.empty();
  }

 private:
  void space() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != rest_.npos)
      rest_.remove_prefix(1);
  }
  bool take(std::string_view text) {
    space();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool value(int depth) {
    if (depth > 64) return false;
    if (take("{")) return members(depth);
    if (take("[")) return items(depth);
    if (take("\"")) return string();
    return take("true") || take("false") || take("null") || number();
  }
  bool items(int depth) {
    if (take("]")) return true;
    do
      if (!value(depth + 1)) return false;
    while (take(","));
    return take("]");
  }
  bool members(int depth) {
    if (take("}")) return true;
    do
      if (!take("\"") || !string() || !take(":") || !value(depth + 1)) return false;
    while (take(","));
    return take("}");
  }
  // Behind the opening quote.
  bool string() {
    while (!rest_.empty() && rest_[0] != '"') {
      if (static_cast<unsigned char>(rest_[0]) < 0x20) return false;
      size_t size = rest_[0] == '\\' ? escape() : utf8_length(rest_);
      if (size == 0) return false;
      rest_.remove_prefix(size);
    }
    return take("\"");
  }
  size_t escape() const {
    if (rest_.size() < 2) return 0;
    if (std::string_view("\"\\/bfnrt").find(rest_[1]) != rest_.npos) return 2;
    if (rest_[1] != 'u' || rest_.size() < 6) return 0;
    for (size_t i = 2; i < 6; ++i)
      if (hex_value(rest_[i]) < 0) return 0;
    return 6;
  }
  bool digits() {
    size_t n = 0;
    while (n < rest_.size() && is_digit(rest_[n])) ++n;
    rest_.remove_prefix(n);
    return n > 0;
  }
  bool number() {
    take("-");
    if (rest_.size() > 1 && rest_[0] == '0' && is_digit(rest_[1])) return false;
    if (!digits()) return false;
    return !rest_.starts_with('.') || (take(".") && digits());
  }

  std::string_view rest_;
};

inline bool is_json(std::string_view text) { return JsonCheck(text).all(); }

}  // namespace banyan
