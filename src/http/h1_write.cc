#include "http/h1_write.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "http/grammar.h"
#include "http/status.h"

namespace banyan {

namespace {

bool written_by_us(Name id) {
  return id == Name::content_length || id == Name::transfer_encoding || id == Name::connection;
}

bool is_legal(const Field& f) {
  return (f.id != Name::other || is_token(f.name)) && is_field_value(f.value);
}

size_t fields_size(const Headers& headers) {
  size_t size = 0;
  for (const Field& f : headers) size += f.name.size() + f.value.size() + 4;
  return size;
}

// What the options can add at most: a length of 20 digits, an upgrade, a date, and their names.
size_t options_size(const HeadOptions& o) { return 160 + 2 * o.upgrade.size() + o.date.size(); }

class Writer {
 public:
  Writer(Arena& arena, size_t size)
      : begin_(arena.array<char>(size)), to_(begin_), end_(begin_ + size) {}
  Writer& operator<<(std::string_view s) {
    to_ = std::copy(s.begin(), s.end(), to_);
    return *this;
  }
  Writer& operator<<(uint64_t number) {
    to_ = std::to_chars(to_, end_, number).ptr;
    return *this;
  }
  void fields(const Headers& headers) {
    for (const Field& f : headers)
      if (!written_by_us(f.id) && is_legal(f)) *this << f.name << ": " << f.value << "\r\n";
  }
  void options(const HeadOptions& o) {
    if (!o.date.empty()) *this << "date: " << o.date << "\r\n";
    if (o.framing.kind == Framing::Kind::length)
      *this << "content-length: " << o.framing.length << "\r\n";
    if (o.framing.kind == Framing::Kind::chunked) *this << "transfer-encoding: chunked\r\n";
    if (!o.upgrade.empty()) *this << "connection: upgrade\r\nupgrade: " << o.upgrade << "\r\n";
    if (o.close) *this << "connection: close\r\n";
    if (o.keep_alive) *this << "connection: keep-alive\r\n";
  }
  Bytes done() {
    CHECK(to_ <= end_);
    return {begin_, static_cast<size_t>(to_ - begin_)};
  }

 private:
  char* const begin_;
  char* to_;
  char* const end_;
};

}  // namespace

Bytes write_request_head(Arena& arena, std::string_view method, std::string_view target,
                         const Headers& headers, const HeadOptions& options) {
  CHECK(is_token(method) && is_target(target));
  Writer out(arena,
             method.size() + target.size() + 16 + fields_size(headers) + options_size(options));
  out << method << " " << target << " HTTP/1.1\r\n";
  out.fields(headers);
  out.options(options);
  out << "\r\n";
  return out.done();
}

Bytes write_response_head(Arena& arena, uint16_t status, const Headers& headers,
                          const HeadOptions& options) {
  const std::string_view phrase = reason(status);
  Writer out(arena, 32 + phrase.size() + fields_size(headers) + options_size(options));
  out << "HTTP/1.1 " << uint64_t{status} << " " << phrase << "\r\n";
  out.fields(headers);
  out.options(options);
  out << "\r\n";
  return out.done();
}

Bytes write_last_chunk(Arena& arena, const Headers* trailers) {
  if (trailers == nullptr) return "0\r\n\r\n";
  Writer out(arena, 8 + fields_size(*trailers));
  out << "0\r\n";
  out.fields(*trailers);
  out << "\r\n";
  return out.done();
}

}  // namespace banyan
