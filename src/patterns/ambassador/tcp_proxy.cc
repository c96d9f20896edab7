#include "patterns/ambassador/tcp_proxy.h"

#include "http/tunnel.h"
#include "upstream/dial.h"

namespace banyan {

Task<> TcpProxy::serve(Stream& client, Arena& arena, Record& record) {
  co_await carry(client, *cluster_, idle_max_, arena, record);
}

Task<> carry(Stream& client, Cluster& cluster, Duration idle_max, Arena& arena, Record& record) {
  record.service = cluster.name();
  auto upstream = co_await dial(cluster, arena, record);
  if (!upstream) {
    record.blame(upstream.error());
    client.abort();
    co_return;
  }
  Buffer from_client, from_upstream;
  const Relayed moved =
      co_await relay(client, from_client, *upstream->stream, from_upstream, idle_max);
  record.bytes_in = moved.there;
  record.bytes_out = moved.back;
  // Only now: an arena is a block of memory, which an idle connection can do without.
  record.endpoint = arena.copy(record.endpoint);
  if (!moved.broken) co_return;
  record.blame(*moved.broken);
  client.abort();
  upstream->stream->abort();
}

}  // namespace banyan
