// AmbassadorEntry: a local address for what an application wants to reach: a service, by HTTP; a
// server of any protocol, by TCP; or hosts that it names itself, through a forward proxy. Owner:
// the model. Thread: any (read only). Words and meaning are told once, in entry.cc; the manual
// comes from there.
#pragma once
#include <string>

#include "patterns/ambassador/forward_settings.h"

namespace banyan {

struct AmbassadorEntry {
  std::string listen;
  std::string to;   // the name of a service; empty: `tcp`
  std::string tcp;  // the name of a service, or an address
  std::optional<ForwardProxySettings> forward_proxy;
  bool transparent = false;
  std::optional<Nanoseconds> connect;  // of an address, or transparent
  Nanoseconds idle = std::chrono::hours(1);
  uint32_t connections = 10'000;
  Place place{};
};

void declare(Fields<AmbassadorEntry>& f);

// "db:5432" -> "tcp://db:5432", as an endpoint's URL. An empty text when it is the name of a
// service.
std::string tcp_endpoint(const std::string& tcp);

}  // namespace banyan
