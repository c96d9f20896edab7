#include "upstream/locate.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace banyan {

namespace {

using Located = std::expected<Location, std::string>;

constexpr uint16_t http_port = 80, https_port = 443;
constexpr std::string_view forms =
    "; write http://host:port, https://host:port, h2c://host:port, http://[::1]:port, unix:/path, "
    "dns:name:port, "
    "dns+srv:_http._tcp.name, or tcp://host:port for what is not HTTP";

std::unexpected<std::string> fault(std::string text) { return std::unexpected(std::move(text)); }

std::string quoted(std::string_view text) { return "'" + printable(text) + "'"; }

std::optional<uint16_t> parse_port(std::string_view text) {
  const auto number = parse_u64(text);
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return static_cast<uint16_t>(*number);
}

bool is_label(std::string_view label) {
  const auto allowed = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= 63 && std::ranges::all_of(label, allowed) &&
         label.front() != '-' && label.back() != '-';
}

// A final dot is allowed: it says that the name is whole, and no search domain is tried.
bool is_name(std::string_view name) {
  if (name.size() > 253) return false;
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string_view last;
  for (bool more = true; more;) {
    const size_t dot = name.find('.');
    last = name.substr(0, dot);
    if (!is_label(last)) return false;
    more = dot != std::string_view::npos;
    if (more) name.remove_prefix(dot + 1);
  }
  // No domain ends in a number: "10.0.0.256" is a slip, not a name (RFC 3696, section 2).
  return !std::ranges::all_of(last, is_digit);
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

// The text behind `scheme`, if the URL begins with it.
std::optional<std::string_view> behind(std::string_view url, std::string_view scheme) {
  if (!iequal(url.substr(0, scheme.size()), scheme)) return std::nullopt;
  return url.substr(scheme.size());
}

Located at(std::string_view host, uint16_t port, uint16_t standard) {
  Location out;
  if (standard == 0) standard = http_port;
  out.host_header = lowered(host) + (port == standard ? "" : ":" + std::to_string(port));
  const bool bracketed = host.starts_with('[');
  out.tls_name = lowered(bracketed ? host.substr(1, host.size() - 2) : host);
  if (out.tls_name.ends_with('.')) out.tls_name.pop_back();
  if (auto address = parse_ip(host, port)) {
    if (!bracketed && address->family == Address::Family::ipv6)
      return fault("an IPv6 address wants brackets: [" + std::string(host) + "]");
    out.address = *address;
    return out;
  }
  if (bracketed) return fault(quoted(host) + " is no IPv6 address");
  if (!is_name(host)) return fault(quoted(host) + " is neither an address nor a host name");
  out.kind = Location::Kind::name;
  out.host = lowered(host);
  out.port = port;
  return out;
}

// "host:port", "[::1]:port"; without a port, `standard` (0: it must be given).
Located locate_authority(std::string_view text, uint16_t standard) {
  if (text.empty()) return fault("the host is missing" + std::string(forms));
  size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  if (bracket != std::string_view::npos && colon != std::string_view::npos && colon < bracket)
    colon = std::string_view::npos;
  const std::string_view host = text.substr(0, colon);
  if (host.find(':') != std::string_view::npos && !host.starts_with('['))
    return fault(quoted(text) + ": an IPv6 address wants brackets, as in [::1]:8080");
  if (colon == std::string_view::npos) {
    if (standard != 0) return at(host, standard, standard);
    return fault("the port is missing; write dns:" + printable(text) + ":80");
  }
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return fault(quoted(text.substr(colon + 1)) + " is no port; allowed is 1 to 65535");
  return at(host, *port, standard);
}

Located locate_http(std::string_view rest, uint16_t port) {
  const size_t end = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, end);
  const std::string_view beyond = end == std::string_view::npos ? "" : rest.substr(end);
  if (authority.find('@') != std::string_view::npos)
    return fault(
        "a user or password in the URL is not used, and would be seen in logs; leave it out");
  if (!beyond.empty() && beyond != "/")
    return fault(
        "an endpoint has no path or query, but " + quoted(beyond) +
        " is given; set the path with the route's rewrite, as in rewrite: \"/api/{rest}\"");
  Located out = locate_authority(authority, port);
  if (out) out->tls = port == https_port ? Location::Tls::always : Location::Tls::never;
  return out;
}

Located locate_tcp(std::string_view authority) {
  if (authority.find_first_of("/?#@") != std::string_view::npos)
    return fault(quoted(authority) + " is more than host:port");
  if (authority.rfind(':') == std::string_view::npos || authority.ends_with(']'))
    return fault("the port is missing; write tcp://" + printable(authority) + ":PORT");
  Located out = locate_authority(authority, 0);
  if (out) out->http = false;
  return out;
}

Located locate_unix(std::string_view url, std::string_view path) {
  if (!path.starts_with('/') && !path.starts_with('@'))
    return fault(
        "the path of a Unix socket begins with '/' (or '@' for an abstract one): "
        "unix:/run/app.sock");
  const auto address = path.size() > 1 ? parse_address(url) : std::nullopt;
  if (!address) return fault("the path of a Unix socket is 1 to 107 bytes long");
  Location out;
  out.address = *address;
  out.host_header = "localhost";
  return out;
}

Located locate_service(std::string_view name) {
  const size_t first = name.find('.');
  const bool two_labels = name.starts_with('_') && first != std::string_view::npos &&
                          name.substr(first + 1).starts_with('_');
  if (!two_labels || !is_name(name) || std::ranges::count(name, '.') < 2)
    return fault(quoted(name) + " is no SRV name; write dns+srv:_http._tcp.shop.example");
  Location out;
  out.kind = Location::Kind::service;
  out.host = lowered(name);
  const size_t second = name.find('.', first + 1);
  out.host_header = lowered(name.substr(second + 1));
  return out;
}

}  // namespace

std::string to_string(const Location& location) {
  switch (location.kind) {
    case Location::Kind::name:
      return location.host + ":" + std::to_string(location.port);
    case Location::Kind::service:
      return location.host;
    case Location::Kind::fixed:
      break;
  }
  return to_string(location.address);
}

std::expected<Location, std::string> locate(std::string_view url) {
  if (auto rest = behind(url, "http://")) return locate_http(*rest, http_port);
  if (auto rest = behind(url, "https://")) return locate_http(*rest, https_port);
  if (auto rest = behind(url, "tcp://")) return locate_tcp(*rest);
  if (auto path = behind(url, "unix:")) return locate_unix(url, *path);
  if (auto name = behind(url, "dns+srv:")) return locate_service(*name);
  if (auto name = behind(url, "dns:")) return locate_authority(*name, 0);
  if (auto rest = behind(url, "h2c://")) {
    Located out = locate_http(*rest, http_port);
    if (out) out->http2 = true;
    return out;
  }
  if (url.find("://") == std::string_view::npos && locate_authority(url, http_port))
    return fault(quoted(url) + " has no scheme; write http://" + printable(url));
  return fault(quoted(url) + " is no endpoint" + std::string(forms));
}

}  // namespace banyan
