// What the configuration says of HTTP/2 to clients. Owner: the model. Thread: any (read only).
// Words and meaning are told once, in http2_settings.cc; the manual comes from there.
#pragma once
#include "config/schema.h"
#include "http/h2_limits.h"

namespace banyan {

struct Http2Settings {
  std::optional<bool> enabled;
  std::optional<uint32_t> streams;
  std::optional<Size> window, connection_window;
};

void declare(Fields<Http2Settings>& f);
void apply(const Http2Settings& settings, H2Limits& limits);

}  // namespace banyan
