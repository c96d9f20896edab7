// Resolver: names to addresses: A and AAAA, and SRV, with the time they may be kept.
// Owner: each worker has one; it outlives every call. Thread: its loop's.
// Two implementations: c-ares over epoll (io/cares.h) and the simulator's (test/sim).
// Bounds: 64 addresses a name; more are dropped, in their order. A TTL counts for 1 s to 1 h.
// Source: RFC 1035, RFC 2782 (SRV), RFC 2308 (negative answers), RFC 6761 (localhost).
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
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> entries;  // never empty; in a fixed order, so that equal answers compare equal
  Duration ttl{};              // the least of all records
};

inline constexpr size_t resolved_max = 64;
// Below, a server that says 0 would be asked without end; above, a change would never be seen.
inline constexpr Duration ttl_min = std::chrono::seconds(1);
inline constexpr Duration ttl_max = std::chrono::hours(1);

// Brings an answer into its form: sorted by priority, then address; each address once a priority;
// within the bounds.
Resolved in_order(std::vector<Resolved::Entry> entries, Duration ttl);
// What needs no question: numeric hosts, brackets or not, and localhost, which is 127.0.0.1 and
// ::1.
std::optional<Resolved> without_asking(std::string_view name, uint16_t port);

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
