// send_all: writes to a peer that may be slow, but not stuck. A write as a whole has no limit of
// time: what counts is that the peer takes something. Owner: the exchange that awaits it. Thread:
// its loop's. Lifetime: stream and pieces outlive it. Bounds: at most `pieces_max` pieces; a peer
// that takes nothing for `gap_max`, or less than `rate_min` bytes a second within it, gets
// Code::timeout.
#pragma once
#include "io/stream.h"

namespace banyan {

struct SendLimits {
  static constexpr size_t pieces_max = 8;
  Duration gap_max;
  uint32_t rate_min = 0;  // bytes a second; 0: any
  bool last = false;      // as for Stream::write
};

Task<Result<>> send_all(Stream& stream, std::span<const Bytes> pieces, SendLimits limits);

}  // namespace banyan
