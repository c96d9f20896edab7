// respond: the only place where an Error becomes an HTTP status and a body that a person can read:
// what happened, and whose fault it is. Owner: none, these are functions. Thread: any. The body is
// problem+json (RFC 9457) with the member `side`; `detail` never holds anything from the request or
// the upstream, so nothing leaks and nothing needs escaping.
#pragma once
#include "http/message.h"

namespace banyan {

// 408 413 ... for the client's faults, 502 503 504 for the upstream's, 503 and 500 for ours.
uint16_t status_of(const Error& error);
// The whole answer, in `arena`. 503 carries Retry-After: 1.
Response respond(Arena& arena, const Error& error);
// The same with a status of the caller's choice, for answers that are no Error (404, 405).
Response respond(Arena& arena, uint16_t status, std::string_view detail, Side side);

}  // namespace banyan
