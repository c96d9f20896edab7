#include "http/forwarded.h"

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

// The first value of a list field with one member more.
void append(Headers& headers, Name id, std::string_view member) {
  // Several fields of one name mean the same as one list (RFC 9110, section 5.3), so a field more
  // will do.
  headers.add(id, member);
}

std::string_view client_text(const Request& request) {
  // A Unix socket has no address to tell (RFC 7239, section 6.2).
  if (request.client.family == Address::Family::unix_path) return "unknown";
  return request.arena.copy(host_text(request.client));
}

}  // namespace

void set_forwarded(Request& request, bool peer_is_trusted) {
  Headers& h = request.headers;
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
  append(h, Name::via, request.minor_version == 0 ? "1.0 banyan" : "1.1 banyan");
}

}  // namespace banyan
