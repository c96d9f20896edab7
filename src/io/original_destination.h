// original_destination: where a client wanted to go whose connection a packet filter has redirected
// to our listener (nftables or iptables, REDIRECT). Owner: none. Thread: any. Source: Linux,
// SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST (linux/netfilter_ipv4.h, netfilter_ipv6/ip6_tables.h).
#pragma once
#include <optional>

#include "io/address.h"

namespace banyan {

// Of an accepted socket. nullopt: it was not redirected, or is no TCP.
std::optional<Address> original_destination_of(int descriptor);

}  // namespace banyan
