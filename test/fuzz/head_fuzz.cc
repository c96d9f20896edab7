// Heads of requests and answers: found the same however they arrive; what we write of one parses to
// the same message.
#include "fuzz/fuzz.h"
#include "http/grammar.h"
#include "http/h1_parse.h"
#include "http/h1_write.h"

namespace banyan {
namespace {

bool ours(Name id) {
  return id == Name::content_length || id == Name::transfer_encoding || id == Name::connection;
}

void same_fields(const Headers& a, const Headers& b) {
  const Field* other = b.begin();
  for (const Field& f : a) {
    if (ours(f.id)) continue;
    CHECK(other != b.end());
    CHECK(f.name == other->name && f.value == other->value && f.id == other->id);
    CHECK(is_token(f.name) && is_field_value(f.value));
    ++other;
  }
  CHECK(other == b.end());
}

// At once, and byte by byte: the same end, or an error in both.
size_t find_end(Side side, std::string_view bytes) {
  const auto whole = HeadScanner(side).find_end(bytes);
  HeadScanner scanner(side);
  for (size_t n = 1; n <= bytes.size(); ++n) {
    const auto step = scanner.find_end(bytes.substr(0, n));
    if (!step) {
      CHECK(!whole);
      return 0;
    }
    if (*step != 0) {
      CHECK(whole && *whole == *step);
      return *step;
    }
  }
  CHECK(bytes.empty() || (whole && *whole == 0));
  return 0;
}

void request(std::string_view bytes) {
  Arena arena;
  RequestHead head(arena), again(arena);
  const size_t end = find_end(Side::client, bytes);
  if (end == 0 || !parse_request_head(bytes.substr(0, end), {}, head)) return;
  const Bytes written = write_request_head(arena, head.method_text, head.target, head.headers, {});
  CHECK(find_end(Side::client, written) == written.size());
  // The version is ours, and HTTP/1.1 wants a Host.
  if (!head.headers.has(Name::host)) return;
  CHECK(parse_request_head(written, {.head_bytes = 1 << 20}, again));
  CHECK(head.method == again.method && head.method_text == again.method_text);
  CHECK(head.target == again.target && again.minor_version == 1);
  same_fields(head.headers, again.headers);
}

void answer(std::string_view bytes) {
  Arena arena;
  ResponseHead head(arena), again(arena);
  const size_t end = find_end(Side::upstream, bytes);
  if (end == 0 || !parse_response_head(bytes.substr(0, end), {}, head)) return;
  const Bytes written = write_response_head(arena, head.status, head.headers, {});
  CHECK(find_end(Side::upstream, written) == written.size());
  CHECK(parse_response_head(written, {.head_bytes = 1 << 20}, again));
  CHECK(head.status == again.status);
  same_fields(head.headers, again.headers);
}

}  // namespace
}  // namespace banyan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  banyan::request(bytes);
  banyan::answer(bytes);
  return 0;
}
