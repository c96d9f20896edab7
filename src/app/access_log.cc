#include "app/access_log.h"

#include <time.h>

#include <charconv>
#include <cstring>

#include "base/line_queue.h"

namespace banyan {

static_assert(AccessLine::line_max <= LineQueue::line_max);

namespace {

// Without an early end, so that the compiler takes many bytes at once.
bool is_plain(std::string_view s) {
  bool plain = true;
  for (char c : s)  // signed: UTF-8 is below zero
    plain &= static_cast<signed char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7F;
  return plain;
}

// Not in the middle of a UTF-8 sequence, if it is one.
std::string_view cut(std::string_view s, size_t max) {
  if (s.size() <= max) return s;
  size_t end = max;
  while (end > max - 3 && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80) --end;
  return s.substr(0, end);
}

}  // namespace

// Writes where there is room for the longest line: see line_max.
class AccessLine::Out {
 public:
  explicit Out(char* to) : begin_(to), at_(to) {}

  template <size_t n>
  void literal(const char (&text)[n]) {
    std::memcpy(at_, text, n - 1);
    at_ += n - 1;
  }
  void text(std::string_view s) { at_ += s.copy(at_, s.size()); }
  void number(uint64_t value) { at_ = std::to_chars(at_, at_ + 20, value).ptr; }
  void digits(uint64_t value, int count) {
    for (int i = count - 1; i >= 0; --i, value /= 10) at_[i] = static_cast<char>('0' + value % 10);
    at_ += count;
  }
  // Milliseconds, to the microsecond.
  void milliseconds(Duration d) {
    const auto us = static_cast<uint64_t>(std::max(d.count(), Duration::rep{0})) / 1000;
    number(us / 1000);
    *at_++ = '.';
    digits(us % 1000, 3);
  }
  void escaped(std::string_view s, size_t max) {
    s = cut(s, max);
    if (is_plain(s)) [[likely]]
      return text(s);
    std::string safe;
    append_json_escaped(safe, s);
    text(safe);
  }
  // `,"key":"` then the value, if there is one.
  template <size_t n>
  void field(const char (&key)[n], std::string_view value, size_t max) {
    if (value.empty()) return;
    literal(key);
    escaped(value, max);
    *at_++ = '"';
  }
  void address(const Address& a) {
    if (a.family != Address::Family::ipv4) return escaped(host_text(a), name_max);
    for (size_t i = 12; i < 16; ++i) {
      number(a.ip[i]);
      if (i != 15) *at_++ = '.';
    }
  }
  std::string_view all() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }

 private:
  char* const begin_;
  char* at_;
};

AccessLine::AccessLine(std::string_view listener, bool with_query)
    : listener_(listener),
      with_query_(with_query),
      line_(std::make_unique_for_overwrite<char[]>(line_max)) {}

void AccessLine::time(Out& out, WallTime now) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(now);
  const int64_t second = whole.time_since_epoch().count();
  if (second != second_) {
    second_ = second;
    const time_t at = second;
    tm parts;
    gmtime_r(&at, &parts);
    strftime(second_text_, sizeof second_text_, "%Y-%m-%dT%H:%M:%S.", &parts);
  }
  out.literal("{\"time\":\"");
  out.text({second_text_, 20});
  out.digits(static_cast<uint64_t>((now - whole).count()) / 1'000'000, 3);
  out.literal("Z\"");
}

void AccessLine::message(Out& out, const Request& request) const {
  out.field(",\"method\":\"", request.method_text, method_max);
  out.field(",\"host\":\"", request.host, name_max);
  const std::string_view asked = request.record.path;
  out.field(",\"path\":\"", asked.empty() ? request.target.path : asked, path_max);
  if (with_query_ && request.target.has_query) {
    out.literal(",\"query\":\"");
    out.escaped(request.target.query, query_max);
    out.literal("\"");
  }
  if (request.http2)
    out.literal(",\"protocol\":\"HTTP/2\"");
  else if (request.minor_version == 0)
    out.literal(",\"protocol\":\"HTTP/1.0\"");
  else
    out.literal(",\"protocol\":\"HTTP/1.1\"");
}

void AccessLine::headers(Out& out, const Headers& headers) const {
  out.field(",\"user_agent\":\"", headers.get(Name::user_agent), agent_max);
  out.field(",\"request_id\":\"", headers.get(Name::x_request_id), request_id_max);
}

namespace {

void counts(auto& out, const Record& record) {
  if (record.status != 0) {
    out.literal(",\"status\":");
    out.number(record.status);
  }
  out.literal(",\"bytes_in\":");
  out.number(record.bytes_in);
  out.literal(",\"bytes_out\":");
  out.number(record.bytes_out);
  if (record.attempts == 0) return;
  out.literal(",\"attempts\":");
  out.number(record.attempts);
  if (record.reused)
    out.literal(",\"reused\":true");
  else
    out.literal(",\"reused\":false");
}

// A phase that was not reached is left out.
void durations(auto& out, const Record& record) {
  out.literal(",\"duration_ms\":");
  out.milliseconds(record.ended - record.started);
  if (record.head_read == Time{}) return;
  out.literal(",\"phases\":{\"head_ms\":");
  out.milliseconds(record.head_read - record.started);
  if (record.connected != Time{}) {
    out.literal(",\"wait_ms\":");
    out.milliseconds(record.connected - record.head_read);
  }
  if (record.answered != Time{}) {
    out.literal(",\"answer_ms\":");
    out.milliseconds(record.answered - record.connected);
    out.literal(",\"content_ms\":");
    out.milliseconds(record.ended - record.answered);
  }
  out.literal("}");
}

void failure(auto& out, const Error& error) {
  out.literal(",\"error\":{\"side\":\"");
  out.text(name(error.side));
  out.literal("\",\"code\":\"");
  out.text(name(error.code));
  out.literal("\"");
  out.field(",\"reason\":\"", error.what, AccessLine::name_max);
  out.literal("}");
}

}  // namespace

std::string_view AccessLine::format(const Request* request, const Address& client,
                                    const Record& record, WallTime now) {
  Out out(line_.get());
  time(out, now);
  out.literal(",\"client\":\"");
  out.address(client);
  out.literal("\"");
  out.field(",\"listener\":\"", listener_, name_max);
  if (request != nullptr) message(out, *request);
  out.field(",\"route\":\"", record.route, name_max);
  out.field(",\"service\":\"", record.service, name_max);
  out.field(",\"endpoint\":\"", record.endpoint, name_max);
  counts(out, record);
  durations(out, record);
  if (request != nullptr) headers(out, request->headers);
  out.field(",\"not_retried\":\"", record.decision, name_max);
  if (record.error) failure(out, *record.error);
  out.literal("}\n");
  return out.all();
}

}  // namespace banyan
