// The handshake of a WebSocket on HTTP/1, for who speaks it on behalf of a client that did not have
// to (RFC 8441: over HTTP/2 there is no key). Owner: texts live in the arena. Thread: any.
// Source: RFC 6455, section 4.
#pragma once
#include "base/arena.h"
#include "http/headers.h"
#include "task/loop.h"

namespace banyan {

// Sixteen random bytes in base64.
std::string_view websocket_key(Loop& loop, Arena& arena);
// The Sec-WebSocket-Accept that belongs to a key.
std::string_view websocket_accept(std::string_view key, Arena& arena);
// Whether the answer's Sec-WebSocket-Accept belongs to the key; it is removed.
bool websocket_accepted(std::string_view key, Headers& answer);

}  // namespace banyan
