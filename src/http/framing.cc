#include "http/framing.h"

#include "base/text.h"

namespace banyan {

namespace {

std::unexpected<Error> bad(Side side, const char* what, uint16_t status = 400) {
  if (side == Side::client) return fail({Code::protocol, side, false, status, what});
  return fail(Code::protocol, side, what);
}

// Above this a length is an attack on somebody's arithmetic.
constexpr uint64_t length_max = INT64_MAX;

Result<Framing> read_framing(Side side, uint8_t minor_version, const Headers& headers) {
  const bool has_length = headers.has(Name::content_length);
  if (headers.has(Name::transfer_encoding)) {
    if (has_length) return bad(side, "both Content-Length and Transfer-Encoding are given");
    if (minor_version == 0) return bad(side, "Transfer-Encoding is not part of HTTP/1.0");
    if (headers.count(Name::transfer_encoding) > 1)
      return bad(side, "there is more than one Transfer-Encoding field");
    const std::string_view coding = headers.get(Name::transfer_encoding);
    if (iequal(coding, "chunked")) return Framing{Framing::Kind::chunked, 0};
    const bool one = !coding.empty() && coding.find_first_of(", \t;") == std::string_view::npos;
    return one ? bad(side, "the transfer coding is not known", 501)
               : bad(side, "Transfer-Encoding is not exactly 'chunked'");
  }
  if (!has_length) return Framing{};
  if (headers.count(Name::content_length) > 1)
    return bad(side, "there is more than one Content-Length field");
  const auto length = parse_u64(headers.get(Name::content_length));
  if (!length || *length > length_max) return bad(side, "Content-Length is not a number of bytes");
  return Framing{Framing::Kind::length, *length};
}

}  // namespace

Result<Framing> request_framing(uint8_t minor_version, const Headers& headers) {
  return read_framing(Side::client, minor_version, headers);
}

Result<Framing> response_framing(Method request_method, uint16_t status, uint8_t minor_version,
                                 const Headers& headers) {
  const Framing told = TRY_RETURN(read_framing(Side::upstream, minor_version, headers));
  // After 2xx to CONNECT the connection is a tunnel, whatever the fields say.
  const bool tunnel = request_method == Method::connect && status / 100 == 2;
  const bool no_content =
      request_method == Method::head || status < 200 || status == 204 || status == 304 || tunnel;
  if (no_content) return Framing{};
  if (told.kind == Framing::Kind::none) return Framing{Framing::Kind::until_close, 0};
  return told;
}

std::optional<uint64_t> announced_length(const Headers& headers) {
  if (!headers.has(Name::content_length)) return std::nullopt;
  return parse_u64(headers.get(Name::content_length));
}

bool has_member(std::string_view list, std::string_view member) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (iequal(trim(list.substr(0, comma)), member)) return true;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

bool lists(const Headers& headers, Name id, std::string_view member) {
  if (!headers.has(id)) return false;
  for (const Field& f : headers)
    if (f.id == id && has_member(f.value, member)) return true;
  return false;
}

bool keep_alive(uint8_t minor_version, const Headers& headers) {
  if (!headers.has(Name::connection)) return minor_version >= 1;
  if (lists(headers, Name::connection, "close")) return false;
  return minor_version >= 1 || lists(headers, Name::connection, "keep-alive");
}

}  // namespace banyan
