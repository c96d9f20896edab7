#include "http/h1_parse.h"

#include <algorithm>

#include "http/grammar.h"
#include "http/uri.h"

namespace banyan {

namespace {

std::unexpected<Error> bad(Side side, const char* what, uint16_t status = 400) {
  if (side == Side::client) return fail({Code::protocol, side, false, status, what});
  return fail(Code::protocol, side, what);
}

std::unexpected<Error> too_large(Side side, const char* what) {
  if (side == Side::client) return fail({Code::too_large, side, false, 431, what});
  return fail(Code::protocol, side, what);
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Takes the start line (without CRLF) off `text`. A control byte ends it, and must be its CR.
Result<std::string_view> take_start_line(std::string_view& text, Side side) {
  const size_t end = find_control(text);
  if (text.substr(end, 2) != "\r\n") return bad(side, "the start line has a control byte");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

// "HTTP/1.x" -> x. 505 for another major version, 400 for anything that is no version.
Result<uint8_t> parse_version(std::string_view v, Side side) {
  if (v.size() != 8 || !v.starts_with("HTTP/") || !is_digit(v[5]) || v[6] != '.' || !is_digit(v[7]))
    return bad(side, "the HTTP version cannot be read");
  if (v[5] != '1') return bad(side, "the HTTP version is not supported", 505);
  return static_cast<uint8_t>(v[7] == '0' ? 0 : 1);
}

Result<> parse_request_line(std::string_view line, const HeadLimits& limits, RequestHead& out) {
  // First and last space: any other one lands in the target, where it may not stand.
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
  if (!is_target(out.target))
    return bad(Side::client, "the target has a byte that may not stand there");
  return {};
}

Result<> parse_status_line(std::string_view line, ResponseHead& out) {
  if (line.size() < 12) return bad(Side::upstream, "the status line is too short");
  out.minor_version = TRY_RETURN(parse_version(line.substr(0, 8), Side::upstream));
  const std::string_view code = line.substr(9, 3);
  const bool digits = is_digit(code[0]) && is_digit(code[1]) && is_digit(code[2]);
  // The space behind the code is required, but many leave it out where there is no phrase.
  const bool spaced = line[8] == ' ' && (line.size() == 12 || line[12] == ' ');
  if (!digits || !spaced || code[0] < '1' || code[0] > '5')
    return bad(Side::upstream, "the status line cannot be read");
  out.status =
      static_cast<uint16_t>((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
  out.reason = line.size() > 13 ? line.substr(13) : std::string_view{};
  return {};
}

// Takes one field line off `lines`, which is not empty.
Result<> take_field(std::string_view& lines, Side side, Headers& out) {
  if (is_blank(lines.front())) return bad(side, "a field is folded over two lines");
  const size_t colon = lines.find(':');
  if (colon == std::string_view::npos) return bad(side, "a field has no colon");
  Field field;
  field.name = lines.substr(0, colon);
  field.id = known_name(field.name);
  // A known name is a token; only the others need a look at each byte.
  if (field.id == Name::other && !is_token(field.name))
    return bad(side, "a field's name is not a token followed by a colon");
  lines.remove_prefix(colon + 1);
  while (!lines.empty() && is_blank(lines.front())) lines.remove_prefix(1);
  // One pass finds the end of the line and whatever may not stand before it.
  size_t end = find_control(lines);
  if (lines.substr(end, 2) != "\r\n") return bad(side, "a field's value has a control byte");
  const size_t next = end + 2;
  while (end > 0 && is_blank(lines[end - 1])) --end;
  field.value = lines.substr(0, end);
  out.add(field);
  lines.remove_prefix(next);
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
  if (!host.empty() && !parse_authority(host))
    return bad(Side::client, "the Host field names no host");
  return {};
}

}  // namespace

Result<size_t> HeadScanner::find_end(Bytes so_far) {
  // A client may send one empty line too many after a content.
  if (line_ == 0 && side_ == Side::client && so_far.starts_with("\r\n")) seen_ = line_ = 2;
  for (;;) {
    const size_t end = so_far.find('\n', seen_);
    if (end == Bytes::npos) {
      seen_ = std::max(seen_, so_far.size());
      return 0;
    }
    if (end == line_ || so_far[end - 1] != '\r') return bad(side_, "an LF stands without its CR");
    if (end == line_ + 1) return end + 1;
    seen_ = line_ = end + 1;
  }
}

Result<> parse_fields(Bytes lines, uint16_t fields_max, Side side, Headers& out) {
  for (uint32_t n = 0; !lines.empty(); ++n) {
    if (lines.front() == '\r') {
      if (lines != "\r\n") return bad(side, "the empty line is not the last");
      return {};
    }
    if (n == fields_max) return too_large(side, "the head has more fields than the limit");
    TRY_RETURN(take_field(lines, side, out));
  }
  return bad(side, "the fields do not end with an empty line");
}

Result<> parse_request_head(Bytes head, const HeadLimits& limits, RequestHead& out) {
  if (head.size() > limits.head_bytes)
    return too_large(Side::client, "the request's head is longer than the limit");
  if (head.starts_with("\r\n")) head.remove_prefix(2);
  const std::string_view line = TRY_RETURN(take_start_line(head, Side::client));
  TRY_RETURN(parse_request_line(line, limits, out));
  TRY_RETURN(parse_fields(head, limits.fields, Side::client, out.headers));
  return check_host(out);
}

Result<> parse_response_head(Bytes head, const HeadLimits& limits, ResponseHead& out) {
  if (head.size() > limits.head_bytes)
    return too_large(Side::upstream, "the answer's head is longer than the limit");
  const std::string_view line = TRY_RETURN(take_start_line(head, Side::upstream));
  TRY_RETURN(parse_status_line(line, out));
  return parse_fields(head, limits.fields, Side::upstream, out.headers);
}

}  // namespace banyan
