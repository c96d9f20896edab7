#include "service/respond.h"

#include <fmt/format.h>

#include "http/status.h"

namespace banyan {

namespace {

uint16_t client_status(Code code) {
  switch (code) {
    case Code::timeout:
      return 408;
    case Code::too_large:
      return 413;
    default:
      return 400;
  }
}

uint16_t upstream_status(Code code) {
  switch (code) {
    case Code::timeout:
      return 504;
    case Code::unavailable:
    case Code::overloaded:
      return 503;
    default:
      return 502;
  }
}

uint16_t own_status(Code code) {
  switch (code) {
    case Code::timeout:
      return 504;
    case Code::bug:
    case Code::protocol:
      return 500;
    default:
      return 503;
  }
}

}  // namespace

uint16_t status_of(const Error& error) {
  if (error.status != 0) return error.status;
  switch (error.side) {
    case Side::client:
      return client_status(error.code);
    case Side::upstream:
      return upstream_status(error.code);
    case Side::self:
      break;
  }
  return own_status(error.code);
}

Response respond(Arena& arena, uint16_t status, std::string_view detail, Side side) {
  Response rsp;
  rsp.status = status;
  rsp.headers = arena.make<Headers>(arena);
  rsp.headers->add(Name::content_type, "application/problem+json");
  if (status == 503) rsp.headers->add(Name::retry_after, "1");
  rsp.body = std::make_unique<TextBody>(
      fmt::format("{{\"title\":\"{}\",\"status\":{},\"detail\":\"{}\",\"side\":\"{}\"}}\n",
                  reason(status), status, detail, name(side)));
  return rsp;
}

Response respond(Arena& arena, const Error& error) {
  return respond(arena, status_of(error), error.what, error.side);
}

}  // namespace banyan
