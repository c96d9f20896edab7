#include "http/hop.h"

#include "base/text.h"
#include "http/framing.h"

namespace banyan {

namespace {

bool is_protected(Name id) {
  switch (id) {
    case Name::host:
    case Name::content_length:
    case Name::content_type:
    case Name::content_encoding:
    case Name::authorization:
    case Name::cookie:
    case Name::set_cookie:
    case Name::forwarded:
    case Name::x_forwarded_for:
    case Name::x_forwarded_host:
    case Name::x_forwarded_port:
    case Name::x_forwarded_proto:
    case Name::x_real_ip:
    case Name::x_request_id:
    case Name::traceparent:
    case Name::via:
    case Name::cache_control:
    case Name::expect:
      return true;
    default:
      return false;
  }
}

bool is_hop_by_hop(Name id) {
  switch (id) {
    case Name::connection:
    case Name::keep_alive:
    case Name::proxy_connection:
    case Name::proxy_authenticate:
    case Name::proxy_authorization:
    case Name::te:
    case Name::transfer_encoding:
    case Name::upgrade:
      return true;
    default:
      return false;
  }
}

}  // namespace

void remove_hop_by_hop(Headers& headers) {
  const bool wants_trailers = lists(headers, Name::te, "trailers");
  const bool names_others = headers.has(Name::connection);
  constexpr Name always[] = {Name::connection,          Name::keep_alive,
                             Name::proxy_connection,    Name::proxy_authenticate,
                             Name::proxy_authorization, Name::te,
                             Name::transfer_encoding,   Name::upgrade};
  bool any = false;
  for (Name id : always) any = any || headers.has(id);
  if (!any) return;
  // Decided before anything moves, because the Connection field itself is among those removed.
  bool* const gone = headers.arena().array<bool>(headers.size());
  for (size_t i = 0; const Field& f : headers)
    gone[i++] = is_hop_by_hop(f.id) ||
                (names_others && !is_protected(f.id) && lists(headers, Name::connection, f.name));
  headers.remove_if([&, i = size_t{0}](const Field&) mutable { return gone[i++]; });
  if (wants_trailers) headers.add(Name::te, "trailers");
}

std::string_view required_protocol(const Headers& headers) {
  for (std::string_view http : {"h2c", "h2", "http/2.0", "http/1.1"})
    if (lists(headers, Name::upgrade, http)) return {};
  return headers.count(Name::upgrade) == 1 ? headers.get(Name::upgrade) : std::string_view{};
}

std::string_view upgrade_protocol(const Headers& headers, uint8_t minor_version) {
  if (minor_version == 0 || !lists(headers, Name::connection, "upgrade")) return {};
  return required_protocol(headers);
}

Result<bool> spend_forward(Method method, Headers& headers) {
  if (method != Method::trace && method != Method::options) return true;
  if (!headers.has(Name::max_forwards)) return true;
  const auto left = parse_u64(headers.get(Name::max_forwards));
  if (!left || headers.count(Name::max_forwards) != 1)
    return fail(Code::protocol, Side::client, "Max-Forwards is not a number");
  if (*left == 0) return false;
  headers.set(Name::max_forwards, headers.arena().copy(std::to_string(*left - 1)));
  return true;
}

}  // namespace banyan
