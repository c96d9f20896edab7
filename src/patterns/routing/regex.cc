#include "patterns/routing/regex.h"

#include <re2/re2.h>

#include "base/text.h"
#include "patterns/routing/path_pattern.h"

namespace banyan {

namespace {

constexpr int group_number_max = 64;
// How much of the text that PossibleMatchRange may look at.
constexpr int range_bytes = 64;

bool match_range(const re2::RE2& regex, std::string& least, std::string& most) {
  return regex.PossibleMatchRange(&least, &most, range_bytes);
}

}  // namespace

OrMessage<RegexPtr> compile_regex(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(regex_memory_bytes_max);
  auto regex =
      std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (regex->ok()) return regex;
  return std::unexpected("'" + printable(text) +
                         "' is no regular expression (RE2): " + printable(regex->error()));
}

std::string_view text_of(const re2::RE2& regex) { return regex.pattern(); }

bool matches_whole(const re2::RE2& regex, std::string_view text) {
  return regex.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                     re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

OrMessage<RegexGroups> named_groups(const re2::RE2& regex) {
  RegexGroups out;
  for (const auto& [number, name] : regex.CapturingGroupNames()) {
    if (number >= group_number_max)
      return std::unexpected("group '" + name + "' is not among the first " +
                             std::to_string(group_number_max - 1) + "; make others (?:...)");
    out.names.push_back(name);
    out.numbers.push_back(number);
    out.last = number;
  }
  if (out.names.size() > captures_max)
    return std::unexpected("it has more than " + std::to_string(captures_max) + " named groups");
  return out;
}

bool match_groups(const re2::RE2& regex, const RegexGroups& groups, std::string_view text,
                  std::string_view* out) {
  re2::StringPiece found[group_number_max];
  if (!regex.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                   re2::RE2::ANCHOR_BOTH, found, groups.last + 1))
    return false;
  for (size_t i = 0; i < groups.numbers.size(); ++i) {
    const re2::StringPiece& value = found[groups.numbers[i]];
    out[i] = std::string_view(value.data(), value.size());
  }
  return true;
}

bool may_begin_with(const re2::RE2& regex, std::string_view prefix) {
  std::string least, most;
  if (!match_range(regex, least, most)) return true;
  // Texts with the prefix lie between it and itself followed by the greatest bytes.
  return most >= prefix && least <= std::string(prefix) + std::string(range_bytes, '\xff');
}

bool always_begins_with(const re2::RE2& regex, std::string_view prefix) {
  std::string least, most;
  return match_range(regex, least, most) && least.starts_with(prefix) && most.starts_with(prefix);
}

}  // namespace banyan
