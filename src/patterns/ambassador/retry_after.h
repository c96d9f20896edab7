// retry_after: how long a service asks to be left alone (RFC 9110, section 10.2.3).
// Owner: none. Thread: any.
// Of the formats of a date only the one that may be sent is read (section 5.6.7, IMF-fixdate); what
// cannot be read counts as not said.
#pragma once
#include <optional>

#include "http/headers.h"
#include "task/time.h"

namespace banyan {

// Zero when the moment has passed. nullopt: it does not say.
std::optional<Duration> retry_after(const Headers& answer, WallTime now);
// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace banyan
