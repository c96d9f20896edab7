#include "patterns/ambassador/forward_settings.h"

#include <algorithm>

namespace banyan {

namespace {

bool in_any(const std::vector<Cidr>& networks, const Ip& ip) {
  return std::ranges::any_of(networks, [&](const Cidr& n) { return n.contains(ip); });
}

void verify_proxy(const ForwardProxySettings& proxy, const Node& node, const Reading& at) {
  if (proxy.allow.empty() && proxy.services.empty())
    at.error(node.place, "allows nothing; name hosts under allow, or services");
}

}  // namespace

bool Value<AllowedHost>::read(const Node& node, AllowedHost& out, const Reading& at) {
  return read_scalar<AllowedHost, AllowedHost::parse>(
      node, out, at,
      "a host (api.example, *.example, an address, *), with a port or ':*' behind it");
}

bool safe_address(const Ip& ip) {
  static const std::vector<Cidr> unsafe = [] {
    std::vector<Cidr> out;
    for (const char* text :
         {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255",
          "::", "::1", "fe80::/10", "ff00::/8", "fd00:ec2::254"})
      out.push_back(parse_cidr(text).value());
    return out;
  }();
  return !in_any(unsafe, ip);
}

bool ForwardProxySettings::allows(std::string_view host, uint16_t port) const {
  return std::ranges::any_of(allow, [&](const AllowedHost& a) { return a.allows(host, port); });
}

bool ForwardProxySettings::allows(const Ip& ip, std::string_view host, uint16_t port) const {
  const auto named = [&](const AllowedHost& a) { return a.is_address() && a.allows(host, port); };
  if (std::ranges::any_of(allow, named)) return true;
  return networks.empty() ? safe_address(ip) : in_any(networks, ip);
}

bool operator==(const ForwardProxySettings& a, const ForwardProxySettings& b) {
  return a.allow == b.allow && a.networks == b.networks && a.timeout == b.timeout &&
         a.destinations == b.destinations;
}

void declare(Fields<ForwardProxySettings>& f) {
  f.about("forward_proxy",
          "What clients reach that are told of a proxy (`HTTP_PROXY`, `HTTPS_PROXY`): `http://` by "
          "absolute URLs, everything else through CONNECT. Whatever is not allowed is refused with "
          "403. At least one of `allow`, `services`.");
  f.field("allow", &ForwardProxySettings::allow,
          "Hosts: a name, `*.example` (all names below it), an address, or `*`; with a port, or "
          "`:*` for every port. Without one: 80 and 443.");
  f.field("services", &ForwardProxySettings::services,
          "Hosts, as clients call them, that are services: `{ pay.internal: payments }`. Their "
          "requests go the service's way, with all of its policies; a CONNECT gets a connection to "
          "one of its endpoints.");
  f.field("networks", &ForwardProxySettings::networks,
          "The networks that the names may lead to. Without them: all but loopback, link-local "
          "(where clouds keep credentials), multicast and unspecified addresses. An address that "
          "`allow` names itself is allowed always.");
  f.field("timeout", &ForwardProxySettings::timeout, "For hosts that are no services.");
  f.field("destinations", &ForwardProxySettings::destinations,
          "Hosts and ports in use at once, on each worker; one more takes the place of the one "
          "that was not used for the longest time. What was not used for a minute is forgotten.",
          between<uint32_t>(1, 100'000));
  f.verify(verify_proxy);
}

}  // namespace banyan
