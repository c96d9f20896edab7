#include "http/headers.h"

#include <algorithm>

#include "base/text.h"

namespace banyan {

void Headers::grow() {
  const uint32_t capacity = capacity_ == 0 ? 24 : capacity_ * 2;
  Field* larger = arena_->array<Field>(capacity);
  std::copy_n(fields_, size_, larger);
  fields_ = larger;
  capacity_ = capacity;
}

const Field* Headers::find(Name id) const {
  if (!has(id)) return nullptr;
  for (const Field& f : *this)
    if (f.id == id) return &f;
  return nullptr;
}

const Field* Headers::find(std::string_view name) const {
  if (const Name id = known_name(name); id != Name::other) return find(id);
  for (const Field& f : *this)
    if (f.id == Name::other && iequal(f.name, name)) return &f;
  return nullptr;
}

std::string_view Headers::get(Name id) const {
  const Field* f = find(id);
  return f != nullptr ? f->value : std::string_view{};
}

std::string_view Headers::get(std::string_view name) const {
  const Field* f = find(name);
  return f != nullptr ? f->value : std::string_view{};
}

size_t Headers::count(Name id) const {
  if (!has(id)) return 0;
  return static_cast<size_t>(
      std::count_if(begin(), end(), [&](const Field& f) { return f.id == id; }));
}

void Headers::remove(Name id) {
  if (has(id)) remove_if([id](const Field& f) { return f.id == id; });
}

void Headers::remove(std::string_view name) {
  if (const Name id = known_name(name); id != Name::other) return remove(id);
  remove_if([&](const Field& f) { return f.id == Name::other && iequal(f.name, name); });
}

void Headers::set(Name id, std::string_view value) {
  remove(id);
  add(id, value);
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

}  // namespace banyan
