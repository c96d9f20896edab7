// Value<T>: how a type is read from YAML, described in the manual and the JSON Schema, and written
// as a default. One specialisation a type; structures have theirs from their declaration
// (config/schema.h). Owner: none, these are functions. Thread: one. A reader tells what is wrong to
// Problems and goes on, so that all problems are told at once.
#pragma once
#include <concepts>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/text.h"
#include "config/units.h"
#include "config/yaml.h"

namespace banyan {

// Where the reader is: a list of names on the stack, written out only when there is a problem to
// tell.
class Reading {
 public:
  explicit Reading(Problems& problems) : problems_(problems) {}
  Reading(const Reading& up, std::string_view key) : problems_(up.problems_), up_(&up), key_(key) {}
  Reading(const Reading& up, size_t index) : problems_(up.problems_), up_(&up), index_(index) {}

  std::string path() const;  // "routes[2].match.path"
  Problems& problems() const { return problems_; }
  // Tells the problem; false, for `return`.
  bool error(const Place& at, std::string message) const;

 private:
  Problems& problems_;
  const Reading* up_ = nullptr;
  std::string_view key_;
  size_t index_ = 0;
};

struct Structure;

// What the manual and the JSON Schema say of a type.
struct TypeNote {
  enum class Kind : uint8_t { text, number, boolean, choice, list, map, structure, any_of };
  Kind kind = Kind::text;
  std::string name;                           // "duration"
  std::string pattern = {};                   // of a text: a regular expression
  std::vector<std::string> words = {};        // of a choice
  std::vector<TypeNote> inner = {};           // element of a list or map; alternatives of any_of
  const Structure& (*structure)() = nullptr;  // called late, so structures may contain themselves
  uint64_t least = 0;                         // of a number
  uint64_t most = std::numeric_limits<uint64_t>::max();
};

template <class T>
struct Value;

// The text of a scalar, or a problem that says what was wanted.
std::optional<std::string_view> scalar_text(const Node& node, std::string_view wanted,
                                            const Reading& at);

template <>
struct Value<std::string> {
  static bool read(const Node& node, std::string& out, const Reading& at) {
    const auto text = scalar_text(node, "a text", at);
    if (text) out = *text;
    return text.has_value();
  }
  static TypeNote note() { return {TypeNote::Kind::text, "text"}; }
  static std::string text(const std::string& v) { return v; }
};

template <>
struct Value<bool> {
  static bool read(const Node& node, bool& out, const Reading& at);
  static TypeNote note() { return {TypeNote::Kind::boolean, "true or false"}; }
  static std::string text(bool v) { return v ? "true" : "false"; }
};

template <class T>
  requires(std::unsigned_integral<T> && !std::same_as<T, bool>)
struct Value<T> {
  static bool read(const Node& node, T& out, const Reading& at) {
    const auto text = scalar_text(node, "a whole number", at);
    if (!text) return false;
    const auto number = parse_u64(*text);
    if (!number || *number > std::numeric_limits<T>::max())
      return at.error(node.place, "'" + printable(*text) + "' is no whole number in range");
    out = static_cast<T>(*number);
    return true;
  }
  static TypeNote note() { return {TypeNote::Kind::number, "whole number"}; }
  static std::string text(T v) { return std::to_string(v); }
};

// For types that are one scalar in the file: `parse` gives an optional.
template <class T, auto parse>
bool read_scalar(const Node& node, T& out, const Reading& at, std::string_view wanted) {
  const auto text = scalar_text(node, wanted, at);
  if (!text) return false;
  auto value = parse(*text);
  if (!value)
    return at.error(node.place, "'" + printable(*text) + "' is not " + std::string(wanted));
  out = std::move(*value);
  return true;
}

template <>
struct Value<Nanoseconds> {
  static bool read(const Node& node, Nanoseconds& out, const Reading& at) {
    return read_scalar<Nanoseconds, parse_duration>(node, out, at, "a duration (250ms, 2s, 5m)");
  }
  static TypeNote note() {
    return {TypeNote::Kind::text, "duration", "^(0|([0-9.]+(ns|us|ms|s|m|h|d))+)$"};
  }
  static std::string text(Nanoseconds v) { return to_text(v); }
};

template <>
struct Value<Size> {
  static bool read(const Node& node, Size& out, const Reading& at) {
    return read_scalar<Size, parse_size>(node, out, at, "a size (512, 64KiB, 10MiB)");
  }
  static TypeNote note() {
    TypeNote number{TypeNote::Kind::number, "bytes"};
    TypeNote text{TypeNote::Kind::text, "size", "^[0-9]+(B|KiB|MiB|GiB)?$"};
    return {.kind = TypeNote::Kind::any_of, .name = "size", .inner = {text, number}};
  }
  static std::string text(Size v) { return to_text(v); }
};

template <>
struct Value<Percent> {
  static bool read(const Node& node, Percent& out, const Reading& at) {
    return read_scalar<Percent, parse_percent>(node, out, at, "a percentage (0% to 100%)");
  }
  static TypeNote note() { return {TypeNote::Kind::text, "percentage", "^[0-9.]+%$"}; }
  static std::string text(Percent v) { return to_text(v); }
};

template <>
struct Value<Factor> {
  static bool read(const Node& node, Factor& out, const Reading& at) {
    return read_scalar<Factor, parse_factor>(node, out, at, "a factor (1.25, 2)");
  }
  // Without a pattern: in JSON it is a number that need not be whole.
  static TypeNote note() { return {TypeNote::Kind::text, "factor"}; }
  static std::string text(Factor v) { return to_text(v); }
};

template <>
struct Value<Cidr> {
  static bool read(const Node& node, Cidr& out, const Reading& at) {
    return read_scalar<Cidr, parse_cidr>(
        node, out, at, "a network (10.0.0.0/8, fd00::/8, without host bits) or an address");
  }
  static TypeNote note() { return {TypeNote::Kind::text, "network"}; }
  static std::string text(const Cidr& v) { return to_string(v); }
};

// An enum is a choice when words_of(E) names its values in their order.
template <class E>
  requires std::is_enum_v<E>
struct Value<E> {
  static bool read(const Node& node, E& out, const Reading& at) {
    const std::span<const std::string_view> words = words_of(E{});
    const auto text = scalar_text(node, "one of: " + joined(words), at);
    if (!text) return false;
    for (size_t i = 0; i < words.size(); ++i)
      if (words[i] == *text) {
        out = static_cast<E>(i);
        return true;
      }
    return at.error(node.place, "'" + printable(*text) + "' is not one of: " + joined(words) +
                                    did_you_mean(*text, {words.begin(), words.end()}));
  }
  static TypeNote note() {
    const auto words = words_of(E{});
    return {
        .kind = TypeNote::Kind::choice, .name = "choice", .words = {words.begin(), words.end()}};
  }
  static std::string text(E v) { return std::string(words_of(E{})[static_cast<size_t>(v)]); }

 private:
  static std::string joined(std::span<const std::string_view> words) {
    std::string out;
    for (std::string_view w : words) out += (out.empty() ? "" : ", ") + std::string(w);
    return out;
  }
};

template <class T>
struct Value<std::optional<T>> {
  static bool read(const Node& node, std::optional<T>& out, const Reading& at) {
    return Value<T>::read(node, out.emplace(), at);
  }
  static TypeNote note() { return Value<T>::note(); }
  static std::string text(const std::optional<T>& v) { return v ? Value<T>::text(*v) : ""; }
};

// A list; one value alone is a list of one.
template <class T>
struct Value<std::vector<T>> {
  static bool read(const Node& node, std::vector<T>& out, const Reading& at) {
    if (node.kind == Node::Kind::null)
      return at.error(node.place, "wants a list, or one value alone; [] is an empty list");
    if (node.kind != Node::Kind::list) return Value<T>::read(node, out.emplace_back(), at);
    bool good = true;
    out.reserve(node.items.size());
    for (size_t i = 0; i < node.items.size(); ++i)
      good &= Value<T>::read(node.items[i], out.emplace_back(), Reading(at, i));
    return good;
  }
  static TypeNote note() {
    return {.kind = TypeNote::Kind::list, .name = "list", .inner = {Value<T>::note()}};
  }
  static std::string text(const std::vector<T>& v) {
    std::string out;
    for (const T& item : v) out += (out.empty() ? "" : ", ") + Value<T>::text(item);
    return out;
  }
};

// An entry of a map whose keys are names that the user gives.
template <class T>
struct Named {
  std::string name;
  Place place{};  // of the name
  T value{};
};

template <class T>
struct Value<std::vector<Named<T>>> {
  static bool read(const Node& node, std::vector<Named<T>>& out, const Reading& at) {
    if (node.kind == Node::Kind::null) return true;
    if (node.kind != Node::Kind::map) return at.error(node.place, "wants a map of names");
    bool good = true;
    out.reserve(node.entries.size());
    for (const Entry& entry : node.entries) {
      Named<T>& named = out.emplace_back();
      named.name = entry.key;
      named.place = entry.place;
      good &= Value<T>::read(entry.value, named.value, Reading(at, entry.key));
    }
    return good;
  }
  static TypeNote note() {
    return {.kind = TypeNote::Kind::map, .name = "map", .inner = {Value<T>::note()}};
  }
  static std::string text(const std::vector<Named<T>>&) { return ""; }
};

// A text that must not be shown: given as it is, or by { file: path } (relative to the working
// directory).
struct Secret {
  std::string text;
};
// A file, read when the configuration is (relative to the working directory).
struct FileText {
  std::string path;
  std::string text;
  friend bool operator==(const FileText&, const FileText&) = default;
};
template <>
struct Value<FileText> {
  static bool read(const Node& node, FileText& out, const Reading& at);
  static TypeNote note() { return {TypeNote::Kind::text, "path"}; }
  static std::string text(const FileText& v) { return v.path; }
};

template <>
struct Value<Secret> {
  static bool read(const Node& node, Secret& out, const Reading& at);
  static TypeNote note();
  static std::string text(const Secret&) { return ""; }
};

}  // namespace banyan
