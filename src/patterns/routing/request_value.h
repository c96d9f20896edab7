// What a request says under a name that is no header: query parameters and cookies. Nothing is
// parsed before it is asked for, and nothing is kept: each call reads the text once. Owner: none,
// these are functions; values are views into the request. Thread: any. The first of a name counts,
// later ones are not looked at. Sources: the URL standard's form encoding for queries ('&' between,
// '+' is a space, percent escapes); RFC 6265, section 4.2 for cookies (values as they are, quotes
// included).
#pragma once
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "http/headers.h"

namespace banyan {

// A query value as it stands; text() decodes it. An escape that is none stands for itself.
class QueryValue {
 public:
  explicit QueryValue(std::string_view raw) : raw_(raw) {}
  std::string_view raw() const { return raw_; }
  bool equals(std::string_view plain) const;
  bool starts_with(std::string_view plain) const;
  // The raw text, or a decoded copy in the arena.
  std::string_view text(Arena& arena) const;

 private:
  std::string_view raw_;
};

// `name` is plain text; names in the query are decoded before they are compared. "?a" has "a" with
// an empty value.
std::optional<QueryValue> find_query(std::string_view query, std::string_view name);

// Looks through all Cookie fields; names are case-sensitive.
std::optional<std::string_view> find_cookie(const Headers& headers, std::string_view name);

}  // namespace banyan
