#include "http/forwarded.h"

#include <algorithm>
#include <initializer_list>

namespace banyan {

namespace {

std::string_view concat(Arena& arena, std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (auto p : parts) size += p.size();
  char* const text = arena.array<char>(size);
  char* to = text;
  for (auto p : parts) to = std::copy(p.begin(), p.end(), to);
  return {text, size};
}

// "X_Forwarded_For" is to a CGI program what "X-Forwarded-For" is: HTTP_X_FORWARDED_FOR (RFC 3875,
// section 4.1.18). And "Proxy" is HTTP_PROXY, which many take for their own setting
// (CVE-2016-5385).
bool is_alias(const Field& field) {
  if (field.id != Name::other) return false;
  if (iequal(field.name, "proxy")) return true;
  if (field.name.find('_') == std::string_view::npos) return false;
  char dashed[32];  // longer than every known name
  if (field.name.size() > sizeof dashed) return false;
  std::ranges::replace_copy(field.name, dashed, '_', '-');
  return known_name({dashed, field.name.size()}) != Name::other;
}

void remove_aliases(Headers& headers) {
  if (std::ranges::any_of(headers, is_alias)) headers.remove_if(is_alias);
}

// The list of that name with one member more. Several fields of one name mean the same as one list
// (RFC 9110, section 5.3), so a field more will do.
void append(Headers& headers, Name id, std::string_view member) { headers.add(id, member); }

std::string_view client_text(const Request& request) {
  // A Unix socket has no address to tell (RFC 7239, section 6.2).
  if (request.client.family == Address::Family::unix_path) return "unknown";
  return request.arena.copy(host_text(request.client));
}

}  // namespace

void set_forwarded(Request& request, bool peer_is_trusted) {
  Headers& h = request.headers;
  remove_aliases(h);
  const std::string_view client = client_text(request);
  const std::string_view proto = request.secure ? "https" : "http";
  if (!peer_is_trusted) {
    for (Name id : {Name::forwarded, Name::x_forwarded_for, Name::x_forwarded_host,
                    Name::x_forwarded_port, Name::x_forwarded_proto, Name::x_real_ip})
      h.remove(id);
  }
  if (const std::string_view chain = h.get(Name::x_forwarded_for);
      !chain.empty() && h.count(Name::x_forwarded_for) == 1)
    h.set(Name::x_forwarded_for, concat(request.arena, {chain, ", ", client}));
  else
    append(h, Name::x_forwarded_for, client);
  if (!h.has(Name::x_forwarded_proto)) h.add(Name::x_forwarded_proto, proto);
  if (!h.has(Name::x_forwarded_host) && !request.authority.empty())
    h.add(Name::x_forwarded_host, request.authority);
  if (h.has(Name::forwarded)) {
    const bool v6 = request.client.family == Address::Family::ipv6;
    append(h, Name::forwarded,
           concat(request.arena,
                  {"for=", v6 ? "\"[" : "", client, v6 ? "]\"" : "", ";proto=", proto}));
  }
  add_via(request);
}

void add_via(Request& request) {
  const std::string_view one = request.minor_version == 0 ? "1.0 banyan" : "1.1 banyan";
  append(request.headers, Name::via, request.http2 ? "2.0 banyan" : one);
}

}  // namespace banyan
