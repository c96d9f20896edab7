#include "patterns/routing/cohort.h"

#include "http/grammar.h"
#include "patterns/routing/request_value.h"

namespace banyan {

namespace {

// FNV-1a (Fowler, Noll, Vo).
uint64_t hash_bytes(uint64_t h, std::string_view text) {
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

// The finalizer of MurmurHash3 (Appleby): FNV alone leaves the high bits of short texts alike.
uint64_t spread(uint64_t h) {
  h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
  h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
  return h ^ h >> 33;
}

}  // namespace

std::optional<Cohort> Cohort::parse(std::string_view text, const Place& place, Problems& problems) {
  if (text == "ip") return Cohort(Kind::ip, {});
  for (const auto& [prefix, kind] :
       {std::pair{std::string_view("cookie:"), Kind::cookie}, {"header:", Kind::header}})
    if (text.starts_with(prefix) && is_token(text.substr(prefix.size())))
      return Cohort(kind, text.substr(prefix.size()));
  problems.error(place, "cohort",
                 "'" + printable(text) + "' is none of cookie:NAME, header:NAME, ip");
  return std::nullopt;
}

std::string_view Cohort::key(const Request& request) const {
  switch (kind_) {
    case Kind::cookie:
      return find_cookie(request.headers, name_).value_or("");
    case Kind::header:
      return request.headers.get(name_);
    case Kind::ip:
      break;
  }
  const Address& client = request.client;
  if (client.family != Address::Family::ipv4 && client.family != Address::Family::ipv6) return {};
  return {reinterpret_cast<const char*>(client.ip.data()), client.ip.size()};
}

double cohort_place(std::string_view key, std::string_view version) {
  constexpr uint64_t start = 0xcbf29ce484222325u;
  // The byte between the two keeps "a"+"bc" and "ab"+"c" apart.
  const uint64_t h = spread(hash_bytes(hash_bytes(hash_bytes(start, version), {"\0", 1}), key));
  return (static_cast<double>(h >> 11) + 0.5) * 0x1p-53;
}

}  // namespace banyan
