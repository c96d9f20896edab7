// H1Client: the client's role in HTTP/1.1: one connection to an endpoint, used by one exchange at a
// time. Owner: the endpoint's pool (upstream/pool); a lease lends it to an exchange and lives in
// the answer's body, so that the connection goes home when the body ends, and is closed when it
// ends early. Thread: its loop's. Bounds: an answer's head fits `head.head_bytes`; at most
// `interim_max` interim answers a request. An answer that breaks the rules gives Code::protocol,
// Side::upstream, and the connection is never used again. Source: RFC 9112; RFC 9110,
// section 10.1.1 (100-continue).
#pragma once
#include <memory>

#include "http/h1_body.h"
#include "http/h1_parse.h"
#include "http/message.h"

namespace banyan {

struct H1ClientLimits {
  HeadLimits head{.head_bytes = 64 * 1024};
  BodyLimits body;                               // of answers; gap_max: an endpoint gone silent
  Duration send_max = std::chrono::seconds(60);  // an endpoint that takes nothing of the request
  Duration continue_max =
      std::chrono::seconds(1);  // wait for 100 before the content is sent anyway
  int interim_max = 16;
  bool once = false;  // the connection is for one request, and the endpoint is told so
};

class H1Client;

// Where a connection goes when its exchange is over.
class H1Home {
 public:
  // `reusable`: both messages were complete and the connection may carry another exchange.
  virtual void give_back(H1Client& client, bool reusable) noexcept = 0;

 protected:
  ~H1Home() = default;
};

// The right to use a connection for one exchange.
class H1Lease {
 public:
  H1Lease(H1Client& client, H1Home& home) : client_(&client), home_(&home) {}
  H1Lease(H1Lease&& other) noexcept
      : client_(std::exchange(other.client_, nullptr)),
        home_(other.home_),
        reusable_(other.reusable_) {}
  H1Lease& operator=(H1Lease&&) = delete;
  ~H1Lease() {
    if (client_ != nullptr) home_->give_back(*client_, reusable_);
  }
  H1Client& client() const { return *client_; }
  void set_reusable(bool yes) { reusable_ = yes; }

 private:
  H1Client* client_;
  H1Home* home_;
  bool reusable_ = false;
};

class H1Client : public Hook, public Pooled {
 public:
  H1Client(StreamPtr stream, const H1ClientLimits& limits)
      : stream_(std::move(stream)), limits_(limits) {}
  virtual ~H1Client() = default;

  // Sends the request and gives the answer once its head is there. The content of the request is
  // sent meanwhile, by a task in request.background. `headers` are the fields to send but the
  // framing; `target` is the request line's. `silent` is set when the connection ended before the
  // first byte of an answer: a used one was most likely closed while it idled, and an idempotent
  // request may go out again, once.
  static Task<Reply> send(H1Lease lease, Request& request, std::string_view target,
                          const Headers& headers, bool& silent);

  Stream& stream() { return *stream_; }
  uint32_t exchanges() const { return exchanges_; }
  // Ready for another exchange: nothing unread, and the peer has not closed.
  bool quiet() { return buffer_.empty() && stream_->quiet(); }

 private:
  friend class H1Call;
  StreamPtr stream_;
  const H1ClientLimits& limits_;
  Buffer buffer_;
  uint32_t exchanges_ = 0;
  bool answered_ = false;
};

}  // namespace banyan
