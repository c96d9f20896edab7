#include "upstream/dial.h"

namespace banyan {

namespace {

constexpr size_t endpoints_tried_max = 3;

Task<Result<StreamPtr>> connect_to(Cluster& cluster, Endpoint& endpoint) {
  Loop& loop = cluster.loop();
  Circuit::Pass pass = endpoint.health().pass(loop.now());
  const Pool::Place place(endpoint.pool());
  const Context& context = co_await current_context();
  auto stream = co_await cluster.connect(endpoint, after(loop.now(), cluster.limits().connect_max));
  if (!stream && context.cancel.requested()) co_return stream;
  Reply verdict = stream ? Reply(Response{}) : Reply(std::unexpected(stream.error()));
  if (stream)
    endpoint.connected();
  else if (stream.error().side == Side::upstream)
    endpoint.connect_failed();
  cluster.judge(endpoint, std::move(pass), verdict);
  co_return stream;
}

}  // namespace

Task<Result<Dialled>> dial(Cluster& cluster, Arena& arena, Record& record) {
  EndpointPtr tried[endpoints_tried_max];
  Error why{Code::unavailable, Side::upstream, true, 0,
            cluster.endpoints().empty() ? "the service has no endpoint"
                                        : "no endpoint of the service may be used now"};
  for (size_t count = 0; count < endpoints_tried_max; ++count) {
    Endpoint* next = cluster.pick({tried, count});
    if (next == nullptr) break;
    tried[count] = next->shared_from_this();
    record.endpoint = next->name();
    ++record.attempts;
    auto stream = co_await connect_to(cluster, *next);
    if (stream) {
      record.connected = cluster.loop().now();
      co_return Dialled{tried[count], std::make_unique<Endpoint::Guest>(*next), std::move(*stream)};
    }
    why = stream.error();
    if (why.side != Side::upstream || why.code == Code::cancelled) break;
  }
  record.endpoint = arena.copy(record.endpoint);
  co_return fail(why);
}

}  // namespace banyan
