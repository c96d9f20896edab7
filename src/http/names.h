// Name: the field names that Banyan itself knows, as numbers, so that asking for one is no string
// comparison. Owner: none. Thread: any. Names are compared without regard to case (RFC 9110,
// section 5.1). The list is http/names.def. Any other name is Name::other and is found by its text.
#pragma once
#include <cstdint>
#include <string_view>

namespace banyan {

enum class Name : uint8_t {
  other,
#define X(id, text) id,
#include "http/names.def"
#undef X
  count,
};
static_assert(static_cast<int>(Name::count) <= 64);

// Name::other when it is none of the list.
Name known_name(std::string_view text);
// Lower-case; empty for Name::other.
std::string_view text(Name name);

}  // namespace banyan
