#include "http/names.h"

#include <array>
#include <cstring>

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

template <class Word>
Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Each byte that is an upper-case ASCII letter gets its lower-case bit; no other byte changes, so
// that no control byte can pass for a letter or a '-'.
template <class Word>
Word lower_word(Word x) {
  constexpr Word ones = static_cast<Word>(~Word{0}) / 0xff;
  const Word seven_bits = x & (ones * 0x7f);
  const Word from_a = seven_bits + ones * (0x80 - 'A');
  const Word beyond_z = seven_bits + ones * (0x7f - 'Z');
  const Word upper = from_a & ~beyond_z & ~x & (ones * 0x80);
  return x | (upper >> 2);
}

// `known` is lower-case; both have the same size, at least one word. The last word overlaps.
template <class Word>
bool same_words(std::string_view known, std::string_view s) {
  size_t at = 0;
  for (; at + sizeof(Word) < s.size(); at += sizeof(Word))
    if (lower_word(load<Word>(s.data() + at)) != load<Word>(known.data() + at)) return false;
  at = s.size() - sizeof(Word);
  return lower_word(load<Word>(s.data() + at)) == load<Word>(known.data() + at);
}

bool same(std::string_view known, std::string_view s) {
  if (known.size() != s.size()) return false;
  if (s.size() >= 8) return same_words<uint64_t>(known, s);
  if (s.size() >= 4) return same_words<uint32_t>(known, s);
  return iequal(known, s);
}

}  // namespace

Name known_name(std::string_view s) {
  if (s.empty()) return Name::other;
  for (size_t slot = hash(s); table[slot] != 0; slot = (slot + 1) % slots)
    if (same(names[table[slot]], s)) return static_cast<Name>(table[slot]);
  return Name::other;
}

std::string_view text(Name name) { return names[static_cast<size_t>(name)]; }

}  // namespace banyan
