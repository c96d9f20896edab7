#include "app/edge.h"

#include "app/tcp_edge.h"
#include "service/respond.h"
#include "service/tell.h"

namespace banyan {

H1Limits limits_of(const OffloadSettings& offload) {
  H1Limits out;
  const LimitSettings limits = offload.limits.value_or(LimitSettings{});
  const auto take = [](auto& to, const auto& from) {
    if (from) to = *from;
  };
  const auto take_size = [](auto& to, const std::optional<Size>& from) {
    if (from) to = static_cast<std::remove_reference_t<decltype(to)>>(from->bytes);
  };
  take_size(out.head.head_bytes, limits.head);
  take_size(out.head.target_bytes, limits.target);
  take(out.head.fields, limits.fields);
  take_size(out.body.limit_bytes, limits.body);
  take(out.body.gap_max, limits.body_timeout);
  take_size(out.body.rate_min, limits.body_rate);
  take(out.head_max, limits.head_timeout);
  take(out.idle_max, limits.idle_timeout);
  take(out.send_max, limits.send_timeout);
  take(out.tunnel_idle_max, limits.tunnel_timeout);
  take(out.requests_max, limits.requests);
  const Http2Settings http2 = offload.http2.value_or(Http2Settings{});
  take(out.http2, http2.enabled);
  apply(http2, out.h2);
  const PathSettings paths = offload.paths.value_or(PathSettings{});
  take(out.path.merge_slashes, paths.merge_slashes);
  take(out.path.encoded_slash, paths.encoded_slash);
  return out;
}

Response TcpEdge::fault(Arena& arena, const Request*, const Error& error) {
  return respond(arena, error);
}

Response Edge::fault(Arena& arena, const Request* request, const Error& error) {
  Response rsp = respond(arena, error);
  if (request == nullptr) return rsp;
  tell(request->record, *rsp.headers);
  for (const auto& edit : edits_) edit->edit(*request, *rsp.headers);
  return rsp;
}

}  // namespace banyan
