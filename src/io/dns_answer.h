// DnsAnswer: what a DNS message says in its answer section, of the records that Banyan asks for.
// Owner: a plain value. Thread: any.
// Every name and length is checked against the message's end; what does not fit is an error, and
// nothing is taken from such a message. The TTL is the least of all records of the answer, aliases
// (CNAME) included. Source: RFC 1035, section 4; RFC 3596 (AAAA); RFC 2782 (SRV).
#pragma once
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/address.h"
#include "task/time.h"

namespace banyan {

enum class DnsType : uint16_t { a = 1, cname = 5, aaaa = 28, srv = 33 };

struct DnsAnswer {
  struct Target {
    std::string host;
    uint16_t port = 0;
    uint16_t priority = 0;
    uint16_t weight = 0;
  };
  std::vector<Address> addresses;  // of A or AAAA; port 0
  std::vector<Target> targets;     // of SRV
  Duration ttl = Duration::max();
  bool empty() const { return addresses.empty() && targets.empty(); }
};

// The records of type `asked`. An answer without any is empty, which is no error.
Result<DnsAnswer> read_dns_answer(std::span<const unsigned char> message, DnsType asked);

}  // namespace banyan
