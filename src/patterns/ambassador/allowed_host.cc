#include "patterns/ambassador/allowed_host.h"

#include <algorithm>

#include "base/text.h"
#include "upstream/locate.h"

namespace banyan {

namespace {

// The colon in front of the port; not one within brackets.
size_t port_colon(std::string_view text) {
  const size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  const bool within = bracket != std::string_view::npos && colon < bracket;
  return within ? std::string_view::npos : colon;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

}  // namespace

std::optional<AllowedHost> AllowedHost::parse(std::string_view text) {
  AllowedHost out;
  out.text_ = text;
  const size_t colon = port_colon(text);
  const std::string_view host = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    out.every_port_ = port == "*";
    const auto number = parse_u64(port);
    if (!out.every_port_ && (!number || *number == 0 || *number > 65535)) return std::nullopt;
    if (!out.every_port_) out.port_ = static_cast<uint16_t>(*number);
  }
  out.any_ = host == "*" || host.starts_with("*.");
  std::string name = lowered(out.any_ ? host.substr(std::min<size_t>(2, host.size())) : host);
  if (out.any_ && name.empty()) return host == "*" ? std::optional(out) : std::nullopt;
  // What an endpoint may be called, a host here may be.
  const auto where = locate("http://" + name + ":80");
  if (!where) return std::nullopt;
  out.address_ = where->kind == Location::Kind::fixed;
  if (out.any_ && out.address_) return std::nullopt;
  if (out.any_)
    out.suffix_ = "." + name;
  else
    out.host_ = name;
  return out;
}

bool AllowedHost::allows(std::string_view host, uint16_t port) const {
  if (!every_port_ && (port_ ? port != *port_ : port != 80 && port != 443)) return false;
  if (!any_) return host == host_;
  if (suffix_.empty()) return true;
  return host.size() > suffix_.size() && host.ends_with(suffix_);
}

}  // namespace banyan
