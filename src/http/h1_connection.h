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
#include "http/server_connection.h"
#include "io/buffer.h"

namespace banyan {

class H1Connection final : public ServerConnection, public Pooled {
 public:
  // What happens to the connection after an exchange. http2: there was none, the client has begun
  // to speak HTTP/2.
  enum class Fate : uint8_t { keep, close, linger, http2 };

  H1Connection(StreamPtr stream, HandlerSource& source)
      : stream_(std::move(stream)), source_(source) {}

  Task<> serve() override;
  void close_if_idle() override;

  // After serve(): the client speaks HTTP/2. The beginning of its preface was taken
  // (H2Connection::preface_head), the rest of what was read is in the buffer.
  bool found_http2() const { return found_http2_; }
  StreamPtr give_stream() { return std::move(stream_); }
  Buffer give_buffer() { return std::move(buffer_); }

 private:
  Task<Fate> serve_one();

  StreamPtr stream_;
  HandlerSource& source_;
  Buffer buffer_;
  uint32_t requests_ = 0;
  bool idle_ = true;
  bool found_http2_ = false;
};

}  // namespace banyan
