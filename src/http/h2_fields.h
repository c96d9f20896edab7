// Fields between Headers and HTTP/2: what a message says in pseudo-fields, and what may not be said
// at all. Owner: texts and arrays live in the arena. Thread: any.
// What HTTP/1 says of one connection has no place in HTTP/2 (RFC 9113, section 8.2.2); a field that
// our parser would not have taken is left out, so nothing can be smuggled through a filter.
#pragma once
#include <nghttp2/nghttp2.h>

#include <initializer_list>
#include <span>
#include <utility>

#include "base/error.h"
#include "http/headers.h"

namespace banyan {

using H2Pseudo = std::pair<std::string_view, std::string_view>;

// Pseudo-fields first (those without a value are left out), then the others. The array lives in the
// arena of `headers`; nghttp2 copies the texts and lowers the names. Host is not among them.
std::span<const nghttp2_nv> h2_fields(std::initializer_list<H2Pseudo> pseudo,
                                      const Headers& headers, std::string_view length = {});

// Adds a field that was received, copied into the arena; its name is lower-case and checked.
void add_h2_field(Headers& to, std::string_view name, std::string_view value);
// Cookie crumbs become one field (RFC 9113, section 8.2.3).
void join_cookies(Headers& headers);

}  // namespace banyan
