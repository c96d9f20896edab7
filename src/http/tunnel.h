// relay: bytes both ways between two streams until both directions have ended: what an exchange
// becomes after 101 (WebSocket and the like) or CONNECT. Owner: the exchange that awaits it.
// Thread: its loop's. Lifetime: streams and early bytes outlive it. The end of one direction is
// passed on (half-close); an error in one ends both. Bounds: one 16 KiB buffer a direction, held
// only while it has bytes; silence both ways for `idle_max` ends it.
#pragma once
#include "io/stream.h"

namespace banyan {

struct Relayed {
  uint64_t there = 0;  // bytes from a to b
  uint64_t back = 0;   // bytes from b to a
};

// `early_a` was read from a already and goes to b first; `early_b` the other way round.
Task<Relayed> relay(Stream& a, Bytes early_a, Stream& b, Bytes early_b, Duration idle_max);

}  // namespace banyan
