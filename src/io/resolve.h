// Resolver: names to addresses: A and AAAA, and SRV, with the time they may be kept.
// Owner: each worker has one; it outlives every call. Thread: its loop's.
// Three implementations: c-ares over epoll (io/cares.h), the simulator's (test/sim), and the one
// for numeric names only. Bounds: 64 addresses a name; more are dropped, in their order.
// Source: RFC 1035, RFC 2782 (SRV), RFC 2308 (negative answers).
#pragma once
#include <string>
#include <vector>

#include "io/address.h"
#include "task/task.h"

namespace banyan {

struct Resolved {
  struct Entry {
    Address address;
    uint16_t priority = 0;  // of SRV; lower first
    uint16_t weight = 1;    // of SRV; 0 is given as 1
  };
  std::vector<Entry> entries;  // never empty; in a fixed order, so that equal answers compare equal
  Duration ttl{};              // the least of all records
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Code::unavailable: no such name, or no server answers; the caller keeps what it had.
  // Cancellable: the task ends at once, the query's late answer is dropped.
  virtual Task<Result<Resolved>> addresses(std::string name, uint16_t port) = 0;
  // "_http._tcp.shop.example"
  virtual Task<Result<Resolved>> services(std::string name) = 0;
};

}  // namespace banyan
