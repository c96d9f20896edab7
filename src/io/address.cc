#include "io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>

#include "base/text.h"

namespace banyan {

namespace {

constexpr uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// By hand, because every request's X-Forwarded-For wants it, and inet_ntop goes through printf.
std::string ipv4_text(const uint8_t* ip) {
  char text[INET_ADDRSTRLEN];
  char* to = text;
  for (int i = 0; i < 4; ++i) {
    if (i != 0) *to++ = '.';
    to = std::to_chars(to, text + sizeof text, ip[i]).ptr;
  }
  return {text, to};
}

}  // namespace

std::string host_text(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  switch (address.family) {
    case Address::Family::none:
      return "none";
    case Address::Family::unix_path:
      return "unix:";
    case Address::Family::ipv4:
      return ipv4_text(address.ip.data() + 12);
    case Address::Family::ipv6:
      inet_ntop(AF_INET6, address.ip.data(), text, sizeof text);
      break;
  }
  return text;
}

std::string to_string(const Address& address) {
  switch (address.family) {
    case Address::Family::none:
      return "none";
    case Address::Family::unix_path:
      return "unix:" + address.path;
    case Address::Family::ipv4:
      return host_text(address) + ":" + std::to_string(address.port);
    case Address::Family::ipv6:
      break;
  }
  return "[" + host_text(address) + "]:" + std::to_string(address.port);
}

std::optional<Address> parse_ip(std::string_view host, uint16_t port) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const std::string text(host);
  Address out;
  out.port = port;
  if (inet_pton(AF_INET, text.c_str(), out.ip.data() + 12) == 1) {
    out.family = Address::Family::ipv4;
    std::memcpy(out.ip.data(), mapped_prefix, sizeof mapped_prefix);
    return out;
  }
  if (inet_pton(AF_INET6, text.c_str(), out.ip.data()) == 1) {
    out.family = Address::Family::ipv6;
    return out;
  }
  return std::nullopt;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.starts_with("unix:")) {
    Address out;
    out.family = Address::Family::unix_path;
    out.path = text.substr(5);
    if (out.path.empty() || out.path.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    return out;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_u64(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  if (host.empty()) return parse_ip("::", static_cast<uint16_t>(*port));
  if (host.find(':') != std::string_view::npos && host.front() != '[') return std::nullopt;
  return parse_ip(host, static_cast<uint16_t>(*port));
}

bool is_loopback(const Address& address) {
  if (address.family == Address::Family::ipv4) return address.ip[12] == 127;
  constexpr std::array<uint8_t, 16> one = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address.family == Address::Family::ipv6 && address.ip == one;
}

bool to_sockaddr(const Address& address, sockaddr_storage& out, unsigned& size) {
  std::memset(&out, 0, sizeof out);
  if (address.family == Address::Family::unix_path) {
    auto& un = reinterpret_cast<sockaddr_un&>(out);
    if (address.path.size() >= sizeof un.sun_path) return false;
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, address.path.data(), address.path.size());
    size = static_cast<unsigned>(offsetof(sockaddr_un, sun_path) + address.path.size());
    if (address.path.starts_with('@'))
      un.sun_path[0] = '\0';
    else
      ++size;
    return true;
  }
  if (address.family == Address::Family::ipv4) {
    auto& in = reinterpret_cast<sockaddr_in&>(out);
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.ip.data() + 12, 4);
    size = sizeof in;
    return true;
  }
  auto& in6 = reinterpret_cast<sockaddr_in6&>(out);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(address.port);
  std::memcpy(&in6.sin6_addr, address.ip.data(), 16);
  size = sizeof in6;
  return address.family == Address::Family::ipv6;
}

Address from_sockaddr(const sockaddr_storage& from, unsigned size) {
  Address out;
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    out.family = Address::Family::ipv4;
    out.port = ntohs(in.sin_port);
    std::memcpy(out.ip.data(), mapped_prefix, sizeof mapped_prefix);
    std::memcpy(out.ip.data() + 12, &in.sin_addr, 4);
  } else if (from.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(from);
    std::memcpy(out.ip.data(), &in6.sin6_addr, 16);
    out.port = ntohs(in6.sin6_port);
    // A client of a dual-stack listener that speaks IPv4 is an IPv4 client.
    const bool mapped = std::memcmp(out.ip.data(), mapped_prefix, sizeof mapped_prefix) == 0;
    out.family = mapped ? Address::Family::ipv4 : Address::Family::ipv6;
  } else if (from.ss_family == AF_UNIX) {
    const auto& un = reinterpret_cast<const sockaddr_un&>(from);
    out.family = Address::Family::unix_path;
    const size_t head = offsetof(sockaddr_un, sun_path);
    if (size <= head) return out;
    // Abstract names begin with a zero byte and are as long as the size says.
    if (un.sun_path[0] == '\0' && size > head + 1)
      out.path.assign("@").append(un.sun_path + 1, size - head - 1);
    else
      out.path.assign(un.sun_path, strnlen(un.sun_path, size - head));
  }
  return out;
}

}  // namespace banyan
