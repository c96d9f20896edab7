// What a request says under a name that is no header: query parameters, and cookies (http/cookie).
// Nothing is parsed before it is asked for, and nothing is kept: each call reads the text once.
// Owner: none, these are functions; values are views into the request. Thread: any. The first of a
// name counts, later ones are not looked at. Source: the URL standard's form encoding ('&' between,
// '+' is a space, percent escapes).
#pragma once
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "http/cookie.h"

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

}  // namespace banyan
