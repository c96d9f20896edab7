// ServiceHandler, FixedSource and serve_http: a server for tests, around any Service: the edge as
// app/server makes it, without a configuration. Header only, because it needs floors above io.
// Owner: the test; all of it outlives the connections. Thread: one. What was told at the end of
// each exchange is kept, so that a test can say who was blamed.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "http/h1_connection.h"
#include "http/hop.h"
#include "service/respond.h"
#include "service/service.h"
#include "service/tell.h"
#include "sim/run.h"

namespace banyan {

class ServiceHandler final : public Handler {
 public:
  // A Record outlives what its views point to only as this copy.
  struct Finished {
    std::string service;
    std::string endpoint;
    uint16_t status = 0;
    uint16_t attempts = 0;
    bool reused = false;
    std::optional<Error> error;
  };

  explicit ServiceHandler(ServicePtr service, const H1Limits& limits = {})
      : service_(std::move(service)), limits_(limits) {}
  const H1Limits& limits() const override { return limits_; }
  // As every edge does before anything else sees the request.
  Task<Reply> call(Request& request) override {
    remove_hop_by_hop(request.headers);
    auto reply = co_await service_->call(request);
    if (!reply) failed_.push_back(reply.error());
    co_return reply;
  }
  Response fault(Arena& arena, const Request* request, const Error& error) override {
    Response rsp = respond(arena, error);
    if (request != nullptr) tell(request->record, *rsp.headers);
    return rsp;
  }
  void finished(const Request*, const Address&, const Record& r) override {
    finished_.push_back(
        {std::string(r.service), std::string(r.endpoint), r.status, r.attempts, r.reused, r.error});
  }
  const std::vector<Finished>& finished() const { return finished_; }
  // What the service gave instead of answers.
  const std::vector<Error>& failed() const { return failed_; }

 private:
  const ServicePtr service_;
  const H1Limits limits_;
  std::vector<Finished> finished_;
  std::vector<Error> failed_;
};

// The same handler for every exchange, and a clock that stands still.
class FixedSource final : public HandlerSource {
 public:
  static constexpr std::string_view date = "Thu, 01 Jan 2026 00:00:00 GMT";
  explicit FixedSource(std::shared_ptr<Handler> handler) : handler_(std::move(handler)) {}
  std::shared_ptr<Handler> handler() override { return handler_; }
  bool draining() const override { return draining_; }
  std::string_view http_date() override { return date; }
  void drain() { draining_ = true; }

 private:
  std::shared_ptr<Handler> handler_;
  bool draining_ = false;
};

inline Task<> serve_connection(StreamPtr stream, HandlerSource& source) {
  H1Connection connection(std::move(stream), source);
  co_await connection.serve();
}

// Takes clients in and serves them until it is called off. A failed accept is tried again at once:
// in the simulator it fails once.
inline Task<> serve_http(ListenerPtr listener, HandlerSource& source) {
  Context& context = co_await current_context();
  Nursery connections(context);
  while (!context.cancel.requested()) {
    auto client = co_await listener->accept();
    if (!client) continue;
    connections.start([&source, s = std::move(*client)]() mutable {
      return serve_connection(std::move(s), source);
    });
  }
  co_await connections.join();
}

}  // namespace banyan
