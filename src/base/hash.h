// Hashes that never change: a user keeps its version, and a key its endpoint, on every worker,
// every machine and after every restart. Owner: none, these are functions. Thread: any. Not against
// an enemy: whoever knows the function can choose keys that fall together, so what is placed by a
// hash needs a bound of its own. Sources: FNV-1a (Fowler, Noll, Vo); the finalizer of MurmurHash3
// (Appleby), because FNV alone leaves the high bits of short texts alike.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string_view>

namespace banyan {

inline constexpr uint64_t hash_start = 0xcbf29ce484222325u;

constexpr uint64_t hash_bytes(uint64_t h, std::string_view text) {
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

constexpr uint64_t spread(uint64_t h) {
  h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
  h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
  return h ^ h >> 33;
}

constexpr uint64_t hash_text(std::string_view text) { return spread(hash_bytes(hash_start, text)); }

// Between 0 and 1, both excluded: the highest would be rounded to 1.
constexpr double unit_of(uint64_t h) {
  return std::min((static_cast<double>(h >> 11) + 0.5) * 0x1p-53, 1 - 0x1p-53);
}

}  // namespace banyan
