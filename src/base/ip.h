// Ip and Cidr: numeric IPv4 and IPv6 addresses and the networks they belong to.
// Owner: plain values. Thread: any.
// IPv4 is kept v4-mapped (::ffff:a.b.c.d, RFC 4291, section 2.5.5.2), so one comparison serves
// both, and a client that comes over a v6 socket from 10.0.0.1 is still in 10.0.0.0/8. Source: RFC
// 4632 (CIDR). A network whose host bits are not zero is refused: it is usually a slip.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace banyan {

using Ip = std::array<uint8_t, 16>;

// "1.2.3.4", "::1", "[::1]"; nullopt when it is no address.
std::optional<Ip> parse_ip_bytes(std::string_view text);
bool is_v4(const Ip& ip);

struct Cidr {
  Ip network{};
  uint8_t bits = 0;  // 0 .. 128, counted in the mapped form

  bool contains(const Ip& ip) const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};
// "10.0.0.0/8", "fd00::/8", or a single address; nullopt when it is none or has host bits.
std::optional<Cidr> parse_cidr(std::string_view text);
std::string to_string(const Cidr& cidr);

}  // namespace banyan
