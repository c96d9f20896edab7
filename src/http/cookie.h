// Cookies of a request. Nothing is parsed before it is asked for, and nothing is kept. Owner: none,
// these are functions; values are views into the request. Thread: any. The first of a name counts;
// values are as they stand, quotes included. Source: RFC 6265, section 4.2.
#pragma once
#include <optional>
#include <string_view>

#include "http/headers.h"

namespace banyan {

// Looks through all Cookie fields; names are case-sensitive.
std::optional<std::string_view> find_cookie(const Headers& headers, std::string_view name);

}  // namespace banyan
