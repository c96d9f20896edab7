// PrometheusText: a strict reader of the text format 0.0.4, for tests: every rule that the format
// has, and ours (seconds, `_total`, no empty family) is checked while it reads. Owner: the test.
// Thread: one. What is wrong is in fault(), empty when nothing is.
#pragma once
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace banyan {

class PrometheusText {
 public:
  explicit PrometheusText(std::string_view text) { read(text); }

  const std::string& fault() const { return fault_; }
  bool has(const std::string& series) const { return samples_.contains(series); }
  // By the series as it is written: name{a="b"}. NaN when there is none.
  double value(const std::string& series) const {
    const auto at = samples_.find(series);
    return at == samples_.end() ? std::nan("") : at->second;
  }
  std::string type(const std::string& family) const {
    const auto at = types_.find(family);
    return at == types_.end() ? "" : at->second;
  }
  // How many series begin with this.
  size_t count(std::string_view prefix) const {
    size_t n = 0;
    for (const auto& [series, value] : samples_) n += series.starts_with(prefix);
    return n;
  }

 private:
  struct Histogram {
    double last_le = -INFINITY, last_count = 0, infinity = -1, count = -1, sum = -1;
  };

  bool fail(std::string_view line, std::string_view why) {
    if (fault_.empty()) fault_.append(why).append(": ").append(line);
    return false;
  }
  void read(std::string_view text) {
    if (!text.ends_with('\n')) fail("", "the last line has no end");
    while (!text.empty() && fault_.empty()) {
      const size_t end = text.find('\n');
      read_line(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    end_family();
  }
  bool read_line(std::string_view line) {
    if (line.starts_with("# HELP ")) return read_help(line);
    if (line.starts_with("# TYPE ")) return read_type(line);
    return read_sample(line);
  }
  bool read_help(std::string_view line) {
    end_family();
    const std::string_view rest = line.substr(7);
    family_ = rest.substr(0, rest.find(' '));
    if (!is_name(family_)) return fail(line, "not a name");
    if (family_.size() + 2 >= rest.size()) return fail(line, "no help");
    if (types_.contains(family_)) return fail(line, "the family is there twice");
    typed_ = false;
    in_family_ = 0;
    return true;
  }
  bool read_type(std::string_view line) {
    const std::string_view rest = line.substr(7);
    const size_t space = rest.find(' ');
    if (typed_ || rest.substr(0, space) != family_) return fail(line, "TYPE of another family");
    const std::string type(rest.substr(space + 1));
    if (type != "counter" && type != "gauge" && type != "histogram")
      return fail(line, "not a type");
    if ((type == "counter") != family_.ends_with("_total"))
      return fail(line, "_total is for counters, and for all of them");
    types_[family_] = type;
    return typed_ = true;
  }
  bool read_sample(std::string_view line) {
    if (!typed_) return fail(line, "a sample without TYPE");
    const size_t name_end = line.find_first_of("{ ");
    if (name_end == std::string_view::npos) return fail(line, "no value");
    const std::string name(line.substr(0, name_end));
    std::map<std::string, std::string> labels;
    size_t at = name_end;
    if (line[at] == '{' && !read_labels(line, at, labels)) return false;
    if (at >= line.size() || line[at] != ' ') return fail(line, "no space before the value");
    double value = 0;
    if (!read_value(line.substr(at + 1), value)) return fail(line, "not a number");
    if (!samples_.emplace(std::string(line.substr(0, at)), value).second)
      return fail(line, "the series is there twice");
    ++in_family_;
    if (types_[family_] == "histogram") return read_histogram(line, name, labels, value);
    return name == family_ || fail(line, "a sample of another family");
  }
  bool read_labels(std::string_view line, size_t& at, std::map<std::string, std::string>& labels) {
    do {
      const size_t equals = line.find('=', ++at);
      if (equals == std::string_view::npos) return fail(line, "a label without a value");
      const std::string name(line.substr(at, equals - at));
      if (!is_name(name) || name.find(':') != std::string::npos || name.starts_with("__"))
        return fail(line, "not a label name");
      at = equals + 1;
      std::string value;
      if (!read_quoted(line, at, value)) return fail(line, "not a label value");
      if (!labels.emplace(name, value).second) return fail(line, "a label twice");
    } while (at < line.size() && line[at] == ',');
    if (at >= line.size() || line[at++] != '}') return fail(line, "labels without an end");
    return true;
  }
  static bool read_quoted(std::string_view line, size_t& at, std::string& value) {
    if (at >= line.size() || line[at++] != '"') return false;
    for (; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] != '\\') {
        value += line[at];
        continue;
      }
      if (++at >= line.size()) return false;
      if (line[at] != '\\' && line[at] != '"' && line[at] != 'n') return false;
      value += line[at] == 'n' ? '\n' : line[at];
    }
    return at++ < line.size();
  }
  // Digits, and digits behind a point: all that we write.
  static bool read_value(std::string_view text, double& value) {
    if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos ||
        text.front() == '.' || text.back() == '.')
      return false;
    const std::string copy(text);
    char* end = nullptr;
    value = std::strtod(copy.c_str(), &end);
    return *end == '\0';
  }
  bool read_histogram(std::string_view line, const std::string& name,
                      std::map<std::string, std::string> labels, double value) {
    const std::string kind = name.substr(std::min(family_.size(), name.size()));
    const auto le = labels.find("le");
    const std::string edge = le == labels.end() ? "" : le->second;
    if (!name.starts_with(family_) || edge.empty() != (kind != "_bucket"))
      return fail(line, "le is for buckets, and for all of them");
    labels.erase("le");
    Histogram& h = histograms_[labels];
    if (kind == "_sum") return (h.sum = value) >= 0;
    if (kind == "_count") return (h.count = value) >= 0;
    if (kind != "_bucket") return fail(line, "no part of a histogram");
    const double limit = edge == "+Inf" ? INFINITY : std::strtod(edge.c_str(), nullptr);
    if (limit <= h.last_le || value < h.last_count) return fail(line, "buckets do not rise");
    h.last_le = limit;
    h.last_count = value;
    if (limit == INFINITY) h.infinity = value;
    return true;
  }
  void end_family() {
    if (!family_.empty() && in_family_ == 0) fail(family_, "a family without samples");
    for (const auto& [labels, h] : histograms_)
      if (h.infinity < 0 || h.infinity != h.count || h.sum < 0)
        fail(family_, "+Inf, count and sum do not fit");
    histograms_.clear();
  }
  static bool is_name(std::string_view s) {
    return !s.empty() && !(s[0] >= '0' && s[0] <= '9') &&
           s.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_:") == std::string_view::npos;
  }

  std::string fault_;
  std::string family_;
  bool typed_ = false;
  size_t in_family_ = 0;
  std::map<std::string, std::string> types_;
  std::map<std::string, double> samples_;
  std::map<std::map<std::string, std::string>, Histogram> histograms_;  // of this family
};

}  // namespace banyan
