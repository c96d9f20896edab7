#include "patterns/ambassador/retry_after.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace banyan {

namespace {

// Longer than any call: the rest of the number does not matter.
constexpr uint64_t seconds_max = 1'000'000;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Where a field of the date stands; the rest is fixed text.
unsigned number(std::string_view text, size_t at, size_t digits) {
  return static_cast<unsigned>(parse_u64(text.substr(at, digits)).value_or(9999));
}

bool has_form(std::string_view text) {
  constexpr std::string_view form = "ddd, 00 mmm 0000 00:00:00 GMT";
  if (text.size() != form.size()) return false;
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? !is_digit(text[i]) : is_alpha(form[i]) != is_alpha(text[i])) return false;
    if (!is_digit(form[i]) && !is_alpha(form[i]) && text[i] != form[i]) return false;
  }
  return text.ends_with("GMT");
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  using namespace std::chrono;
  if (!has_form(text)) return std::nullopt;
  const auto found = std::find(months.begin(), months.end(), text.substr(8, 3));
  const auto month_number = static_cast<unsigned>(found - months.begin()) + 1;
  const year_month_day day(year(static_cast<int>(number(text, 12, 4))), month(month_number),
                           std::chrono::day(number(text, 5, 2)));
  const unsigned hour = number(text, 17, 2), minute = number(text, 20, 2),
                 second = number(text, 23, 2);
  // A leap second is a moment, too.
  if (!day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  if (day.year() > year(2200)) return std::nullopt;  // beyond what nanoseconds can hold
  return WallTime(sys_days(day)) + hours(hour) + minutes(minute) + seconds(second);
}

std::optional<Duration> retry_after(const Headers& answer, WallTime now) {
  const std::string_view text = answer.get(Name::retry_after);
  if (text.empty()) return std::nullopt;
  if (std::ranges::all_of(text, is_digit))
    return std::chrono::seconds(std::min(parse_u64(text).value_or(seconds_max), seconds_max));
  const auto at = parse_http_date(text);
  if (!at) return std::nullopt;
  return std::max(*at - now, Duration{});
}

}  // namespace banyan
