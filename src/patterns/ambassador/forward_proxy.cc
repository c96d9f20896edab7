#include "patterns/ambassador/forward_proxy.h"

#include "base/text.h"
#include "http/forwarded.h"
#include "upstream/dial.h"
#include "upstream/forward.h"

namespace banyan {

namespace {

constexpr uint16_t http_port = 80;

class DialledTunnel final : public Tunnel {
 public:
  explicit DialledTunnel(Dialled dialled) : dialled_(std::move(dialled)) {}
  Stream& stream() override { return *dialled_.stream; }
  Buffer& early() override { return early_; }

 private:
  Dialled dialled_;
  Buffer early_;
};

std::unexpected<Error> refuse(uint16_t status, const char* what) {
  return fail({Code::protocol, Side::client, false, status, what});
}

Result<uint16_t> port_of(const Target& target) {
  const auto authority = parse_authority(target.authority);
  if (!authority) return refuse(400, "the target names no host");
  if (authority->port.empty()) return http_port;
  const auto port = parse_u64(authority->port);
  if (!port || *port == 0 || *port > 65535) return refuse(400, "the target's port is none");
  return static_cast<uint16_t>(*port);
}

}  // namespace

Task<Result<ClusterPtr>> ForwardProxy::cluster_of(const Request& request, uint16_t port) {
  if (!destinations_->settings().allows(request.host, port))
    co_return refuse(403, "forward_proxy.allow does not name this host and port");
  co_return co_await destinations_->find(request.host, port);
}

Task<Reply> ForwardProxy::connect(Request& request, uint16_t port) {
  const auto known = known_.find(request.host);
  ClusterPtr cluster;
  if (known == known_.end())
    cluster = TRY(co_await cluster_of(request, port));
  else if ((cluster = known->second.cluster) == nullptr)
    co_return refuse(403, "the host is a service without endpoints, so there is no tunnel to it");
  request.record.service = cluster->name();
  Dialled dialled = TRY(co_await dial(*cluster, request.arena, request.record));
  request.record.endpoint = request.arena.copy(dialled.endpoint->name());
  request.record.answered = cluster->loop().now();
  Response rsp = make_response(request, 200);
  rsp.tunnel = std::make_unique<DialledTunnel>(std::move(dialled));
  co_return rsp;
}

Task<Reply> ForwardProxy::call(Request& request) {
  const Target& target = request.target;
  if (target.authority.empty())
    co_return refuse(400,
                     "this is a forward proxy: it wants a whole URL (http://host/path) or CONNECT");
  if (target.https)
    co_return refuse(400, "for https:// a client asks a proxy for a tunnel (CONNECT host:443)");
  const uint16_t port = TRY(port_of(target));
  if (request.method == Method::connect) co_return co_await connect(request, port);
  if (const auto known = known_.find(request.host); known != known_.end())
    co_return co_await known->second.service->call(request);
  const ClusterPtr cluster = TRY(co_await cluster_of(request, port));
  add_via(request);
  Forward forward(cluster);
  co_return co_await forward.call(request);
}

}  // namespace banyan
