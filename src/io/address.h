// Address: where a stream or a listener is: an IPv4 or IPv6 address with a port, or a Unix socket
// path. Owner: a plain value. Thread: any. Names are not resolved here (io/resolve.h): an Address
// is always numeric. IPv4 is kept v4-mapped (::ffff:a.b.c.d, RFC 4291, section 2.5.5.2), so that
// comparing is one memcmp.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace banyan {

struct Address {
  enum class Family : uint8_t { none, ipv4, ipv6, unix_path };
  Family family = Family::none;
  uint16_t port = 0;
  std::array<uint8_t, 16> ip{};
  std::string path;  // of a Unix socket; a leading @ means the abstract namespace

  friend bool operator==(const Address&, const Address&) = default;
};

// "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock"; "none".
std::string to_string(const Address& address);
// The host part alone: "127.0.0.1", "::1", "unix:".
std::string host_text(const Address& address);
// "1.2.3.4:80", "[::1]:80", ":80" (every IPv4 and IPv6 address), "unix:/path"; nullopt when it is
// neither.
std::optional<Address> parse_address(std::string_view text);
// A numeric host ("1.2.3.4", "::1", "[::1]") and a port.
std::optional<Address> parse_ip(std::string_view host, uint16_t port);
// 127.0.0.0/8 or ::1: only this machine reaches it.
bool is_loopback(const Address& address);

// For the system calls. `size` is in and out as sockaddr_storage needs it. False: no address, or
// the path is too long.
bool to_sockaddr(const Address& address, sockaddr_storage& out, unsigned& size);
Address from_sockaddr(const sockaddr_storage& from, unsigned size);

}  // namespace banyan
