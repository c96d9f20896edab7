// relay: bytes both ways between two streams until both directions have ended: what an exchange
// becomes after 101 (WebSocket and the like) or CONNECT. Owner: the exchange that awaits it.
// Thread: its loop's. Lifetime: streams and buffers outlive it. The end of one direction is passed
// on (half-close); an error in one ends both, and a reset is passed on as a reset, because cut
// bytes must not look whole. Bounds: a buffer a direction, held only while it has bytes; silence
// both ways for `idle_max` ends it.
#pragma once
#include <optional>

#include "io/buffer.h"
#include "io/stream.h"

namespace banyan {

struct Relayed {
  uint64_t there = 0;  // bytes from a to b
  uint64_t back = 0;   // bytes from b to a
  // What ended it, when it was not the orderly end of both: a reset, silence, being called off.
  std::optional<Error> broken;
};

// What is in `from_a` was read from a already and goes to b first; `from_b` the other way round.
// Both are empty afterwards.
Task<Relayed> relay(Stream& a, Buffer& from_a, Stream& b, Buffer& from_b, Duration idle_max);

}  // namespace banyan
