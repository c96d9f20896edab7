// ForwardedFilter and HopFilter: what the next hop is told about the client, and what it is not
// told. Owner: the listener's stack. Thread: its loop's. Neither waits, so neither has a coroutine
// frame: a filter that only edits gives back the next one's task.
#pragma once
#include <vector>

#include "base/ip.h"
#include "service/service.h"

namespace banyan {

// Removes the fields that speak of the client's own connection (RFC 9110, section 7.6.1), and
// answers what has used up its Max-Forwards (section 7.6.2).
class HopFilter final : public Filter {
 public:
  using Filter::Filter;
  Task<Reply> call(Request& request) override;
};

// Whether the peer is in one of the networks.
bool trusts(const std::vector<Cidr>& networks, const Address& peer);

// Sets X-Forwarded-*, Forwarded and Via; believes only peers in `trust`.
class ForwardedFilter final : public Filter {
 public:
  ForwardedFilter(ServicePtr wrapped, std::vector<Cidr> trust)
      : Filter(std::move(wrapped)), trust_(std::move(trust)) {}
  Task<Reply> call(Request& request) override;

 private:
  const std::vector<Cidr> trust_;
};

}  // namespace banyan
