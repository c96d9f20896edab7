// Exposition: metrics as text, Prometheus format 0.0.4. Owner: whoever answers a scrape. Thread:
// one. A family is begun once and its samples follow at once, as the format wants; a family that
// gets no sample leaves no trace. Names are the caller's word: [a-z_:][a-z0-9_:]*, seconds and
// bytes, `_total` for counters. Label values are escaped here. Numbers are exact: whole ones as
// they are, times as decimals of nanoseconds, no rounding through floating point.
// Source: prometheus.io/docs/instrumenting/exposition_formats.
#pragma once
#include <chrono>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/histogram.h"

namespace banyan {

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

class Exposition {
 public:
  enum class Kind : uint8_t { counter, gauge, histogram };

  // Both texts are literals.
  void family(Kind kind, std::string_view name, std::string_view help);
  void sample(Labels labels, uint64_t value);
  void sample(Labels labels, std::chrono::nanoseconds value);  // in seconds
  // Buckets `le` each of the edges, in rising order, then +Inf, sum and count. The edges must be
  // exact in a Distribution (base/histogram.h).
  void histogram(Labels labels, const Distribution& d,
                 std::span<const std::chrono::nanoseconds> edges);

  std::string take() { return std::move(out_); }
  // What the answer's Content-Type is.
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  void begin();
  void line(std::string_view suffix, Labels labels, std::string_view le);

  std::string out_;
  Kind kind_ = Kind::counter;
  std::string_view name_;
  std::string_view help_;
  bool begun_ = false;
};

// 1'250'000'000 ns: "1.25".
void append_seconds(std::string& out, std::chrono::nanoseconds value);
void append_number(std::string& out, uint64_t value);

}  // namespace banyan
