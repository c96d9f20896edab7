#include "http/h1_connection.h"

#include "http/h1_exchange.h"
#include "task/combine.h"

namespace banyan {

// Each turn of the loop is one exchange; its frame, arena and buffers are gone while the connection
// idles.
Task<> H1Connection::serve() {
  Loop& loop = (co_await current_context()).loop;
  for (;;) {
    if (buffer_.empty()) {
      idle_ = true;
      auto more =
          co_await stream_->readable(after(loop.now(), source_.handler()->limits().idle_max));
      idle_ = false;
      if (!more) co_return;
    }
    ++requests_;
    const Fate fate = co_await serve_one();
    if (fate == Fate::linger) co_await linger();
    if (fate != Fate::keep) co_return;
    buffer_.release_if_empty();
  }
}

Task<H1Connection::Fate> H1Connection::serve_one() {
  H1Exchange exchange((co_await current_context()).loop, *stream_, buffer_, source_, requests_);
  co_return co_await exchange.run();
}

void H1Connection::close_if_idle() {
  if (idle_) stream_->shutdown_read();
}

// Closing while the client still sends would reset the connection, and the reset can overtake the
// answer: so say that nothing more comes, and read on for a while (RFC 9112, section 9.6).
Task<> H1Connection::linger() {
  constexpr size_t linger_bytes = 256 * 1024;
  Loop& loop = (co_await current_context()).loop;
  stream_->shutdown_write();
  const Time until = after(loop.now(), source_.handler()->limits().linger_max);
  buffer_.release();
  for (size_t dropped = 0; dropped < linger_bytes;) {
    auto n = co_await stream_->read(buffer_.space(), until);
    if (!n || *n == 0) break;
    dropped += *n;
  }
}

}  // namespace banyan
