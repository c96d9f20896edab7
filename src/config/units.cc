#include "config/units.h"

#include <array>
#include <limits>

#include "base/text.h"

namespace banyan {

namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Largest first, for to_text; two-letter names are found whole, because a number comes before each.
constexpr std::array<Unit, 7> time_units = {{{"d", 86'400'000'000'000},
                                             {"h", 3'600'000'000'000},
                                             {"m", 60'000'000'000},
                                             {"s", 1'000'000'000},
                                             {"ms", 1'000'000},
                                             {"us", 1'000},
                                             {"ns", 1}}};
constexpr std::array<Unit, 4> size_units = {
    {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}};

template <size_t N>
std::optional<uint64_t> factor_of(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& u : units)
    if (u.name == name) return u.factor;
  return std::nullopt;
}

// Takes leading characters that `what` accepts off `text`.
template <class What>
std::string_view take_while(std::string_view& text, What what) {
  size_t n = 0;
  while (n < text.size() && what(text[n])) ++n;
  const std::string_view taken = text.substr(0, n);
  text.remove_prefix(n);
  return taken;
}

// number[.fraction] times `factor`, without overflow; the fraction must come out whole.
std::optional<uint64_t> scaled(std::string_view number, uint64_t factor) {
  const size_t dot = number.find('.');
  const auto whole = parse_u64(number.substr(0, dot));
  if (!whole || *whole > std::numeric_limits<int64_t>::max() / factor) return std::nullopt;
  uint64_t out = *whole * factor;
  if (dot == std::string_view::npos) return out;
  const std::string_view fraction = number.substr(dot + 1);
  if (fraction.empty() || fraction.size() > 9) return std::nullopt;
  for (char c : fraction) {
    if (!is_digit(c) || factor % 10 != 0) return std::nullopt;
    factor /= 10;
    out += static_cast<uint64_t>(c - '0') * factor;
  }
  return out;
}

bool is_number_char(char c) { return is_digit(c) || c == '.'; }

template <size_t N>
std::string largest_whole(uint64_t value, const std::array<Unit, N>& units) {
  for (const Unit& u : units)
    if (value != 0 && value % u.factor == 0)
      return std::to_string(value / u.factor) + std::string(u.name);
  return "0";
}

// 125 -> "1.25"
std::string decimal(uint32_t hundredths) {
  std::string text = std::to_string(hundredths / 100);
  if (uint32_t rest = hundredths % 100; rest != 0) {
    text += '.' + std::to_string(rest / 10);
    if (rest % 10 != 0) text += std::to_string(rest % 10);
  }
  return text;
}

}  // namespace

std::optional<Nanoseconds> parse_duration(std::string_view text) {
  if (text == "0") return Nanoseconds(0);
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  while (!text.empty()) {
    const std::string_view number = take_while(text, is_number_char);
    const auto factor = factor_of(time_units, take_while(text, is_alpha));
    if (!factor) return std::nullopt;
    const auto part = scaled(number, *factor);
    if (!part || *part > std::numeric_limits<int64_t>::max() - total) return std::nullopt;
    total += *part;
  }
  return Nanoseconds(static_cast<int64_t>(total));
}

std::optional<Size> parse_size(std::string_view text) {
  const std::string_view number = take_while(text, is_digit);
  const auto factor = text.empty() ? std::optional<uint64_t>(1) : factor_of(size_units, text);
  if (!factor) return std::nullopt;
  const auto bytes = scaled(number, *factor);
  return bytes ? std::optional(Size{*bytes}) : std::nullopt;
}

std::optional<Percent> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto points = scaled(text.substr(0, text.size() - 1), 100);
  if (!points || *points > 10'000) return std::nullopt;
  return Percent{static_cast<uint32_t>(*points)};
}

std::optional<Factor> parse_factor(std::string_view text) {
  const auto hundredths = scaled(text, 100);
  if (!hundredths || *hundredths > 1'000'000) return std::nullopt;
  return Factor{static_cast<uint32_t>(*hundredths)};
}

std::string to_text(Nanoseconds value) {
  return largest_whole(static_cast<uint64_t>(value.count()), time_units);
}

std::string to_text(Size value) {
  std::string text = largest_whole(value.bytes, size_units);
  if (text.ends_with("B") && !text.ends_with("iB")) text.pop_back();
  return text;
}

std::string to_text(Percent value) { return decimal(value.basis_points) + '%'; }

std::string to_text(Factor value) { return decimal(value.hundredths); }

}  // namespace banyan
