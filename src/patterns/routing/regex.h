// Regular expressions of the configuration: RE2, so that no request can make one slow (the time is
// linear in the text), with a bound on the memory of each. Owner: whoever compiles them; shared by
// workers. Thread: any. A match is always of the whole text.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "patterns/routing/pieces.h"

namespace re2 {
class RE2;
}

namespace banyan {

constexpr int64_t regex_memory_bytes_max = 1 << 20;

using RegexPtr = std::shared_ptr<const re2::RE2>;

OrMessage<RegexPtr> compile_regex(std::string_view text);
std::string_view text_of(const re2::RE2& regex);
bool matches_whole(const re2::RE2& regex, std::string_view text);

// The named groups of a path_regex: what a match of the route captures.
struct RegexGroups {
  std::vector<std::string> names;
  std::vector<int> numbers;  // of the groups, in the same order
  int last = 0;
};
OrMessage<RegexGroups> named_groups(const re2::RE2& regex);
// Values of the named groups in `out` (as many as names); a group that took no part is empty.
bool match_groups(const re2::RE2& regex, const RegexGroups& groups, std::string_view text,
                  std::string_view* out);

// False when no text that begins with `prefix` can match: never wrongly.
bool may_begin_with(const re2::RE2& regex, std::string_view prefix);
// True when every text that matches begins with `prefix`: never wrongly.
bool always_begins_with(const re2::RE2& regex, std::string_view prefix);

}  // namespace banyan
