#include "http/h1_connection.h"

#include "http/h1_exchange.h"
#include "http/linger.h"
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
    found_http2_ = fate == Fate::http2;
    if (fate == Fate::linger) {
      buffer_.release();
      co_await linger(*stream_, after(loop.now(), source_.handler()->limits().linger_max));
    }
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

}  // namespace banyan
