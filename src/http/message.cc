#include "http/message.h"

namespace banyan {

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
