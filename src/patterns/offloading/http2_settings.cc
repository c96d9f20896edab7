#include "patterns/offloading/http2_settings.h"

namespace banyan {

void declare(Fields<Http2Settings>& f) {
  f.about("http2",
          "HTTP/2 to clients: by ALPN where there is TLS, else from clients that begin with it "
          "(prior knowledge).");
  f.field("enabled", &Http2Settings::enabled, "`http2: false` is HTTP/1.1 only. Standard true.");
  f.field("streams", &Http2Settings::streams,
          "Requests at once on one connection; one more is refused, and may be sent again. "
          "Standard 100.",
          between<uint32_t>(1, 10'000));
  f.field("window", &Http2Settings::window,
          "Of a request's content, so much comes before the service takes it. Standard 64KiB.",
          between(kib(16), kib(512)));
  f.field("connection_window", &Http2Settings::connection_window,
          "The same of all requests of a connection together. Standard 1MiB.",
          between(kib(64), mib(64)));
  f.shorthand("enabled");
}

void apply(const Http2Settings& settings, H2Limits& limits) {
  if (settings.streams) limits.streams_max = *settings.streams;
  if (settings.window) limits.window = static_cast<uint32_t>(settings.window->bytes);
  if (settings.connection_window)
    limits.link_window = static_cast<uint32_t>(settings.connection_window->bytes);
}

}  // namespace banyan
