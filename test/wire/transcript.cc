#include "wire/transcript.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "config/units.h"

namespace banyan::wire {

namespace {

constexpr size_t repeat_min = 40;  // so many equal bytes are written as a repetition

std::string escaped(char c) {
  switch (c) {
    case '\r':
      return "\\r";
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
}

size_t run_length(std::string_view bytes) {
  const size_t end = bytes.find_first_not_of(bytes.front());
  return end == std::string_view::npos ? bytes.size() : end;
}

// Takes one quoted piece off: up to a line's end, a long repetition, or the end.
std::string take_piece(std::string_view& bytes) {
  if (const size_t n = run_length(bytes); n >= repeat_min) {
    const std::string piece = fmt::format("\"{}\" * {}", escaped(bytes.front()), n);
    bytes.remove_prefix(n);
    return piece;
  }
  std::string inside;
  while (!bytes.empty() && run_length(bytes) < repeat_min) {
    const char c = bytes.front();
    inside += escaped(c);
    bytes.remove_prefix(1);
    if (c == '\n') break;
  }
  return '"' + inside + '"';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Parsed run() {
    while (out_.error.empty() && !rest_.empty()) line();
    (out_.transcript.lines.empty() ? out_.transcript.head : out_.transcript.tail) += pending_;
    return std::move(out_);
  }

 private:
  void fault(std::string_view what) {
    if (out_.error.empty()) out_.error = fmt::format("line {}: {}", number_, what);
  }
  std::string_view take_line() {
    const size_t end = rest_.find('\n');
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    return found;
  }
  void line() {
    const std::string_view text = take_line();
    if (text.empty() || text.starts_with('#')) {
      pending_ += std::string(text) + '\n';
    } else if (text == "config:") {
      config(text);
    } else {
      conversation(text);
    }
  }
  void config(std::string_view text) {
    out_.transcript.head += std::exchange(pending_, {}) + std::string(text) + '\n';
    while (rest_.starts_with("  ")) {
      const std::string_view setting = take_line();
      out_.transcript.head += std::string(setting) + '\n';
      out_.transcript.config += std::string(setting.substr(2)) + '\n';
    }
  }
  void conversation(std::string_view text) {
    Line line;
    std::string source = std::string(text) + '\n';
    words_ = text;
    if (words_.starts_with("@ ")) line.at = time();
    if (!words_.empty()) party(line, source);
    if (line.seen) return;  // it is found out anew
    line.source = std::exchange(pending_, {}) + source;
    out_.transcript.lines.push_back(std::move(line));
  }
  Duration time() {
    words_.remove_prefix(2);
    const size_t end = words_.find(' ');
    const auto at = parse_duration(words_.substr(0, end));
    if (!at) fault("'@' wants a time: @ 10s");
    words_ = end == std::string_view::npos ? std::string_view{} : words_.substr(end + 1);
    return at.value_or(Duration{});
  }
  void party(Line& line, std::string& source) {
    const size_t space = words_.find(' ');
    const std::string_view after = space == std::string_view::npos ? "" : words_.substr(space + 1);
    line.party = words_.substr(0, space);
    if (!after.starts_with("> ") && !after.starts_with("< "))
      return fault("wants: party > \"bytes\", or party < \"bytes\"");
    line.seen = after.front() == '<';
    words_ = after.substr(2);
    if (words_.starts_with('"'))
      bytes(line, source);
    else
      line.event = words_;
  }
  void bytes(Line& line, std::string& source) {
    pieces(line.bytes);
    while (rest_.starts_with(' ')) {
      const std::string_view more = take_line();
      source += std::string(more) + '\n';
      words_ = trim(more);
      pieces(line.bytes);
    }
  }
  void pieces(std::string& to) {
    while (!words_.empty() && out_.error.empty()) {
      if (!words_.starts_with('"')) return fault("wants bytes in quotes");
      words_.remove_prefix(1);
      std::string piece = unquote();
      repeat(piece);
      to += piece;
      words_ = trim(words_);
    }
  }
  std::string unquote() {
    std::string out;
    while (!words_.empty() && words_.front() != '"') {
      const char c = words_.front();
      words_.remove_prefix(1);
      out += c == '\\' ? unescape() : c;
    }
    if (words_.empty()) fault("a quote is not closed");
    if (!words_.empty()) words_.remove_prefix(1);
    return out;
  }
  char unescape() {
    if (words_.empty()) return '\\';
    const char c = words_.front();
    words_.remove_prefix(1);
    if (c == 'r') return '\r';
    if (c == 'n') return '\n';
    if (c == 't') return '\t';
    if (c == '\\' || c == '"') return c;
    const int high = c == 'x' && words_.size() >= 2 ? hex_value(words_[0]) : -1;
    const int low = high >= 0 ? hex_value(words_[1]) : -1;
    if (low < 0) fault("an escape is none of \\r \\n \\t \\\\ \\\" \\xNN");
    if (low >= 0) words_.remove_prefix(2);
    return static_cast<char>(high * 16 + low);
  }
  void repeat(std::string& piece) {
    words_ = trim(words_);
    if (!words_.starts_with("* ")) return;
    words_.remove_prefix(2);
    const size_t end = words_.find(' ');
    const auto times = parse_u64(words_.substr(0, end));
    if (!times) return fault("'*' wants a number");
    words_ = end == std::string_view::npos ? std::string_view{} : words_.substr(end);
    const std::string once = std::exchange(piece, {});
    for (uint64_t i = 0; i < *times; ++i) piece += once;
  }

  std::string_view rest_;
  std::string_view words_;  // of the line
  std::string pending_;     // comments and empty lines, for whatever comes next
  size_t number_ = 0;
  Parsed out_;
};

}  // namespace

Parsed parse(std::string_view text) { return Parser(text).run(); }

std::string quote(std::string_view prefix, std::string_view bytes) {
  const std::string indent(prefix.size(), ' ');
  std::string out;
  for (std::string_view start = prefix; !bytes.empty(); start = indent)
    out += std::string(start) + take_piece(bytes) + '\n';
  return out;
}

// In seconds if they are whole: nobody wants to count minutes.
std::string time_text(Duration at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  return seconds == at ? std::to_string(seconds.count()) + "s" : to_text(at);
}

}  // namespace banyan::wire
