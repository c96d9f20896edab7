#include "patterns/ambassador/quota_fields.h"

#include <algorithm>

#include "base/text.h"

namespace banyan {

namespace {

constexpr uint64_t calls_max = 1'000'000'000;
constexpr uint64_t seconds_max = 1'000'000'000;          // larger ones are moments
constexpr uint64_t moment_seconds_max = 10'000'000'000;  // larger ones are in milliseconds

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The part up to a mark that is not within quotes; it is taken off.
std::string_view next_part(std::string_view& text, char mark) {
  bool quoted = false;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\' && quoted)
      ++at;
    else if (text[at] == '"')
      quoted = !quoted;
    else if (text[at] == mark && !quoted)
      break;
  }
  at = std::min(at, text.size());
  const std::string_view part = trimmed(text.substr(0, at));
  text.remove_prefix(std::min(text.size(), at + 1));
  return part;
}

std::optional<uint64_t> calls(std::string_view text) {
  const auto number = parse_u64(trimmed(text));
  if (!number) return std::nullopt;
  return std::min(*number, calls_max);
}

// Seconds from now; or a moment, in seconds or milliseconds since 1970.
std::optional<Duration> reset_in(std::string_view text, WallTime wall) {
  const auto number = parse_u64(trimmed(text));
  if (!number) return std::nullopt;
  if (*number < seconds_max) return std::chrono::seconds(*number);
  const uint64_t seconds = *number < moment_seconds_max ? *number : *number / 1000;
  if (seconds >= moment_seconds_max) return std::nullopt;
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(wall.time_since_epoch());
  const auto until = std::chrono::seconds(seconds) - now;
  return std::max<Duration>(until, Duration{});
}

void set(QuotaSaid& out, std::string_view name, std::string_view value, WallTime wall) {
  if (iequal(name, "limit") || iequal(name, "q")) out.limit = calls(value);
  if (iequal(name, "remaining") || iequal(name, "r")) out.remaining = calls(value);
  if (iequal(name, "reset") || iequal(name, "t")) out.reset = reset_in(value, wall);
}

// Whether a is used up before b.
bool tighter(const QuotaSaid& a, const QuotaSaid& b) {
  if (!a.remaining || !b.remaining) return a.remaining.has_value();
  if (*a.remaining != *b.remaining) return *a.remaining < *b.remaining;
  return a.reset.value_or(Duration{}) > b.reset.value_or(Duration{});
}

void set_all(QuotaSaid& out, std::string_view part, WallTime wall) {
  const size_t equals = part.find('=');
  if (equals == std::string_view::npos) return;
  set(out, trimmed(part.substr(0, equals)), trimmed(part.substr(equals + 1)), wall);
}

// `"default";r=50;t=30, "daily";r=9;t=3600`, or `limit=100, remaining=50, reset=30`.
QuotaSaid from_list(std::string_view text, WallTime wall) {
  QuotaSaid best, flat;
  std::optional<QuotaSaid> first;  // of a policy, which tells no more than limits
  while (!text.empty()) {
    std::string_view member = next_part(text, ',');
    if (member.find(';') == std::string_view::npos) {
      set_all(flat, member, wall);
      continue;
    }
    QuotaSaid one;
    while (!member.empty()) set_all(one, next_part(member, ';'), wall);
    if (!first) first = one;
    if (tighter(one, best)) best = one;
  }
  if (tighter(flat, best)) return flat;
  return best.remaining || !first ? best : *first;
}

}  // namespace

QuotaSaid quota_said(const Headers& answer, WallTime wall) {
  const std::string_view list = answer.get("ratelimit");
  if (!list.empty()) {
    QuotaSaid out = from_list(list, wall);
    if (!out.limit) out.limit = from_list(answer.get("ratelimit-policy"), wall).limit;
    return out;
  }
  QuotaSaid out;
  for (const std::string_view prefix : {"ratelimit-", "x-ratelimit-", "x-rate-limit-"}) {
    char name[32];
    for (const std::string_view what : {"limit", "remaining", "reset"}) {
      char* end = std::ranges::copy(prefix, name).out;
      end = std::ranges::copy(what, end).out;
      const std::string_view value = answer.get(std::string_view(name, end));
      if (!value.empty()) set(out, what, value, wall);
    }
    if (out.remaining) break;
  }
  return out;
}

}  // namespace banyan
