#include "http/chunked.h"

#include <algorithm>

#include "http/grammar.h"
#include "http/h1_parse.h"

namespace banyan {

std::unexpected<Error> ChunkDecoder::bad(const char* what) const {
  return fail(
      {Code::protocol, side_, false, static_cast<uint16_t>(side_ == Side::client ? 400 : 0), what});
}

Result<> ChunkDecoder::size_digit(char c) {
  const int value = hex_value(c);
  if (value >= 0) {
    if (++digits_ > 16 || left_ >> 59 != 0) return bad("a chunk's size is too large");
    left_ = left_ << 4 | static_cast<uint64_t>(value);
    state_ = State::size;
    return {};
  }
  if (digits_ == 0) return bad("a chunk's size is not a hexadecimal number");
  if (c == '\r')
    state_ = State::size_lf;
  else if (c == ';' || c == ' ' || c == '\t')
    return extension(c);
  else
    return bad("a chunk's size is not a hexadecimal number");
  return {};
}

// Extensions are dropped, but only well-formed bytes are: a control byte here hides a second
// reading.
Result<> ChunkDecoder::extension(char c) {
  // Space before the ';' is bad whitespace (RFC 9112, section 7.1.1); we do not pass it on, so
  // refuse it.
  if (state_ == State::size && c != ';') return bad("a chunk's size is followed by space");
  state_ = State::extension;
  if (c == '\r') {
    state_ = State::size_lf;
    return {};
  }
  if (++extension_bytes_ > extensions_max)
    return bad("the chunk extensions are longer than the limit");
  if (!is_field_value({&c, 1})) return bad("a chunk extension has a control byte");
  return {};
}

Result<> ChunkDecoder::size_ended() {
  digits_ = 0;
  state_ = left_ == 0 ? State::trailer : State::data;
  return {};
}

Result<> ChunkDecoder::take(char c) {
  switch (state_) {
    case State::size_start:
    case State::size:
      return size_digit(c);
    case State::extension:
      return extension(c);
    case State::size_lf:
      return c == '\n' ? size_ended() : bad("a chunk's size does not end with CRLF");
    case State::data_cr:
      state_ = State::data_lf;
      return c == '\r' ? Result<>{} : bad("a chunk is longer than its size");
    case State::data_lf:
      state_ = State::size_start;
      return c == '\n' ? Result<>{} : bad("a chunk does not end with CRLF");
    case State::data:
    case State::trailer:
      break;
  }
  return {};
}

namespace {

// Fields that may not come late: they would change what was decided at the head.
bool forbidden_in_trailer(const Field& f) {
  switch (f.id) {
    case Name::content_length:
    case Name::transfer_encoding:
    case Name::host:
    case Name::connection:
    case Name::keep_alive:
    case Name::proxy_connection:
    case Name::upgrade:
    case Name::te:
    case Name::trailer:
    case Name::expect:
    case Name::authorization:
    case Name::proxy_authorization:
    case Name::proxy_authenticate:
    case Name::www_authenticate:
    case Name::cookie:
    case Name::set_cookie:
    case Name::content_type:
    case Name::content_encoding:
    case Name::content_range:
    case Name::range:
    case Name::cache_control:
    case Name::max_forwards:
    case Name::forwarded:
    case Name::x_forwarded_for:
    case Name::x_forwarded_host:
    case Name::x_forwarded_port:
    case Name::x_forwarded_proto:
    case Name::x_real_ip:
    case Name::x_request_id:
    case Name::via:
      return true;
    default:
      return false;
  }
}

}  // namespace

// True at the end of the section.
Result<bool> ChunkDecoder::trailer(char c) {
  trailer_lines_ += c;
  if (trailer_lines_.size() > trailer_max)
    return bad("the trailer section is longer than the limit");
  const size_t n = trailer_lines_.size();
  const bool after_cr = n >= 2 && trailer_lines_[n - 2] == '\r';
  if ((c == '\n') != after_cr) return bad("a trailer line does not end with CRLF");
  const bool empty_line = n == 2 || (n >= 4 && trailer_lines_[n - 3] == '\n');
  if (c != '\n' || !empty_line) return false;
  if (n == 2) return true;
  Headers fields(arena_);
  TRY_RETURN(parse_fields(arena_.copy(trailer_lines_), trailer_fields_max, side_, fields));
  fields.remove_if(forbidden_in_trailer);
  if (!fields.empty()) trailers_ = fields;
  return true;
}

Result<ChunkDecoder::Step> ChunkDecoder::step(Bytes in) {
  Step out;
  while (out.consumed < in.size() && !done_) {
    if (state_ == State::data) {
      out.data = in.substr(out.consumed, std::min<uint64_t>(left_, in.size() - out.consumed));
      out.consumed += out.data.size();
      left_ -= out.data.size();
      if (left_ == 0) state_ = State::data_cr;
      break;
    }
    const char c = in[out.consumed++];
    if (state_ == State::trailer)
      done_ = TRY_RETURN(trailer(c));
    else
      TRY_RETURN(take(c));
  }
  out.done = done_;
  return out;
}

Bytes write_chunk_head(char (&buffer)[20], uint64_t size) {
  static constexpr char hex[] = "0123456789abcdef";
  size_t at = sizeof buffer;
  buffer[--at] = '\n';
  buffer[--at] = '\r';
  do {
    buffer[--at] = hex[size & 15];
    size >>= 4;
  } while (size != 0);
  return {buffer + at, sizeof buffer - at};
}

}  // namespace banyan
