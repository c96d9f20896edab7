#include "patterns/ambassador/transparent.h"

#include "patterns/ambassador/tcp_proxy.h"

namespace banyan {

Task<Result<ClusterPtr>> TransparentProxy::cluster_of(const Stream& client) {
  const auto wanted = client.original_destination();
  if (!wanted)
    co_return fail(
        Code::protocol, Side::client,
        "the connection was made to the transparent address itself, not redirected to it");
  const std::string ip = host_text(*wanted);
  const bool v6 = wanted->family == Address::Family::ipv6;
  co_return co_await destinations_->find(v6 ? "[" + ip + "]" : ip, wanted->port);
}

Task<> TransparentProxy::serve(Stream& client, Arena& arena, Record& record) {
  const auto cluster = co_await cluster_of(client);
  if (cluster) co_return co_await carry(client, **cluster, idle_max_, arena, record);
  record.blame(cluster.error());
  client.abort();
}

}  // namespace banyan
