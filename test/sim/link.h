// SimLink: the conditions on the way to one simulated address, and the ways in which it can be
// broken. Owner: SimWorld, one for each address or host that a test names. Thread: one. A change
// holds from then on, also for connections that exist already. Bound: `pipe_bytes` each way and
// connection; a writer waits when they are full (backpressure).
#pragma once
#include <cstddef>
#include <cstdint>

#include "io/address.h"
#include "task/time.h"

namespace banyan {

struct SimLink {
  // In the order of their strength: of two that apply the stronger one holds.
  enum class Reach : uint8_t {
    open,
    refused,     // new connections are refused; the old ones live on
    held,        // nothing arrives until it is opened again: then everything does, in order
    black_hole,  // what is sent is gone for ever, and the sender is not told
  };
  Duration latency{};             // one way
  Duration connect_latency{};     // of a handshake, on top of the round trip
  uint64_t bytes_per_second = 0;  // 0: without limit
  size_t read_max = SIZE_MAX;     // a read gives at most so much
  size_t write_max = SIZE_MAX;    // the pipe takes at most so much at a time
  bool random_cuts = false;       // reads and writes are cut anywhere, by the seed
  size_t pipe_bytes = 64 * 1024;
  Reach reach = Reach::open;  // change it through SimWorld, which moves on what was held
};

// The two addresses of a connection; conditions are looked up by the server's.
struct Route {
  Address client;
  Address server;
};

// One direction of a connection, as far as time goes: what was sent first arrives first.
struct Lane {
  Time line_free{};  // when the last byte sent so far has left (bandwidth)
  Time last_arrival{};
  bool broken = false;  // something was lost: nothing behind it can arrive
};

}  // namespace banyan
