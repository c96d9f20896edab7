// What the configuration says of an ambassador's forward proxy. Owner: the model. Thread: any (read
// only). Words and meaning are told once, in forward_settings.cc; the manual comes from there.
#pragma once
#include "base/ip.h"
#include "config/schema.h"
#include "patterns/ambassador/allowed_host.h"
#include "upstream/settings.h"

namespace banyan {

template <>
struct Value<AllowedHost> {
  static bool read(const Node& node, AllowedHost& out, const Reading& at);
  static TypeNote note() { return {TypeNote::Kind::text, "host[:port]"}; }
  static std::string text(const AllowedHost& v) { return v.text(); }
};

struct ForwardProxySettings {
  std::vector<AllowedHost> allow;
  std::vector<Named<std::string>> services;  // of a host
  std::vector<Cidr> networks;                // empty: safe_address()
  TimeoutSettings timeout{.connect = std::chrono::seconds(5)};
  uint32_t destinations = 1000;
  Place place{};

  bool allows(std::string_view host, uint16_t port) const;
  // Whether what the host was found to be may be connected to.
  bool allows(const Ip& ip, std::string_view host, uint16_t port) const;
  // What makes a difference to those who use it.
  friend bool operator==(const ForwardProxySettings& a, const ForwardProxySettings& b);
};

// Not this machine, not the link (where clouds keep the credentials of their machines), not many
// hosts at once, and not nobody: RFC 6890; fd00:ec2::254 is the metadata service of Amazon EC2.
bool safe_address(const Ip& ip);

void declare(Fields<ForwardProxySettings>& f);

}  // namespace banyan
