// Framing: how long a message's content is. The only place that reads Content-Length and
// Transfer-Encoding, because two readings of one message are how requests are smuggled. Owner: a
// plain value. Thread: any. There is exactly one way to frame a message; anything that could be
// read in two ways is refused. Source: RFC 9112, section 6, but stricter: both fields together, or
// several lengths, are errors even when equal. Errors: 400 or 501 with Side::client for requests;
// Code::protocol, Side::upstream for answers.
#pragma once
#include <optional>

#include "base/error.h"
#include "http/headers.h"
#include "http/method.h"

namespace banyan {

struct Framing {
  enum class Kind : uint8_t { none, length, chunked, until_close };
  Kind kind = Kind::none;
  uint64_t length = 0;  // bytes; for Kind::length
};

Result<Framing> request_framing(uint8_t minor_version, const Headers& headers);
Result<Framing> response_framing(Method request_method, uint16_t status, uint8_t minor_version,
                                 const Headers& headers);
// The Content-Length of an answer that has no content of its own (HEAD, 304); nullopt when it is
// not told.
std::optional<uint64_t> announced_length(const Headers& headers);
// Whether the connection carries another exchange (RFC 9112, section 9.3).
bool keep_alive(uint8_t minor_version, const Headers& headers);
// True when the comma-separated list holds the token `member`.
bool has_member(std::string_view list, std::string_view member);
// The same for the list of any field `id`.
bool lists(const Headers& headers, Name id, std::string_view member);

}  // namespace banyan
