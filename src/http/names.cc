#include "http/names.h"

#include <array>

#include "base/text.h"

namespace banyan {

namespace {

constexpr std::string_view names[] = {
    "",
#define X(id, text) text,
#include "http/names.def"
#undef X
};
constexpr size_t slots = 256;

// Length and three letters tell nearly all known names apart; the rest sit in the next free slot.
constexpr size_t hash(std::string_view s) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(s[i] | 0x20); };
  return (s.size() * 7 + at(0) * 31u + at(s.size() / 2) * 13u + at(s.size() - 1) * 3u) % slots;
}

constexpr std::array<uint8_t, slots> table = [] {
  std::array<uint8_t, slots> filled{};
  for (size_t i = 1; i < std::size(names); ++i) {
    size_t slot = hash(names[i]);
    while (filled[slot] != 0) slot = (slot + 1) % slots;
    filled[slot] = static_cast<uint8_t>(i);
  }
  return filled;
}();

}  // namespace

Name known_name(std::string_view s) {
  if (s.empty()) return Name::other;
  for (size_t slot = hash(s); table[slot] != 0; slot = (slot + 1) % slots)
    if (iequal(names[table[slot]], s)) return static_cast<Name>(table[slot]);
  return Name::other;
}

std::string_view text(Name name) { return names[static_cast<size_t>(name)]; }

}  // namespace banyan
