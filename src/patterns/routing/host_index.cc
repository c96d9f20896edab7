#include "patterns/routing/host_index.h"

#include <algorithm>

#include "base/ip.h"
#include "http/uri.h"

namespace banyan {

namespace {

constexpr size_t name_bytes_max = 253, label_bytes_max = 63;  // RFC 1035, section 2.3.4

std::string name_fault(std::string_view name) {
  if (name.size() > name_bytes_max) return "is longer than a host name may be";
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    if (end == at) return "has an empty label";
    if (end - at > label_bytes_max) return "has a label of more than 63 bytes";
    at = end + 1;
  }
  for (char c : name) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return "is not ASCII; write an international name as it is on the wire (xn--...)";
    if (c == '*') return "has a '*' inside; only '*.name' is understood";
    if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '_' && c != '.')
      return "has '" + printable({&c, 1}) + "'";
  }
  return {};
}

std::string host_fault(std::string_view host, bool wildcard) {
  if (host.empty()) return "is empty";
  if (host == "*" && !wildcard) return "is every host; leave `host` out";
  const size_t colon = host.rfind(':');
  const bool bracket = host.starts_with('[');
  if (!bracket && colon != std::string_view::npos && parse_ip_bytes(host))
    return "wants brackets: [" + std::string(host) + "]";
  const bool ends_host = colon != std::string_view::npos && (!bracket || host[colon - 1] == ']');
  if (ends_host && parse_u64(host.substr(colon + 1)))
    return "has a port; a route is for every port";
  if (bracket)
    return !wildcard && host.ends_with(']') && parse_ip_bytes(host) ? "" : "is no address";
  if (wildcard && parse_ip_bytes(host)) return "is an address; there is nothing below it";
  return name_fault(host);
}

}  // namespace

bool HostPattern::matches(std::string_view host) const {
  return wildcard ? host.size() > name.size() && host.ends_with(name) : host == name;
}

OrMessage<HostPattern> parse_host_pattern(std::string_view text) {
  HostPattern out{.wildcard = text.starts_with("*.")};
  std::string_view host = out.wildcard ? text.substr(2) : text;
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  if (std::string fault = host_fault(host, out.wildcard); !fault.empty())
    return std::unexpected("host '" + printable(text) + "' " + fault);
  if (out.wildcard) out.name = ".";
  std::transform(host.begin(), host.end(), std::back_inserter(out.name), lower);
  return out;
}

std::string to_string(const HostPattern& pattern) {
  return (pattern.wildcard ? "*" : "") + pattern.name;
}

uint32_t HostIndex::add(const HostPattern& pattern) {
  Sites& sites = pattern.wildcard ? wildcards_ : exact_;
  const auto [it, fresh] = sites.try_emplace(pattern.name, sites_);
  sites_ += fresh;
  if (pattern.wildcard) {
    const auto labels = std::count(pattern.name.begin(), pattern.name.end(), '.');
    labels_max_ = std::max(labels_max_, static_cast<size_t>(labels));
  }
  return it->second;
}

size_t HostIndex::first_dot(std::string_view host) const {
  size_t dot = host.size();
  for (size_t labels = 0; labels < labels_max_; ++labels) {
    const size_t before = dot == 0 ? std::string_view::npos : host.rfind('.', dot - 1);
    if (before == std::string_view::npos) break;
    dot = before;
  }
  return dot == host.size() ? std::string_view::npos : dot;
}

}  // namespace banyan
