#include "patterns/ambassador/entry.h"

#include "upstream/locate.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

std::string listen_fault(const std::string& text) {
  const auto address = parse_address(text);
  return address ? std::string() : "'" + printable(text) + "' is neither host:port nor unix:/path";
}

std::string tcp_fault(const std::string& text) {
  const std::string url = tcp_endpoint(text);
  if (url.empty()) return {};
  const auto where = locate(url);
  return where ? std::string()
               : "'" + printable(text) +
                     "' is none of: the name of a service, host:port, unix:/path, dns:name:port";
}

void verify_entry(const AmbassadorEntry& entry, const Node& node, const Reading& at) {
  const int kinds =
      !entry.to.empty() + !entry.tcp.empty() + entry.forward_proxy.has_value() + entry.transparent;
  if (kinds != 1)
    at.error(node.place, "wants exactly one of to, tcp, forward_proxy, transparent; it has " +
                             std::to_string(kinds));
  const bool bytes = !entry.tcp.empty() || entry.transparent;
  if (kinds == 1 && !bytes && node.find("idle") != nullptr)
    at.error(node.place,
             "idle goes with tcp and transparent; HTTP has offload.limits.idle_timeout");
  const bool own = entry.transparent || !tcp_endpoint(entry.tcp).empty();
  if (kinds == 1 && entry.connect && !own)
    at.error(node.place,
             "connect goes with transparent, and with an address under tcp; a service has "
             "timeout.connect");
  const auto address = parse_address(entry.listen);
  if (entry.transparent && address && address->family == Address::Family::unix_path)
    at.error(node.place, "nobody is redirected to a Unix socket; transparent wants host:port");
}

}  // namespace

void declare(Fields<AmbassadorEntry>& f) {
  f.about("ambassador entry",
          "A local address for what an application wants to reach. Exactly one of `to`, `tcp`, "
          "`forward_proxy`, `transparent`.");
  f.field("listen", &AmbassadorEntry::listen,
          "host:port or unix:/path, on this machine: whoever reaches it can use what is behind it.",
          required, check(listen_fault));
  f.field("to", &AmbassadorEntry::to,
          "The name of a service, for HTTP: every request goes to it, whatever its path and host.");
  f.field("tcp", &AmbassadorEntry::tcp,
          "For any other protocol: the name of a service, whose endpoints, `balance`, `health`, "
          "`eject` and `timeout.connect` hold; or one address: host:port, unix:/path, "
          "dns:name:port.",
          check(tcp_fault));
  f.field("forward_proxy", &AmbassadorEntry::forward_proxy,
          "For clients that are told of a proxy; they name the hosts.");
  f.field("transparent", &AmbassadorEntry::transparent,
          "`true`: connections that the packet filter has redirected here "
          "(`scripts/redirect.sh`) go where they were going, as bytes.");
  f.field("connect", &AmbassadorEntry::connect,
          "How long a connection may take to be made, with `transparent` or an address under "
          "`tcp`. Standard: 5s.",
          between(1ms, 5min));
  f.field("idle", &AmbassadorEntry::idle,
          "With `tcp` or `transparent`: a connection on which nobody says anything for so long is "
          "ended.",
          between(1s, 168h));
  f.field("connections", &AmbassadorEntry::connections,
          "At most so many clients at once, exactly, over all workers; one more is closed at once.",
          between<uint32_t>(1, 10'000'000));
  f.verify(verify_entry);
}

std::string tcp_endpoint(const std::string& tcp) {
  if (tcp.find(':') == std::string::npos) return {};
  if (tcp.starts_with("unix:") || tcp.starts_with("dns:") || tcp.starts_with("dns+srv:"))
    return tcp;
  return "tcp://" + tcp;
}

}  // namespace banyan
