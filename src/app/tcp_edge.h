// TcpEdge: what the connections of a listener that is no HTTP get, on one worker, for one version
// of the configuration: their service, and the last word (log, metrics). Owner: the server and the
// connections that began with it. Thread: its loop's. Lifetime: it holds the names that records
// point to.
#pragma once
#include "app/edge.h"
#include "patterns/ambassador/tcp_proxy.h"

namespace banyan {

class TcpEdge final : public Handler {
 public:
  TcpEdge(ModelPtr model, std::unique_ptr<ConnectionService> service, ExchangeObserver observer)
      : model_(std::move(model)), service_(std::move(service)), observer_(std::move(observer)) {}

  ConnectionService* connections() override { return service_.get(); }
  void finished(const Request* request, const Address& client, const Record& record) override {
    observer_.finished(request, client, record);
  }
  // No request is ever read.
  const H1Limits& limits() const override { return limits_; }
  Task<Reply> call(Request&) override {
    co_return fail(Code::bug, Side::self, "a listener of raw TCP has no requests");
  }
  Response fault(Arena& arena, const Request*, const Error& error) override;

 private:
  const ModelPtr model_;
  const std::unique_ptr<ConnectionService> service_;
  const H1Limits limits_;
  ExchangeObserver observer_;
};

}  // namespace banyan
