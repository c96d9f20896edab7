// H1Connection: the server's role in HTTP/1.1 on one stream: heads are read and checked, each
// request goes to the handler, its answer is written back, in order, until either side ends the
// connection. Owner: the server's nursery. Thread: its loop's. Lifetime: the HandlerSource outlives
// it. Bounds: one exchange at a time (pipelined requests wait in the buffer and in the kernel); a
// head fits `head.head_bytes`; every wait has a limit (H1Limits). An idle connection holds no
// buffer and no arena. Source: RFC 9112; the fate of the connection after each fault is in
// docs/life-of-a-request.md.
#pragma once
#include <memory>

#include "http/handler.h"
#include "io/buffer.h"

namespace banyan {

class H1Connection final : public Hook, public Pooled {
 public:
  // What happens to the connection after an exchange.
  enum class Fate : uint8_t { keep, close, linger };

  H1Connection(StreamPtr stream, HandlerSource& source)
      : stream_(std::move(stream)), source_(source) {}

  // Serves until the connection ends; then the stream can be closed.
  Task<> serve();
  // Ends an idle connection as if the client had: what it has sent already is still answered.
  void close_if_idle();

 private:
  Task<Fate> serve_one();
  Task<> linger();

  StreamPtr stream_;
  HandlerSource& source_;
  Buffer buffer_;
  uint32_t requests_ = 0;
  bool idle_ = true;
};

}  // namespace banyan
