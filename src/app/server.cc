#include "app/server.h"

#include <time.h>

#include "http/h2_connection.h"
#include "io/tls_stream.h"
#include "task/combine.h"

namespace banyan {

namespace {

// After the kernel had no descriptor or memory left: time for others to give some back.
constexpr Duration accept_pause = std::chrono::milliseconds(100);
// A client whose connection the kernel accepted before the listener closed would be reset. No new
// ones come once it has turned away; this long is for those whose handshake is on its way.
constexpr Duration last_clients = std::chrono::milliseconds(100);

}  // namespace

Server::Server(Context& context, ListenerPtr listener, std::shared_ptr<Handler> first,
               SharedLimit& connections)
    : loop_(context.loop),
      listener_(std::move(listener)),
      local_(listener_->local()),
      handler_(std::move(first)),
      limit_(connections),
      accepting_(context),
      closing_(context),
      connections_(context) {}

void Server::start() {
  accepting_.start([this] { return accept_clients(); });
}

Task<> Server::accept_clients() {
  const Cancel& called_off = (co_await current_context()).cancel;
  for (;;) {
    auto client = co_await listener_->accept();
    if (!client) {
      // Whatever an accept failed with: only who calls us off ends the service.
      if (called_off.requested()) break;
      if (!co_await sleep_for(accept_pause)) break;
      continue;
    }
    auto token = limit_.try_acquire();
    if (!token) {
      ++counts_.refused;
      continue;
    }
    ++counts_.accepted;
    connections_.start([this, s = std::move(*client), t = std::move(*token)]() mutable {
      return serve(std::move(s));
    });
  }
  listener_.reset();
}

void Server::drain() {
  if (std::exchange(draining_, true)) return;
  if (listener_ != nullptr) listener_->turn_away();
  closing_.start([this] { return stop_accepting(); });
  for (ServerConnection* c = open_.front(); c != nullptr; c = open_.after(*c)) c->drain();
}

Task<> Server::stop_accepting() {
  (void)co_await sleep_for(last_clients);
  accepting_.cancel();
}

void Server::abort() {
  if (listener_ != nullptr) listener_->turn_away();
  accepting_.cancel();
  connections_.cancel();
}

Task<> Server::join() {
  co_await closing_.join();
  co_await accepting_.join();
  co_await connections_.join();
}

Task<> Server::serve_raw(Stream& stream, Handler& handler) {
  ++counts_.active;
  Arena arena;
  Record record;
  record.started = loop_.now();
  co_await handler.connections()->serve(stream, arena, record);
  record.ended = loop_.now();
  handler.finished(nullptr, stream.peer(), record);
  --counts_.active;
}

// With TLS over it, where the listener has that. One that does not manage it is told to the log.
Task<Result<StreamPtr>> Server::secured(StreamPtr stream) {
  const auto handler = handler_;
  if (handler->tls() == nullptr) co_return stream;
  const Address client = stream->peer();
  Record record;
  record.started = loop_.now();
  auto out = co_await tls_accept(std::move(stream), handler->tls(),
                                 after(loop_.now(), handler->limits().head_max));
  if (out) co_return out;
  record.blame(out.error());
  record.ended = loop_.now();
  handler->finished(nullptr, client, record);
  co_return out;
}

Task<> Server::serve(StreamPtr accepted) {
  auto ready = co_await secured(std::move(accepted));
  if (!ready) co_return;
  StreamPtr stream = std::move(*ready);
  // It is kept to the end of the connection, whatever the next version says.
  if (const auto first = handler_; first->connections() != nullptr)
    co_return co_await serve_raw(*stream, *first);
  ++counts_.active;
  if (stream->protocol() == "h2") {
    H2Connection connection(std::move(stream), *this, loop_);
    co_await serve(connection);
  } else {
    co_await serve_http1(std::move(stream));
  }
  --counts_.active;
}

Task<> Server::serve(ServerConnection& connection) {
  open_.push_back(connection);
  co_await connection.serve();
}

// Without TLS a client that knows may begin with HTTP/2 (RFC 9113, section 3.3).
Task<> Server::serve_http1(StreamPtr stream) {
  H1Connection connection(std::move(stream), *this);
  co_await serve(connection);
  if (!connection.found_http2()) co_return;
  H2Connection next(connection.give_stream(), connection.give_buffer(), *this, loop_);
  co_await serve(next);
}

void Server::close_idle() {
  for (ServerConnection* c = open_.front(); c != nullptr; c = open_.after(*c)) c->close_if_idle();
}

std::string_view Server::http_date() {
  const auto second =
      std::chrono::duration_cast<std::chrono::seconds>(loop_.wall().time_since_epoch()).count();
  if (second != date_second_) {
    date_second_ = second;
    const time_t at = second;
    tm parts;
    gmtime_r(&at, &parts);
    strftime(date_, sizeof date_, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return {date_, 29};
}

}  // namespace banyan
