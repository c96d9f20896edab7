// Handler: what a server connection needs from the rest: limits, an answer for each request, an
// answer for each fault, and someone to tell when an exchange is over. Owner: the server
// (app/server). A handler is one version of the configuration: it lives as long as any exchange
// that began with it. Thread: its loop's. Every limit is a documented setting (`offload.limits` and
// `listeners.*`).
#pragma once
#include <memory>

#include "http/h1_body.h"
#include "http/h1_parse.h"
#include "http/h2_limits.h"
#include "http/message.h"
#include "io/tls_context.h"

namespace banyan {

struct H1Limits {
  HeadLimits head;
  PathRules path;
  BodyLimits body{
      .limit_bytes = 10 * 1024 * 1024, .gap_max = std::chrono::seconds(30), .rate_min = 240};
  Duration head_max =
      std::chrono::seconds(10);  // from a request's first byte to the end of its head
  Duration idle_max = std::chrono::seconds(60);  // between requests
  Duration send_max = std::chrono::seconds(60);  // a client that takes nothing of the answer
  Duration linger_max =
      std::chrono::seconds(2);  // after the last answer, while the client still sends
  Duration tunnel_idle_max = std::chrono::minutes(60);
  uint32_t requests_max = 100'000;  // a connection
  bool http2 = true;                // is understood, where a client begins with it
  H2Limits h2;                      // what is not said above
};

// What takes a whole connection, of a protocol that is not HTTP.
class ConnectionService {
 public:
  virtual ~ConnectionService() = default;
  // To its end. What `record` is told of it may point into the arena, or into what the handler
  // holds.
  virtual Task<> serve(Stream& client, Arena& arena, Record& record) = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Null: connections are in the clear. Else a handshake comes before all that follows.
  virtual const std::shared_ptr<const TlsContext>& tls() const {
    static const std::shared_ptr<const TlsContext> none;
    return none;
  }
  // Null: the connection is HTTP, and the rest of this class is for it.
  virtual ConnectionService* connections() { return nullptr; }
  virtual const H1Limits& limits() const = 0;
  virtual Task<Reply> call(Request& request) = 0;
  // The answer for an error. `request` is null when its head could not be read.
  virtual Response fault(Arena& arena, const Request* request, const Error& error) = 0;
  // The last word on an exchange: log it, count it.
  virtual void finished(const Request* request, const Address& client, const Record& record) = 0;
};

// Where a connection asks for the handler of its next exchange.
class HandlerSource {
 public:
  virtual std::shared_ptr<Handler> handler() = 0;
  // True while the process drains: answers carry Connection: close.
  virtual bool draining() const = 0;
  // The value of a Date field, now (RFC 9110, section 6.6.1).
  virtual std::string_view http_date() = 0;

 protected:
  ~HandlerSource() = default;
};

}  // namespace banyan
