// Writing the heads of HTTP/1 messages: one allocation of the exact size in the arena, one pass.
// Owner: the arena. Thread: any.
// The writer alone says how a message is framed and whether the connection stays: Content-Length,
// Transfer-Encoding and Connection among the fields given are left out.
// Nothing can smuggle a line: a field that the parser would not have taken (a filter made it of
// decoded data) is left out; such a method or target is a bug and ends the process (CHECK).
// Source: RFC 9112, sections 3 to 6 and 9.
#pragma once
#include "base/text.h"
#include "http/framing.h"

namespace banyan {

struct HeadOptions {
  Framing framing;           // none: no field about it; until_close: none either
  bool close = false;        // Connection: close
  bool keep_alive = false;   // Connection: keep-alive, for HTTP/1.0 clients
  std::string_view upgrade;  // Connection: upgrade, Upgrade: this
  std::string_view date;     // Date: this
};

Bytes write_request_head(Arena& arena, std::string_view method, std::string_view target,
                         const Headers& headers, const HeadOptions& options);
Bytes write_response_head(Arena& arena, uint16_t status, const Headers& headers,
                          const HeadOptions& options);
// "0\r\n", the trailer fields if any, and the final empty line.
Bytes write_last_chunk(Arena& arena, const Headers* trailers);

}  // namespace banyan
