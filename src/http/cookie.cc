#include "http/cookie.h"

#include <algorithm>

#include "base/text.h"

namespace banyan {

namespace {

// Cuts `text` at the first ';'; the rest stays in `text`.
std::string_view take_pair(std::string_view& text) {
  const size_t at = std::min(text.find(';'), text.size());
  const std::string_view first = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return trim(first);
}

}  // namespace

std::optional<std::string_view> find_cookie(const Headers& headers, std::string_view name) {
  if (!headers.has(Name::cookie)) return std::nullopt;
  for (const Field& field : headers) {
    if (field.id != Name::cookie) continue;
    for (std::string_view pairs = field.value; !pairs.empty();) {
      const std::string_view pair = take_pair(pairs);
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) continue;
      return trim(pair.substr(equals + 1));
    }
  }
  return std::nullopt;
}

}  // namespace banyan
