#include "config/problems.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/text.h"

namespace banyan {

std::string to_string(const Place& place) {
  std::string out = place.file ? *place.file : "configuration";
  if (place.line != 0) out += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return out;
}

void Problems::error(Place place, std::string path, std::string message) {
  ++errors_;
  all_.push_back({std::move(place), std::move(path), std::move(message), Problem::Severity::error});
}

void Problems::warning(Place place, std::string path, std::string message) {
  all_.push_back(
      {std::move(place), std::move(path), std::move(message), Problem::Severity::warning});
}

std::vector<Problem> Problems::sorted() const {
  std::vector<size_t> order(all_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  auto key = [&](size_t i) {
    const Place& at = all_[i].place;
    return std::tuple(at.file ? std::string_view(*at.file) : std::string_view{}, at.line, at.column,
                      i);
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  std::vector<Problem> out;
  out.reserve(order.size());
  for (size_t i : order) out.push_back(all_[i]);
  return out;
}

std::string Problems::text() const {
  std::string out;
  for (const Problem& p : sorted()) {
    out += to_string(p.place) + ": ";
    if (p.severity == Problem::Severity::warning) out += "warning: ";
    if (!p.path.empty()) out += p.path + ": ";
    out += p.message + "\n";
  }
  return out;
}

std::string Problems::json() const {
  std::string out = "[";
  const auto add = [&](std::string_view name, std::string_view text) {
    out += name;
    out += '"';
    append_json_escaped(out, text);
    out += '"';
  };
  for (const Problem& p : sorted()) {
    add(out.size() == 1 ? "\n  {\"file\": " : ",\n  {\"file\": ",
        p.place.file ? *p.place.file : "");
    out += ", \"line\": " + std::to_string(p.place.line) +
           ", \"column\": " + std::to_string(p.place.column);
    add(", \"path\": ", p.path);
    add(", \"message\": ", p.message);
    add(", \"severity\": ", p.severity == Problem::Severity::error ? "error" : "warning");
    out += "}";
  }
  return out + (out.size() == 1 ? "]\n" : "\n]\n");
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  // One slip in a short word, two or three in a long one: farther away it would be a guess.
  size_t best = std::min<size_t>(3, word.size() / 3 + 1) + 1;
  std::string_view nearest;
  for (std::string_view k : known) {
    // Every letter more is a slip of its own: most names of thousands are passed over here.
    if (std::max(word.size(), k.size()) - std::min(word.size(), k.size()) >= best) continue;
    const size_t distance = edit_distance(word, k);
    if (distance >= best) continue;
    best = distance;
    nearest = k;
  }
  return nearest.empty() ? "" : "; did you mean '" + std::string(nearest) + "'?";
}

}  // namespace banyan
