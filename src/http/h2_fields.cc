#include "http/h2_fields.h"

#include <algorithm>

#include "http/grammar.h"

namespace banyan {

namespace {

bool has_no_place(const Field& f) {
  switch (f.id) {
    case Name::connection:
    case Name::content_length:  // said by whoever knows the content
    case Name::host:            // :authority
    case Name::keep_alive:
    case Name::proxy_connection:
    case Name::transfer_encoding:
    case Name::upgrade:
      return true;
    case Name::te:
      return !iequal(f.value, "trailers");
    case Name::other:
      return !is_token(f.name) || !is_field_value(f.value);
    default:
      return !is_field_value(f.value);
  }
}

// Not kept in the table of what was said before, where a guess could be checked against it by the
// size of what follows (RFC 7541, section 7.1.3).
bool is_secret(Name id) {
  return id == Name::authorization || id == Name::proxy_authorization || id == Name::set_cookie;
}

nghttp2_nv pair_of(std::string_view name, std::string_view value, uint8_t flags) {
  const auto bytes = [](std::string_view s) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(s.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), flags};
}

}  // namespace

std::span<const nghttp2_nv> h2_fields(std::initializer_list<H2Pseudo> pseudo,
                                      const Headers& headers, std::string_view length) {
  nghttp2_nv* const out = headers.arena().array<nghttp2_nv>(pseudo.size() + headers.size() + 1);
  size_t n = 0;
  for (const auto& [name, value] : pseudo)
    if (!value.empty()) out[n++] = pair_of(name, value, NGHTTP2_NV_FLAG_NONE);
  for (const Field& f : headers)
    if (!has_no_place(f))
      out[n++] = pair_of(f.name, f.value,
                         is_secret(f.id) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE);
  if (!length.empty()) out[n++] = pair_of("content-length", length, NGHTTP2_NV_FLAG_NONE);
  return {out, n};
}

void add_h2_field(Headers& to, std::string_view name, std::string_view value) {
  const Name id = known_name(name);
  Arena& arena = to.arena();
  to.add({id != Name::other ? text(id) : arena.copy(name), arena.copy(value), id});
}

void join_cookies(Headers& headers) {
  if (headers.count(Name::cookie) < 2) return;
  size_t size = 0;
  for (const Field& f : headers)
    if (f.id == Name::cookie) size += f.value.size() + 2;
  char* const text = headers.arena().array<char>(size);
  char* to = text;
  for (const Field& f : headers) {
    if (f.id != Name::cookie) continue;
    if (to != text) to = std::ranges::copy(std::string_view("; "), to).out;
    to = std::ranges::copy(f.value, to).out;
  }
  headers.set(Name::cookie, {text, static_cast<size_t>(to - text)});
}

}  // namespace banyan
