// The heads of HTTP/1 messages: finding their end, and parsing them. Strict, because here is where
// proxies are attacked: there is one way to read a head; what could be read in two is refused.
// Owner: none; all views point into the head's bytes, fields into the arena given. Thread: any.
// Bounds: HeadLimits. Cost: one pass to find the end (resumed, never repeated), one to parse.
// Source: RFC 9112, sections 2 to 5. Errors: requests carry their exact status and Side::client;
// answers are Code::protocol, Side::upstream, without one.
#pragma once
#include "base/error.h"
#include "base/text.h"
#include "http/headers.h"
#include "http/method.h"

namespace banyan {

struct HeadLimits {
  uint32_t head_bytes = 32 * 1024;   // start line and fields together; else 431
  uint32_t target_bytes = 8 * 1024;  // else 414
  uint16_t fields = 100;             // else 431
};

// Finds the end of a head in bytes that arrive bit by bit.
class HeadScanner {
 public:
  explicit HeadScanner(Side side) : side_(side) {}
  // `so_far` is the head from its first byte, longer at each call. 0: incomplete; else the length
  // of the head with its final empty line. An LF without its CR is an error as soon as it is seen;
  // a CR that stands alone is left to the parser, which refuses it like any other control byte.
  // One empty line before a request line belongs to the head (RFC 9112, section 2.2).
  Result<size_t> find_end(Bytes so_far);

 private:
  Side side_;        // whose head it is
  size_t seen_ = 0;  // no LF stands between line_ and here
  size_t line_ = 0;  // where the current line began
};

struct RequestHead {
  explicit RequestHead(Arena& arena) : headers(arena) {}
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;
  uint8_t minor_version = 1;  // 1 also for a later one, which we answer as 1.1
  Headers headers;
};

struct ResponseHead {
  explicit ResponseHead(Arena& arena) : headers(arena) {}
  uint16_t status = 0;
  std::string_view reason;
  uint8_t minor_version = 1;
  Headers headers;
};

// `head` is what find_end measured, no byte more: bytes behind the empty line are an error. One
// empty line before a request line is skipped.
Result<> parse_request_head(Bytes head, const HeadLimits& limits, RequestHead& out);
Result<> parse_response_head(Bytes head, const HeadLimits& limits, ResponseHead& out);
// The lines of a trailer section, up to and with the empty line: the same rules for fields.
Result<> parse_fields(Bytes lines, uint16_t fields_max, Side side, Headers& out);

}  // namespace banyan
