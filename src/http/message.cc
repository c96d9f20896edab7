#include "http/message.h"

namespace banyan {

// A member that is new must be copied, too.
static_assert(sizeof(Request) == 256);

Request& another(Request& request, Record& record) {
  Arena& arena = request.arena;
  auto* headers = arena.make<Headers>(arena);
  for (const Field& field : request.headers) headers->add(field);
  return *arena.make<Request>(Request{.arena = arena,
                                      .method = request.method,
                                      .method_text = request.method_text,
                                      .target = request.target,
                                      .authority = request.authority,
                                      .host = request.host,
                                      .minor_version = request.minor_version,
                                      .http2 = request.http2,
                                      .secure = request.secure,
                                      .headers = *headers,
                                      .body = request.body,
                                      .upgrade = request.upgrade,
                                      .expects_continue = request.expects_continue,
                                      .client = request.client,
                                      .captures = request.captures,
                                      .interim = request.interim,
                                      .background = request.background,
                                      .tries = request.tries,
                                      .wishes = request.wishes,
                                      .record = record});
}

Response make_response(Request& request, uint16_t status) {
  Response rsp;
  rsp.status = status;
  rsp.headers = request.arena.make<Headers>(request.arena);
  return rsp;
}

Response make_response(Request& request, uint16_t status, std::string_view content_type,
                       std::string text) {
  Response rsp = make_response(request, status);
  rsp.headers->add(Name::content_type, content_type);
  rsp.body = std::make_unique<TextBody>(std::move(text));
  return rsp;
}

}  // namespace banyan
