// H2Limits: the bounds of one HTTP/2 connection; each is a documented setting. Owner: a plain
// value. Thread: any.
#pragma once
#include <cstdint>

#include "task/time.h"

namespace banyan {

struct H2Limits {
  uint32_t streams_max = 100;          // at once, of one connection
  uint32_t window = 64 * 1024;         // bytes of content on their way, of one stream
  uint32_t link_window = 1024 * 1024;  // and of all streams of a connection
  uint32_t head_bytes = 32 * 1024;     // of one message: names, values, and 32 for each field
  Duration send_max = std::chrono::seconds(60);  // a peer that takes nothing
  uint32_t rate_min = 0;                         // bytes a second that it has to take then; 0: any
};

}  // namespace banyan
