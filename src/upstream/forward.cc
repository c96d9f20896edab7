#include "upstream/forward.h"

#include "http/hop.h"
#include "task/combine.h"

namespace banyan {

namespace {

constexpr size_t endpoints_tried_max = 3;

}  // namespace

// (2) A used connection if there is one, else a new one.
Task<Result<H1Client*>> Forward::connection(Attempt how, Record& record) {
  Pool& pool = how.endpoint->pool();
  H1Client* client = how.fresh_only ? nullptr : pool.take();
  record.reused = client != nullptr;
  if (client != nullptr) co_return client;
  if (pool.full())
    co_return fail(Code::overloaded, Side::self,
                   "the endpoint has as many connections as it may have");
  Loop& loop = cluster_->loop();
  auto stream = co_await cluster_->network().connect(
      how.endpoint->address(), after(loop.now(), cluster_->limits().connect_max));
  if (!stream) {
    if (stream.error().code != Code::cancelled) how.endpoint->connect_failed();
    co_return std::unexpected(stream.error());
  }
  how.endpoint->connected();
  co_return &pool.adopt(std::move(*stream), cluster_->limits().h1);
}

Task<Reply> Forward::attempt(Request& request, Attempt how, bool& stale) {
  Loop& loop = cluster_->loop();
  request.record.endpoint = how.endpoint->name();
  H1Client& client = *TRY(co_await connection(how, request.record));
  H1Lease lease = how.endpoint->lend(client);
  // (3) Send, and wait for the head of the answer.
  const Time sent_at = request.record.connected = loop.now();
  ++request.record.attempts;
  const bool reused = request.record.reused;
  auto reply = co_await H1Client::send(std::move(lease), request, request.target.forward,
                                       request.headers, stale);
  stale = stale && reused;
  // (4) What the endpoint's speed and the log need to know.
  if (!reply) co_return std::unexpected(reply.error());
  request.record.answered = loop.now();
  how.endpoint->answered_in(loop.now() - sent_at);
  // (5) Fields of this hop end here; the framing is written anew on the other side.
  remove_hop_by_hop(*reply->headers);
  co_return reply;
}

Task<Reply> Forward::call(Request& request) {
  request.record.service = cluster_->name();
  Endpoint* tried[endpoints_tried_max];
  size_t count = 0;
  bool fresh_only = false;
  for (;;) {
    // (1) Choose an endpoint.
    Endpoint* endpoint = fresh_only ? tried[count - 1] : cluster_->pick({tried, count});
    if (endpoint == nullptr)
      co_return fail(Code::unavailable, Side::upstream, "the service has no endpoint", true);
    if (!fresh_only) tried[count++] = endpoint;
    bool stale = false;
    auto reply = co_await within{cluster_->limits().answer_max,
                                 attempt(request, {endpoint, fresh_only}, stale)};
    if (reply) co_return reply;
    const Error& error = reply.error();
    const bool again =
        stale && !fresh_only && request.body == nullptr && is_idempotent(request.method);
    // (6) Nothing was sent: another endpoint may have it.
    const bool elsewhere = error.retryable && error.code == Code::unavailable &&
                           count < endpoints_tried_max && count < cluster_->endpoints().size();
    if (!again && !elsewhere) co_return reply;
    fresh_only = again;
  }
}

}  // namespace banyan
