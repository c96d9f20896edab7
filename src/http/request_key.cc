#include "http/request_key.h"

#include "http/cookie.h"
#include "http/grammar.h"

namespace banyan {

namespace {

std::string_view ip_of(const Address& client) {
  if (client.family != Address::Family::ipv4 && client.family != Address::Family::ipv6) return {};
  return {reinterpret_cast<const char*>(client.ip.data()), client.ip.size()};
}

}  // namespace

std::optional<RequestKey> RequestKey::parse(std::string_view text) {
  if (text == "ip") return RequestKey(Kind::ip, {});
  if (text == "path") return RequestKey(Kind::path, {});
  for (const auto& [prefix, kind] :
       {std::pair{std::string_view("cookie:"), Kind::cookie}, {"header:", Kind::header}})
    if (text.starts_with(prefix) && is_token(text.substr(prefix.size())))
      return RequestKey(kind, text.substr(prefix.size()));
  return std::nullopt;
}

std::string_view RequestKey::of(const Request& request) const {
  switch (kind_) {
    case Kind::cookie:
      return find_cookie(request.headers, name_).value_or("");
    case Kind::header:
      return request.headers.get(name_);
    case Kind::path:
      return request.target.path;
    case Kind::ip:
      break;
  }
  return ip_of(request.client);
}

}  // namespace banyan
