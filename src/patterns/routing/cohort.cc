#include "patterns/routing/cohort.h"

#include "base/hash.h"
#include "base/text.h"

namespace banyan {

std::optional<Cohort> Cohort::parse(std::string_view text, const Place& place, Problems& problems) {
  auto key = RequestKey::parse(text);
  // A path is the same for all users.
  if (key && key->kind() != RequestKey::Kind::path) return Cohort(std::move(*key));
  problems.error(place, "cohort",
                 "'" + printable(text) + "' is none of cookie:NAME, header:NAME, ip");
  return std::nullopt;
}

double cohort_place(std::string_view key, std::string_view version) {
  // The byte between the two keeps "a"+"bc" and "ab"+"c" apart.
  return unit_of(spread(hash_bytes(hash_bytes(hash_bytes(hash_start, version), {"\0", 1}), key)));
}

}  // namespace banyan
