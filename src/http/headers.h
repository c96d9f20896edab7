// Headers: the fields of a message in the order they came, duplicates included. Nothing is joined,
// sorted or lower-cased: what was received is what is passed on. Owner: an exchange; the array
// lives in its arena, and so do (or longer) the bytes of names and values. Thread: one. A copy
// shares the array: change only one of the two. Cost: a word says which known names are present, so
// asking for an absent one costs one test. Bound: the parser's (HeadLimits.fields); what filters
// add is theirs to bound.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "http/names.h"

namespace banyan {

struct Field {
  std::string_view name;
  std::string_view value;
  Name id = Name::other;
};

class Headers {
 public:
  explicit Headers(Arena& arena) : arena_(&arena) {}

  void add(std::string_view name, std::string_view value) { add({name, value, known_name(name)}); }
  void add(Name id, std::string_view value) { add({text(id), value, id}); }
  void add(Field field) {
    if (size_ == capacity_) grow();
    fields_[size_++] = field;
    present_ |= bit(field.id);
  }
  bool has(Name id) const { return (present_ & bit(id)) != 0; }
  // The first of that name, or null.
  const Field* find(Name id) const;
  const Field* find(std::string_view name) const;
  // The first value of that name, or empty.
  std::string_view get(Name id) const;
  std::string_view get(std::string_view name) const;
  size_t count(Name id) const;
  // All of that name.
  void remove(Name id);
  void remove(std::string_view name);
  // Replaces all of that name by one.
  void set(Name id, std::string_view value);
  void set(std::string_view name, std::string_view value);

  const Field* begin() const { return fields_; }
  const Field* end() const { return fields_ + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Arena& arena() const { return *arena_; }

  // Removes every field for which `gone(field)` holds.
  template <class Gone>
  void remove_if(Gone gone) {
    uint32_t kept = 0;
    present_ = 0;
    for (uint32_t i = 0; i < size_; ++i) {
      if (gone(static_cast<const Field&>(fields_[i]))) continue;
      present_ |= bit(fields_[i].id);
      if (kept != i) fields_[kept] = fields_[i];
      ++kept;
    }
    size_ = kept;
  }

 private:
  static constexpr uint64_t bit(Name id) { return uint64_t{1} << static_cast<unsigned>(id); }
  void grow();

  Arena* arena_;
  Field* fields_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
  uint64_t present_ = 0;
};

}  // namespace banyan
