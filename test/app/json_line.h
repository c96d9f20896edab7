// JsonLine: a strict reader of one line of the access log, for tests: an object of strings, whole
// and decimal numbers, true, false and objects, valid UTF-8 throughout (RFC 8259), each key once,
// and our own rule: no byte that a terminal could obey. Owner: the test. Thread: one. Values go by
// their path ("error.side"), strings unescaped. What is wrong is in fault(), empty when nothing is.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/text.h"

namespace banyan {

class JsonLine {
 public:
  explicit JsonLine(std::string_view line) : rest_(line) {
    object("");
    if (fault_.empty() && rest_ != "\n") fail("the line does not end behind the object");
  }

  const std::string& fault() const { return fault_; }
  bool has(const std::string& path) const { return values_.contains(path); }
  std::string operator[](const std::string& path) const {
    const auto at = values_.find(path);
    return at == values_.end() ? "(none)" : at->second;
  }
  std::set<std::string> paths() const {
    std::set<std::string> out;
    for (const auto& [path, value] : values_) out.insert(path);
    return out;
  }

 private:
  void fail(std::string why) {
    if (fault_.empty()) fault_ = std::move(why) + ": " + std::string(rest_.substr(0, 40));
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void object(const std::string& path) {
    if (!take('{')) return fail("no object");
    if (take('}')) return;
    do {
      const std::string key = string();
      if (!take(':')) return fail("no colon");
      value(path.empty() ? key : path + "." + key);
    } while (fault_.empty() && take(','));
    if (!take('}')) fail("an object without an end");
  }
  void value(const std::string& path) {
    if (rest_.starts_with('{')) return object(path);
    const std::string got = rest_.starts_with('"') ? string() : word();
    if (!values_.emplace(path, got).second) fail("a key twice: " + path);
  }
  std::string string() {
    std::string out;
    if (!take('"')) fail("no string");
    while (fault_.empty() && !take('"')) {
      if (take('\\'))
        escape(out);
      else
        character(out);
    }
    return out;
  }
  void character(std::string& out) {
    const size_t n = utf8_length(rest_);
    const auto c = static_cast<unsigned char>(rest_.empty() ? 0 : rest_.front());
    const bool obeyed = c < 0x20 || c == 0x7F ||
                        (n == 2 && c == 0xC2 && static_cast<unsigned char>(rest_[1]) < 0xA0);
    if (n == 0 || obeyed) return fail("a byte that may not stand in a string");
    out += rest_.substr(0, n);
    rest_.remove_prefix(n);
  }
  void escape(std::string& out) {
    if (take('"')) return out.push_back('"');
    if (take('\\')) return out.push_back('\\');
    if (!rest_.starts_with("u00") || rest_.size() < 5) return fail("not one of our escapes");
    const int high = hex_value(rest_[3]), low = hex_value(rest_[4]);
    if (high < 0 || low < 0) return fail("not hexadecimal");
    const int code = high * 16 + low;
    if (code >= 0x80) out += '\xC2';
    out += static_cast<char>(code);
    rest_.remove_prefix(5);
  }
  // true, false, or a number as we write it: 0, 17, 1.250
  std::string word() {
    const size_t end = std::min(rest_.find_first_of(",}"), rest_.size());
    const std::string out(rest_.substr(0, end));
    rest_.remove_prefix(end);
    if (out == "true" || out == "false") return out;
    const size_t point = std::min(out.find('.'), out.size());
    const bool whole = parse_u64(out.substr(0, point)).has_value();
    const bool zeros = out.size() > 1 && out[0] == '0' && point != 1;
    const bool tail = point == out.size() || parse_u64(out.substr(point + 1)).has_value();
    if (!whole || zeros || !tail) fail("not a number: " + out);
    return out;
  }

  std::string_view rest_;
  std::string fault_;
  std::map<std::string, std::string> values_;
};

}  // namespace banyan
