#include "patterns/routing/request_value.h"

#include <algorithm>

#include "base/text.h"

namespace banyan {

namespace {

// The next decoded byte of `raw`, which must not be empty.
char take_decoded(std::string_view& raw) {
  const char c = raw.front();
  if (c == '%' && raw.size() > 2) {
    const int high = hex_value(raw[1]), low = hex_value(raw[2]);
    if (high >= 0 && low >= 0) {
      raw.remove_prefix(3);
      return static_cast<char>(high << 4 | low);
    }
  }
  raw.remove_prefix(1);
  return c == '+' ? ' ' : c;
}

// Decodes while it compares: nothing is copied, whatever the client escaped.
bool take_prefix(std::string_view& raw, std::string_view plain) {
  for (char c : plain)
    if (raw.empty() || take_decoded(raw) != c) return false;
  return true;
}

// Cuts `text` at the first `mark`; the rest stays in `text`.
std::string_view take_until(std::string_view& text, char mark) {
  const size_t at = std::min(text.find(mark), text.size());
  const std::string_view first = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return first;
}

}  // namespace

bool QueryValue::equals(std::string_view plain) const {
  std::string_view raw = raw_;
  return take_prefix(raw, plain) && raw.empty();
}

bool QueryValue::starts_with(std::string_view plain) const {
  std::string_view raw = raw_;
  return take_prefix(raw, plain);
}

std::string_view QueryValue::text(Arena& arena) const {
  if (raw_.find_first_of("%+") == std::string_view::npos) return raw_;
  char* const begin = arena.array<char>(raw_.size());
  char* to = begin;
  for (std::string_view raw = raw_; !raw.empty();) *to++ = take_decoded(raw);
  return {begin, static_cast<size_t>(to - begin)};
}

std::optional<QueryValue> find_query(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    if (value.empty()) continue;
    if (QueryValue(take_until(value, '=')).equals(name)) return QueryValue(value);
  }
  return std::nullopt;
}

}  // namespace banyan
