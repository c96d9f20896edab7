#include "upstream/forward.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "http/answer_clock.h"
#include "http/hop.h"
#include "task/combine.h"

namespace banyan {

namespace {

constexpr size_t endpoints_tried_max = 3;

// Nothing was sent, and another endpoint may do better.
bool may_go_elsewhere(const Error& error) {
  return error.retryable && (error.code == Code::unavailable || error.code == Code::timeout ||
                             error.code == Code::overloaded);
}

bool has_content(const Request& request) {
  return request.body != nullptr && request.body->length() != 0u;
}

}  // namespace

// (1) Not one that had this request already, in this call or an earlier try, as long as there are
// others.
Endpoint* Forward::choose(Request& request, std::span<const EndpointPtr> tried,
                          const PickKey& key) {
  Tries* const tries = request.tries;
  if (tries == nullptr) return cluster_->pick(tried, key);
  Endpoint* chosen = nullptr;
  if (!tries->empty()) {
    std::vector<EndpointPtr> except(tried.begin(), tried.end());
    std::ranges::copy_if(cluster_->endpoints(), std::back_inserter(except),
                         [&](const EndpointPtr& e) { return tries->has(e.get()); });
    chosen = cluster_->pick(except, key);
  }
  if (chosen == nullptr) chosen = cluster_->pick(tried, key);
  if (chosen != nullptr) tries->add(chosen);
  return chosen;
}

// (2) A used connection if there is one, else a new one.
Task<Result<Forward::Carrier>> Forward::connection(Attempt how, Record& record) {
  Endpoint& endpoint = how.endpoint;
  if (cluster_->http2_tasks() != nullptr && !endpoint.h2().http1_only)
    co_return co_await shared_connection(how, record);
  H1Client* client = how.fresh_only ? nullptr : endpoint.pool().take();
  record.reused = client != nullptr;
  if (client != nullptr) co_return Carrier{.h1 = client};
  co_return co_await new_connection(endpoint);
}

// Of HTTP/2. While somebody makes one, the others wait for it.
Task<Result<Forward::Carrier>> Forward::shared_connection(Attempt how, Record& record) {
  H2Pool& pool = how.endpoint.h2();
  for (bool fresh = how.fresh_only;; fresh = false) {
    H2Client* client = fresh ? nullptr : pool.take();
    record.reused = client != nullptr && client->exchanges() != 0;
    if (client != nullptr) co_return Carrier{.h2 = client};
    if (pool.http1_only) co_return co_await connection(how, record);
    const auto others = pool.dial();
    if (others == nullptr) break;
    TRY(co_await others->done.wait());
    if (others->error && others->error->code != Code::cancelled) co_return fail(*others->error);
  }
  const auto dial = pool.begin_dial();
  auto made = co_await new_connection(how.endpoint);
  pool.end_dial(dial, made ? std::nullopt : std::optional<Error>(made.error()));
  co_return made;
}

Task<Result<Forward::Carrier>> Forward::new_connection(Endpoint& endpoint) {
  Pool& pool = endpoint.pool();
  if (pool.full() || endpoint.h2().full())
    co_return fail(Code::overloaded, Side::self,
                   "the endpoint has as many connections as it may have", true);
  const Pool::Place place(pool);
  Context& context = co_await current_context();
  auto stream = co_await cluster_->connect(
      endpoint, after(context.loop.now(), cluster_->limits().connect_max));
  if (!stream) {
    const Error& error = stream.error();
    // That we were called off, or have no descriptor left, says nothing about the endpoint.
    const bool its_fault = error.side == Side::upstream && error.code != Code::cancelled &&
                           !context.cancel.requested();
    if (its_fault) endpoint.connect_failed();
    co_return std::unexpected(error);
  }
  endpoint.connected();
  const H1ClientLimits& limits = cluster_->limits().h1;
  if (!cluster_->speaks_http2(**stream)) {
    endpoint.h2().http1_only = true;
    co_return Carrier{.h1 = &pool.adopt(std::move(*stream), limits)};
  }
  H2Client* const client = endpoint.h2().adopt(std::move(*stream), limits, *cluster_->http2_tasks(),
                                               endpoint.shared_from_this());
  if (client == nullptr) co_return fail(Code::cancelled, Side::self, "the process ends");
  co_return Carrier{.h2 = client};
}

namespace {

// One more in flight, as long as the exchange goes on.
class InFlight final : public H2Client::Held {
 public:
  explicit InFlight(Endpoint& endpoint) : guest_(endpoint) {}

 private:
  Endpoint::Guest guest_;
};

}  // namespace

// (3) Send, and wait for the head of the answer.
Task<Reply> Forward::send(Endpoint& endpoint, Carrier carrier, Request& request, bool& stale) {
  if (carrier.h2 != nullptr)
    co_return co_await H2Client::send(*carrier.h2, std::make_unique<InFlight>(endpoint), request,
                                      request.target.forward, request.headers, stale);
  co_return co_await H1Client::send(endpoint.lend(*carrier.h1), request, request.target.forward,
                                    request.headers, stale);
}

Task<Reply> Forward::attempt(Request& request, Attempt how, bool& stale) {
  Loop& loop = cluster_->loop();
  Record& record = request.record;
  const Carrier carrier = TRY(co_await connection(how, record));
  const Time sent_at = record.connected = loop.now();
  ++record.attempts;
  const bool reused = record.reused;
  auto reply = co_await send(how.endpoint, carrier, request, stale);
  stale = stale && reused;
  // (4) What the endpoint's speed and the log need to know. One that does not answer in time is
  // slow: the others go first from now on. The time in which the client sent is not its.
  const bool silent =
      !reply && reply.error().code == Code::timeout && reply.error().side == Side::upstream;
  if (reply || silent) how.endpoint.answered_in(loop.now() - std::max(sent_at, record.received));
  if (!reply) co_return reply;
  record.answered = loop.now();
  // (5) Fields of this hop end here; the framing is written anew on the other side.
  if (reply->status == 426) reply->upgrade = required_protocol(*reply->headers);
  remove_hop_by_hop(*reply->headers);
  co_return reply;
}

Task<Reply> Forward::call(Request& request) {
  Loop& loop = cluster_->loop();
  request.record.service = cluster_->name();
  const PickKey key = cluster_->key_of(request);
  AnswerClock clock(loop, request, cluster_->limits().answer_max);
  // An endpoint may leave the cluster at any time: those tried are kept until the end.
  EndpointPtr tried[endpoints_tried_max];
  size_t count = 0;
  Circuit::Pass pass;
  bool fresh_only = false;
  Reply reply = fail(Code::unavailable, Side::upstream,
                     cluster_->endpoints().empty() ? "the service has no endpoint"
                                                   : "no endpoint of the service may be used now",
                     true);
  for (;;) {
    // (1) Choose an endpoint.
    if (!fresh_only) {
      Endpoint* next = choose(request, {tried, count}, key);
      if (next == nullptr) co_return reply;
      tried[count++] = next->shared_from_this();
      pass = next->health().pass(loop.now());
    }
    Endpoint& endpoint = *tried[count - 1];
    request.record.endpoint = request.arena.copy(endpoint.name());
    bool stale = false;
    reply = co_await until{clock.trigger(), attempt(request, {endpoint, fresh_only}, stale)};
    const bool again =
        stale && !fresh_only && !has_content(request) && is_idempotent(request.method);
    // That a connection was closed while it idled is no fault.
    if (!again) cluster_->judge(endpoint, std::exchange(pass, {}), reply);
    if (reply) co_return reply;
    Error& error = reply.error();
    if (error.code == Code::cancelled) error.side = Side::client;
    // (6) Nothing was sent: another endpoint may have it.
    const bool elsewhere = may_go_elsewhere(error) && count < endpoints_tried_max;
    if ((!again && !elsewhere) || clock.over()) co_return reply;
    fresh_only = again;
  }
}

}  // namespace banyan
