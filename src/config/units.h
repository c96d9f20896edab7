// Units of the configuration: durations (250ms, 2s, 5m, 1h, 1d), sizes (512, 64KiB, 10MiB),
// percentages (20%), factors (1.25). Owner: plain values. Thread: any. A number without its unit is
// refused where a unit is meant: "30" seconds and "30" milliseconds look alike. Several parts may
// follow each other: 1m30s.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace banyan {

using Nanoseconds = std::chrono::nanoseconds;

// A number of bytes.
struct Size {
  uint64_t bytes = 0;
  friend auto operator<=>(const Size&, const Size&) = default;
};
constexpr Size kib(uint64_t n) { return {n * 1024}; }
constexpr Size mib(uint64_t n) { return {n * 1024 * 1024}; }

// Hundredths of a percent, so that 99.95% is exact.
struct Percent {
  uint32_t basis_points = 0;
  friend auto operator<=>(const Percent&, const Percent&) = default;
};

// Hundredths, so that 1.25 is exact.
struct Factor {
  uint32_t hundredths = 0;
  double value() const { return hundredths / 100.0; }
  friend auto operator<=>(const Factor&, const Factor&) = default;
};

std::optional<Nanoseconds> parse_duration(std::string_view text);  // ns us ms s m h d
std::optional<Size> parse_size(std::string_view text);             // B KiB MiB GiB; no unit: bytes
std::optional<Percent> parse_percent(std::string_view text);       // 0% .. 100%
std::optional<Factor> parse_factor(std::string_view text);         // 1.25, 2; to 10000

// The shortest text that reads back as the same value.
std::string to_text(Nanoseconds value);
std::string to_text(Size value);
std::string to_text(Percent value);
std::string to_text(Factor value);

}  // namespace banyan
