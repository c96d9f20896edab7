// schema: a setting is declared once, and the reader, the checks, "did you mean", the manual and
// the JSON Schema all come from that declaration.
//   struct TimeoutSettings { Nanoseconds connect = 500ms; };
//   void declare(Fields<TimeoutSettings>& f) {
//     f.about("timeout", "How long an exchange may take.");
//     f.field("connect", &TimeoutSettings::connect, "For a new connection.", between(1ms, 1min));
//   }
// `declare` is found beside the structure. Defaults are those of a structure made without
// arguments. A member `Place place` is set to where the structure stands in the file. Owner:
// declarations live as long as the process. Thread: any, after the first use.
#pragma once
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "config/value.h"

namespace banyan {

// One setting, as the manual tells it.
struct FieldNote {
  std::string name;
  std::string about;
  TypeNote type;
  std::string standard;  // the default as text; empty: none
  std::string range;     // "1ms to 10m"; empty: any
  bool required = false;
};

struct Structure {
  std::string name;  // the heading in the manual
  std::string about;
  std::string shorthand;  // the field that a scalar alone stands for; empty: none
  std::vector<FieldNote> fields;
};

struct Required {};
inline constexpr Required required;

template <class T>
struct Between {
  T least;
  T most;
};
template <class T>
Between<T> between(T least, T most) {
  return {least, most};
}
inline Between<Nanoseconds> between(Nanoseconds least, Nanoseconds most) { return {least, most}; }

// `test` gives what is wrong with a value, or an empty text.
template <class F>
struct Check {
  F test;
};
template <class F>
Check<F> check(F test) {
  return {std::move(test)};
}

template <class S>
class Fields {
 public:
  void about(std::string name, std::string text) {
    note_.name = std::move(name);
    note_.about = std::move(text);
  }

  // `where` is a member pointer, or a function from S& to the member.
  template <class Where, class... Options>
  void field(std::string name, Where where, std::string about, Options... options) {
    using T = std::remove_cvref_t<std::invoke_result_t<Where, S&>>;
    CHECK(index_of(name) == none && readers_.size() < fields_max);
    FieldNote note{.name = name, .about = std::move(about), .type = Value<T>::note()};
    S standard{};
    note.standard = Value<T>::text(std::invoke(where, standard));
    (describe<T>(note, options), ...);
    note_.fields.push_back(std::move(note));
    readers_.push_back([where, options...](const Node& node, S& out, const Reading& at) {
      T& value = std::invoke(where, out);
      return Value<T>::read(node, value, at) && (passes(node, value, at, options) && ...);
    });
  }
  // A scalar where the structure is wanted stands for this field.
  void shorthand(std::string field) {
    CHECK(index_of(field) != none);
    note_.shorthand = std::move(field);
  }
  // Runs after all fields were read, for what concerns several of them.
  void verify(std::function<void(const S&, const Node&, const Reading&)> test) {
    verify_ = std::move(test);
  }

  const Structure& note() const { return note_; }

  bool read(const Node& node, S& out, const Reading& at) const {
    if constexpr (requires { out.place = node.place; }) out.place = node.place;
    if (node.kind == Node::Kind::scalar && !note_.shorthand.empty())
      return readers_[index_of(note_.shorthand)](node, out, at);
    if (node.kind != Node::Kind::map && node.kind != Node::Kind::null)
      return at.error(node.place, "wants a map with: " + words());
    const size_t before = at.problems().errors();
    uint64_t seen = 0;
    for (const Entry& entry : node.entries) read_entry(entry, out, at, seen);
    tell_missing(node, at, seen);
    if (at.problems().errors() == before && verify_) verify_(out, node, at);
    return at.problems().errors() == before;
  }

 private:
  static constexpr size_t none = static_cast<size_t>(-1);
  static constexpr size_t fields_max = 64;  // the bits of `seen`

  void read_entry(const Entry& entry, S& out, const Reading& at, uint64_t& seen) const {
    const size_t i = index_of(entry.key);
    if (i == none) {
      std::vector<std::string_view> known;
      for (const FieldNote& f : note_.fields) known.push_back(f.name);
      const std::string near = did_you_mean(entry.key, known);
      at.error(entry.place, "unknown word '" + printable(entry.key) + "'" +
                                (near.empty() ? "; known are: " + words() : near));
      return;
    }
    seen |= uint64_t{1} << i;
    readers_[i](entry.value, out, Reading(at, note_.fields[i].name));
  }
  void tell_missing(const Node& node, const Reading& at, uint64_t seen) const {
    for (size_t i = 0; i < note_.fields.size(); ++i)
      if (note_.fields[i].required && (seen >> i & 1) == 0)
        at.error(node.place, "'" + note_.fields[i].name + "' is missing: " + note_.fields[i].about);
  }
  size_t index_of(std::string_view name) const {
    for (size_t i = 0; i < note_.fields.size(); ++i)
      if (note_.fields[i].name == name) return i;
    return none;
  }
  std::string words() const {
    std::string out;
    for (const FieldNote& f : note_.fields) out += (out.empty() ? "" : ", ") + f.name;
    return out;
  }

  template <class T>
  static void describe(FieldNote& note, Required) {
    note.required = true;
    note.standard.clear();
  }
  template <class T, class V>
  static void describe(FieldNote& note, const Between<V>& range) {
    note.range = Value<V>::text(range.least) + " to " + Value<V>::text(range.most);
    if constexpr (std::is_integral_v<V>) {
      note.type.least = range.least;
      note.type.most = range.most;
    }
  }
  template <class T, class F>
  static void describe(FieldNote&, const Check<F>&) {}

  template <class T>
  static bool passes(const Node&, const T&, const Reading&, Required) {
    return true;
  }
  template <class T, class V>
  static bool passes(const Node& node, const T& value, const Reading& at, const Between<V>& range) {
    const V* v = nullptr;
    if constexpr (std::is_same_v<T, V>)
      v = &value;
    else if (value)
      v = &*value;  // optional
    if (v == nullptr || (*v >= range.least && *v <= range.most)) return true;
    return at.error(node.place, Value<V>::text(*v) + " is out of range; allowed is " +
                                    Value<V>::text(range.least) + " to " +
                                    Value<V>::text(range.most));
  }
  template <class T, class F>
  static bool passes(const Node& node, const T& value, const Reading& at, const Check<F>& check) {
    std::string wrong = check.test(value);
    return wrong.empty() || at.error(node.place, std::move(wrong));
  }

  Structure note_;
  std::vector<std::function<bool(const Node&, S&, const Reading&)>> readers_;
  std::function<void(const S&, const Node&, const Reading&)> verify_;
};

// The declaration of S, made at its first use.
template <class S>
const Fields<S>& fields_of() {
  static const Fields<S> fields = [] {
    Fields<S> f;
    declare(f);
    return f;
  }();
  return fields;
}

template <class S>
  requires requires(Fields<S>& f) { declare(f); }
struct Value<S> {
  static bool read(const Node& node, S& out, const Reading& at) {
    return fields_of<S>().read(node, out, at);
  }
  static TypeNote note() {
    return {.kind = TypeNote::Kind::structure, .name = "map", .structure = [] -> const Structure& {
              return fields_of<S>().note();
            }};
  }
  static std::string text(const S&) { return ""; }
};

}  // namespace banyan
