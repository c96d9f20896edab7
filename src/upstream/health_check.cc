#include "upstream/health_check.h"

#include <algorithm>

#include "http/h2_client.h"
#include "task/combine.h"
#include "upstream/outcome.h"

namespace banyan {

namespace {

constexpr size_t content_max_bytes = 64 * 1024;
constexpr int64_t jitter_part = 10;

Duration jitter(Loop& loop, Duration interval) {
  return Duration(loop.random_below(static_cast<uint64_t>(interval.count() / jitter_part) + 1));
}

// The connection of a check ends with it.
class NoHome final : public H1Home {
 public:
  void give_back(H1Client&, bool) noexcept override {}
};

Task<Result<>> read_content(Body* body) {
  for (size_t bytes = 0; body != nullptr && !body->ended() && bytes < content_max_bytes;) {
    const Bytes piece = TRY(co_await body->read());
    if (piece.empty()) break;
    bytes += piece.size();
  }
  co_return Result<>{};
}

}  // namespace

void HealthChecks::start() {
  cluster_.observe(this);
  members_changed();
}

Task<> HealthChecks::stop() {
  cluster_.observe(nullptr);
  nursery_.cancel();
  co_await nursery_.join();
}

void HealthChecks::members_changed() {
  for (const EndpointPtr& e : cluster_.endpoints()) {
    if (e->health().checked) continue;
    e->health().checked = nursery_.start(
        [this, weak = std::weak_ptr(e)]() mutable { return watch(std::move(weak)); });
  }
}

bool HealthChecks::is_member(const EndpointPtr& endpoint) const {
  return std::ranges::find(cluster_.endpoints(), endpoint) != cluster_.endpoints().end();
}

// Between checks the endpoint is not held: one that left the service is free to go.
Task<> HealthChecks::watch(std::weak_ptr<Endpoint> watched) {
  Loop& loop = cluster_.loop();
  Time next = loop.now() + jitter(loop, settings_.interval);
  while (co_await sleep_until(next)) {
    const EndpointPtr endpoint = watched.lock();
    if (endpoint == nullptr || !is_member(endpoint)) break;
    next = loop.now() + settings_.interval + jitter(loop, settings_.interval);
    co_await check(*endpoint);
  }
  if (const EndpointPtr endpoint = watched.lock()) endpoint->health().checked = false;
}

Task<> HealthChecks::check(Endpoint& endpoint) {
  Context& context = co_await current_context();
  const auto result = co_await within{settings_.timeout, ask(endpoint)};
  if (context.cancel.requested()) co_return;
  if (result)
    endpoint.health().check_passed(context.loop.now());
  else if (result.error().side == Side::upstream)
    endpoint.health().check_failed();
}

Task<Result<>> HealthChecks::ask(Endpoint& endpoint) {
  auto stream = TRY(co_await cluster_.connect(endpoint, never));
  if (settings_.tcp) co_return Result<>{};
  co_return co_await ask_http(endpoint, std::move(stream));
}

Task<Result<>> HealthChecks::ask_http(Endpoint& endpoint, StreamPtr stream) {
  Arena arena;
  Headers headers(arena);
  headers.add(Name::host, endpoint.host_header());
  headers.add(Name::user_agent, "banyan-health");
  Record record;
  const Address nobody;
  Nursery background(co_await current_context());
  Request request{.arena = arena,
                  .headers = headers,
                  .client = nobody,
                  .background = &background,
                  .record = record};
  Result<> result;
  if (cluster_.speaks_http2(*stream))
    result = co_await ask_http2(std::move(stream), request);
  else
    result = co_await ask_http1(std::move(stream), request);
  background.cancel();
  co_await background.join();
  co_return result;
}

Task<Result<>> HealthChecks::ask_http1(StreamPtr stream, Request& request) {
  NoHome home;
  H1ClientLimits limits = cluster_.limits().h1;
  limits.once = true;
  H1Client client(std::move(stream), limits);
  bool silent = false;
  co_return co_await look_at(co_await H1Client::send(H1Lease(client, home), request, settings_.path,
                                                     request.headers, silent));
}

Task<Result<>> HealthChecks::ask_http2(StreamPtr stream, Request& request) {
  H2Client client(std::move(stream), cluster_.loop(), {});
  Nursery serving(co_await current_context());
  serving.start([&client] { return client.serve(); });
  bool silent = false;
  const auto result = co_await look_at(
      co_await H2Client::send(client, nullptr, request, settings_.path, request.headers, silent));
  client.retire();
  serving.cancel();
  co_await serving.join();
  co_return result;
}

Task<Result<>> HealthChecks::look_at(Reply reply) {
  if (!reply) co_return std::unexpected(reply.error());
  if (!settings_.status.contains(reply->status))
    co_return fail(Code::protocol, Side::upstream, "the health check got a bad status");
  co_return co_await read_content(reply->body.get());
}

}  // namespace banyan
