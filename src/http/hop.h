// Hop-by-hop fields: those that speak of one connection end with it. The only place that removes
// them. Owner: none. Thread: any. Removed: Connection and what it names, Keep-Alive,
// Proxy-Connection, TE (all but "trailers"), Transfer-Encoding, Upgrade, Proxy-Authenticate,
// Proxy-Authorization. Kept whatever Connection says: fields whose loss would change the meaning
// for the next hop (else a client could strip Authorization or X-Forwarded-For). Source: RFC 9110,
// section 7.6.1.
#pragma once
#include "base/error.h"
#include "http/headers.h"
#include "http/method.h"

namespace banyan {

void remove_hop_by_hop(Headers& headers);
// The protocol a request asks to switch to, if Connection says so too; empty: none. Read it before
// removal. A switch to another HTTP (h2c) is never passed on: no rule would see the requests that
// follow, and a server may always ignore the wish (RFC 9110, section 7.8).
std::string_view upgrade_protocol(const Headers& headers, uint8_t minor_version);
// The protocol that a 426 asks for (RFC 9110, section 15.5.22), with the same exception.
std::string_view required_protocol(const Headers& headers);
// False when the request must go no further: TRACE or OPTIONS that has used up its Max-Forwards
// (RFC 9110, section 7.6.2). Otherwise it is counted down. An error: it is no number.
Result<bool> spend_forward(Method method, Headers& headers);

}  // namespace banyan
