// Request and Response: one exchange as services see it, whatever the protocol on either side.
// Owner: a Request belongs to the connection it came from and lives until its answer is sent (or
// dropped); a Response belongs to whoever holds it. Thread: its loop's. Lifetimes: all views of a
// Request are alive as long as it is (they point into its arena). Headers of a Response point into
// the same arena, or into literals.
#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "http/body.h"
#include "http/headers.h"
#include "http/method.h"
#include "http/record.h"
#include "http/tries.h"
#include "http/uri.h"
#include "http/wishes.h"
#include "io/buffer.h"
#include "io/stream.h"
#include "task/nursery.h"

namespace banyan {

// Sends an interim answer (1xx) to the client before the final one (RFC 9110, section 15.2).
class Interim {
 public:
  virtual Task<Result<>> send(uint16_t status, const Headers& headers) = 0;

 protected:
  ~Interim() = default;
};

// A piece of the path that a route's pattern named: `/users/{id}`.
struct Capture {
  std::string_view name;
  std::string_view value;  // in normal form, escapes kept
};

struct Request {
  Arena& arena;
  Method method = Method::get;
  std::string_view method_text = "GET";
  Target target;               // normalised once, for the router and for the upstream alike
  std::string_view authority;  // host[:port] that the client asked for, as written
  std::string_view host;       // lower-case, without the port; brackets kept for IPv6
  uint8_t minor_version = 1;   // of the client's HTTP/1; 1 for HTTP/2
  bool http2 = false;          // the client's connection is HTTP/2
  bool secure = false;         // the client's connection is TLS
  Headers& headers;
  Body* body = nullptr;           // null: no content
  std::string_view upgrade;       // the protocol the client asked to switch to; empty: none
  bool expects_continue = false;  // the client holds its content back until it is first read
  const Address& client;
  std::span<const Capture> captures;  // set by the router; in the arena
  Interim* interim = nullptr;         // null: interim answers are dropped
  Nursery* background = nullptr;   // tasks that end with this exchange; never null while one runs
  Tries* tries = nullptr;          // where it went already; null: it is sent once
  const Wishes* wishes = nullptr;  // of a caller that is believed; null: none
  Record& record;
};
// The same request once more, for who sends it more than once: with headers of its own, so that
// what one does to them is not seen in the other. It lives in the arena and shares the rest.
Request& another(Request& request, Record& record);

// What a connection becomes after 101 or a CONNECT: bytes both ways.
class Tunnel : public Pooled {
 public:
  virtual ~Tunnel() = default;
  virtual Stream& stream() = 0;
  // What was read behind the answer; whoever moves the bytes on empties it.
  virtual Buffer& early() = 0;
  // What the answer's Upgrade says, for 101; empty: what the request asked for.
  virtual std::string_view protocol() const { return {}; }
};

struct Response {
  uint16_t status = 200;
  Headers* headers =
      nullptr;   // in the request's arena; never null in a Response that a service returns
  BodyPtr body;  // null: no content
  std::unique_ptr<Tunnel> tunnel;
  std::string_view upgrade;  // of 426: the protocol that it asks for; empty: none
};

using Reply = Result<Response>;

// A new answer with an empty set of headers, in the request's arena.
Response make_response(Request& request, uint16_t status);
// The same with a content: sets Content-Type.
Response make_response(Request& request, uint16_t status, std::string_view content_type,
                       std::string text);

}  // namespace banyan
