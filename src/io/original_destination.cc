#include "io/original_destination.h"

#include <netinet/in.h>
#include <sys/socket.h>

namespace banyan {

namespace {

// The same number in both families. The kernel's headers for it do not go together with libc's.
constexpr int so_original_dst = 80;

std::optional<Address> asked(int descriptor, int level) {
  sockaddr_storage found{};
  socklen_t size = sizeof found;
  if (::getsockopt(descriptor, level, so_original_dst, &found, &size) != 0) return std::nullopt;
  return from_sockaddr(found, size);
}

}  // namespace

std::optional<Address> original_destination_of(int descriptor) {
  sockaddr_storage here{};
  socklen_t size = sizeof here;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&here), &size) != 0)
    return std::nullopt;
  const Address local = from_sockaddr(here, size);
  if (local.family != Address::Family::ipv4 && local.family != Address::Family::ipv6)
    return std::nullopt;
  // A socket of both families has IPv4 clients, too, whose addresses are mapped.
  auto wanted = asked(descriptor, SOL_IP);
  if (!wanted) wanted = asked(descriptor, SOL_IPV6);
  if (!wanted || *wanted == local) return std::nullopt;
  return wanted;
}

}  // namespace banyan
