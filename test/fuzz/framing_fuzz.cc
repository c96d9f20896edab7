// Framing: a message that we accept goes on with the same framing, and nothing else in what we
// write speaks of framing. The next hop cannot read it in another way than we did.
#include "fuzz/fuzz.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "http/h1_write.h"
#include "http/hop.h"

namespace banyan {
namespace {

bool same(const Framing& a, const Framing& b) { return a.kind == b.kind && a.length == b.length; }

// Of what we wrote: at most one field says how long the content is.
void one_framing(const Headers& h) {
  CHECK(h.count(Name::content_length) + h.count(Name::transfer_encoding) <= 1);
  CHECK(h.count(Name::connection) <= 1);
}

void request(std::string_view bytes) {
  Arena arena;
  RequestHead head(arena), again(arena);
  if (!parse_request_head(bytes, {}, head) || !head.headers.has(Name::host)) return;
  const auto framing = request_framing(head.minor_version, head.headers);
  if (!framing) return;
  CHECK(framing->kind != Framing::Kind::until_close);
  const std::string_view upgrade = upgrade_protocol(head.headers, head.minor_version);
  remove_hop_by_hop(head.headers);
  const Bytes written = write_request_head(arena, head.method_text, head.target, head.headers,
                                           {.framing = *framing, .upgrade = upgrade});
  CHECK(parse_request_head(written, {.head_bytes = 1 << 20, .fields = 200}, again));
  one_framing(again.headers);
  const auto told = request_framing(1, again.headers);
  CHECK(told && same(*told, *framing));
  CHECK(upgrade_protocol(again.headers, 1) == upgrade);
}

void answer(Method method, std::string_view bytes) {
  Arena arena;
  ResponseHead head(arena), again(arena);
  if (!parse_response_head(bytes, {}, head)) return;
  const auto framing = response_framing(method, head.status, head.minor_version, head.headers);
  if (!framing) return;
  remove_hop_by_hop(head.headers);
  const bool close = framing->kind == Framing::Kind::until_close;
  const Bytes written =
      write_response_head(arena, head.status, head.headers, {.framing = *framing, .close = close});
  CHECK(parse_response_head(written, {.head_bytes = 1 << 20, .fields = 200}, again));
  one_framing(again.headers);
  const auto told = response_framing(method, again.status, 1, again.headers);
  CHECK(told && same(*told, *framing));
  CHECK(keep_alive(1, again.headers) == !close);
}

}  // namespace
}  // namespace banyan

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace banyan;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  request(bytes);
  for (Method method : {Method::get, Method::head, Method::connect}) answer(method, bytes);
  return 0;
}
