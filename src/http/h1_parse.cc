#include "http/h1_parse.h"

#include "http/grammar.h"
#include "http/uri.h"

namespace banyan {

namespace {

std::unexpected<Error> bad(Side side, const char* what, uint16_t status = 400) {
  if (side == Side::client) return fail({Code::protocol, side, false, status, what});
  return fail(Code::protocol, side, what);
}

// Takes the next line (without CRLF) off `text`, which is known to consist of whole lines.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end - 1);
  text.remove_prefix(end + 1);
  return line;
}

// "HTTP/1.x" -> x. 505 for another major version, 400 for anything that is no version.
Result<uint8_t> parse_version(std::string_view v, Side side) {
  if (v.size() != 8 || !v.starts_with("HTTP/") || !is_digit(v[5]) || v[6] != '.' || !is_digit(v[7]))
    return bad(side, "the HTTP version cannot be read");
  if (v[5] != '1') return bad(side, "the HTTP version is not supported", 505);
  return static_cast<uint8_t>(v[7] - '0' > 1 ? 1 : v[7] - '0');
}

Result<> parse_request_line(std::string_view line, const HeadLimits& limits, RequestHead& out) {
  const size_t method_end = line.find(' ');
  const size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end <= method_end)
    return bad(Side::client, "the request line is not 'method target version'");
  out.method_text = line.substr(0, method_end);
  if (!is_token(out.method_text)) return bad(Side::client, "the method is not a token");
  out.method = parse_method(out.method_text);
  out.target = line.substr(method_end + 1, target_end - method_end - 1);
  out.minor_version = TRY_RETURN(parse_version(line.substr(target_end + 1), Side::client));
  if (out.target.size() > limits.target_bytes)
    return fail({Code::too_large, Side::client, false, 414, "the target is longer than the limit"});
  if (out.target.empty() || !all(out.target, target_char))
    return bad(Side::client, "the target has a byte that may not stand there");
  return {};
}

Result<> parse_status_line(std::string_view line, ResponseHead& out) {
  if (line.size() < 12) return bad(Side::upstream, "the status line is too short");
  out.minor_version = TRY_RETURN(parse_version(line.substr(0, 8), Side::upstream));
  const std::string_view code = line.substr(9, 3);
  const bool digits = is_digit(code[0]) && is_digit(code[1]) && is_digit(code[2]);
  const bool spaced = line[8] == ' ' && (line.size() == 12 || line[12] == ' ');
  if (!digits || !spaced || code[0] < '1' || code[0] > '5')
    return bad(Side::upstream, "the status line cannot be read");
  out.status = static_cast<uint16_t>((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
  out.reason = line.size() > 13 ? line.substr(13) : std::string_view{};
  if (!is_field_value(out.reason)) return bad(Side::upstream, "the reason phrase has a control byte");
  return {};
}

Result<> parse_field(std::string_view line, Side side, Headers& out) {
  if (line.front() == ' ' || line.front() == '\t')
    return bad(side, "a field is folded over two lines");
  size_t colon = 0;
  while (colon < line.size() && is(line[colon], token_char)) ++colon;
  if (colon == line.size() || line[colon] != ':' || colon == 0)
    return bad(side, "a field's name is not a token followed by a colon");
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_field_value(value)) return bad(side, "a field's value has a control byte");
  out.add(line.substr(0, colon), value);
  return {};
}

// Exactly one Host, and one that names a host (RFC 9112, section 3.2).
Result<> check_host(const RequestHead& head) {
  const size_t hosts = head.headers.count(Name::host);
  if (hosts > 1) return bad(Side::client, "there is more than one Host field");
  if (hosts == 0) {
    if (head.minor_version == 0) return {};
    return bad(Side::client, "the Host field is missing");
  }
  const std::string_view host = head.headers.get(Name::host);
  // Empty is what RFC 9110, section 7.2 asks for when the target has no authority.
  if (!host.empty() && !parse_authority(host)) return bad(Side::client, "the Host field names no host");
  return {};
}

}  // namespace

Result<size_t> HeadScanner::find_end(Bytes so_far) {
  // A client may send one empty line too many after a content.
  if (line_ == 0 && seen_ == 0 && so_far.starts_with("\r\n")) seen_ = line_ = 2;
  for (;;) {
    const void* found = seen_ >= so_far.size()
                            ? nullptr
                            : std::memchr(so_far.data() + seen_, '\n', so_far.size() - seen_);
    const size_t end = found == nullptr
                           ? so_far.size()
                           : static_cast<size_t>(static_cast<const char*>(found) - so_far.data());
    // Every CR must be the one before an LF.
    const Bytes line = so_far.substr(line_, end - line_);
    const size_t cr = line.find('\r', seen_ - line_);
    if (cr != Bytes::npos && cr + 1 != line.size())
      return bad(side_, "a CR stands without its LF");
    if (found == nullptr) {
      // A CR at the very end is looked at again: its LF may be on the way.
      seen_ = cr == Bytes::npos ? so_far.size() : so_far.size() - 1;
      return 0;
    }
    if (cr == Bytes::npos) return bad(side_, "an LF stands without its CR");
    if (line.size() == 1) return end + 1;
    seen_ = line_ = end + 1;
  }
}

Result<> parse_fields(Bytes lines, uint16_t fields_max, Side side, Headers& out) {
  for (uint32_t n = 0; !lines.empty(); ++n) {
    const std::string_view line = take_line(lines);
    if (line.empty()) return {};
    if (n == fields_max) {
      if (side != Side::client) return bad(side, "the head has too many fields");
      return fail({Code::too_large, side, false, 431, "the head has more fields than the limit"});
    }
    TRY_RETURN(parse_field(line, side, out));
  }
  return bad(side, "the fields do not end with an empty line");
}

Result<> parse_request_head(Bytes head, const HeadLimits& limits, RequestHead& out) {
  if (head.starts_with("\r\n")) head.remove_prefix(2);
  TRY_RETURN(parse_request_line(take_line(head), limits, out));
  TRY_RETURN(parse_fields(head, limits.fields, Side::client, out.headers));
  return check_host(out);
}

Result<> parse_response_head(Bytes head, const HeadLimits& limits, ResponseHead& out) {
  TRY_RETURN(parse_status_line(take_line(head), out));
  return parse_fields(head, limits.fields, Side::upstream, out.headers);
}

}  // namespace banyan
