#include "base/prometheus.h"

#include <charconv>
#include <utility>

namespace banyan {

namespace {

std::string_view text(Exposition::Kind kind) {
  switch (kind) {
    case Exposition::Kind::counter:
      return "counter";
    case Exposition::Kind::gauge:
      return "gauge";
    case Exposition::Kind::histogram:
      break;
  }
  return "histogram";
}

void append_label_value(std::string& out, std::string_view value) {
  for (char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

void append_label(std::string& out, std::string_view name, std::string_view value, char before) {
  out += before;
  out += name;
  out += "=\"";
  append_label_value(out, value);
  out += '"';
}

}  // namespace

void append_number(std::string& out, uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void append_seconds(std::string& out, std::chrono::nanoseconds value) {
  constexpr uint64_t second = 1'000'000'000;
  if (value.count() < 0) out += '-';
  // Away from zero by bits: the least value has no positive counterpart.
  const auto bits = static_cast<uint64_t>(value.count());
  const uint64_t ns = value.count() < 0 ? 0 - bits : bits;
  append_number(out, ns / second);
  uint64_t rest = ns % second;
  if (rest == 0) return;
  char digits[10] = ".";
  for (int i = 9; i > 0; --i, rest /= 10) digits[i] = static_cast<char>('0' + rest % 10);
  std::string_view fraction(digits, sizeof digits);
  while (fraction.back() == '0') fraction.remove_suffix(1);
  out += fraction;
}

void Exposition::family(Kind kind, std::string_view name, std::string_view help) {
  kind_ = kind;
  name_ = name;
  help_ = help;
  begun_ = false;
}

void Exposition::begin() {
  if (std::exchange(begun_, true)) return;
  out_.append("# HELP ").append(name_) += ' ';
  for (char c : help_) {
    if (c == '\\' || c == '\n') out_ += '\\';
    out_ += c == '\n' ? 'n' : c;
  }
  out_.append("\n# TYPE ").append(name_).append(" ").append(text(kind_)) += '\n';
}

// Everything of a line but its value. `le` empty: none.
void Exposition::line(std::string_view suffix, Labels labels, std::string_view le) {
  begin();
  out_.append(name_).append(suffix);
  char before = '{';
  for (const Label& label : labels)
    append_label(out_, label.name, label.value, std::exchange(before, ','));
  if (!le.empty()) append_label(out_, "le", le, std::exchange(before, ','));
  if (before == ',') out_ += '}';
  out_ += ' ';
}

void Exposition::sample(Labels labels, uint64_t value) {
  line("", labels, {});
  append_number(out_, value);
  out_ += '\n';
}

void Exposition::sample(Labels labels, std::chrono::nanoseconds value) {
  line("", labels, {});
  append_seconds(out_, value);
  out_ += '\n';
}

void Exposition::histogram(Labels labels, const Distribution& d,
                           std::span<const std::chrono::nanoseconds> edges) {
  std::string le;
  for (const auto edge : edges) {
    le.clear();
    append_seconds(le, edge);
    line("_bucket", labels, le);
    append_number(out_, d.up_to(edge));
    out_ += '\n';
  }
  const uint64_t count = d.count();
  line("_bucket", labels, "+Inf");
  append_number(out_, count);
  out_ += '\n';
  line("_sum", labels, {});
  append_seconds(out_, std::chrono::nanoseconds(d.sum_ns()));
  out_ += '\n';
  line("_count", labels, {});
  append_number(out_, count);
  out_ += '\n';
}

}  // namespace banyan
