#include "http/traceparent.h"

#include "base/text.h"

namespace banyan {

namespace {

constexpr std::string_view form = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";

// Upper-case digits are not allowed (section 3.2.1).
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

bool has_form(std::string_view text) {
  for (size_t i = 0; i < form.size(); ++i)
    if (form[i] == 'h' ? !is_lower_hex(text[i]) : text[i] != '-') return false;
  return true;
}

uint64_t number(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) value = value << 4 | static_cast<uint64_t>(hex_value(c));
  return value;
}

}  // namespace

std::optional<TraceId> parse_traceparent(std::string_view text) {
  if (text.size() < form.size() || !has_form(text)) return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view more = text.substr(form.size());
  if (version == "ff" || (!more.empty() && (version == "00" || more[0] != '-')))
    return std::nullopt;
  const TraceId id{.high = number(text.substr(3, 16)), .low = number(text.substr(19, 16))};
  if (id == TraceId{} || number(text.substr(36, 16)) == 0) return std::nullopt;
  return id;
}

}  // namespace banyan
