// Edge: what a listener's connections ask, on one worker, for one version of the configuration:
// limits, the stack that answers, the answer for a fault, and the last word on an exchange (log,
// metrics). Owner: the server and the exchanges that began with it. Thread: its loop's. Lifetime:
// it holds the model, the stacks and all names that records point to.
#pragma once
#include "app/model.h"
#include "app/observer.h"
#include "http/handler.h"
#include "service/service.h"

namespace banyan {

H1Limits limits_of(const OffloadSettings& offload);

class Edge final : public Handler {
 public:
  // `tls`: null for connections in the clear. `edits`: of the answers to faults, in their order.
  Edge(ModelPtr model, std::shared_ptr<const TlsContext> tls, const OffloadSettings& offload,
       ServicePtr service, AnswerEdits edits, ExchangeObserver observer)
      : model_(std::move(model)),
        tls_(std::move(tls)),
        limits_(limits_of(offload)),
        service_(std::move(service)),
        edits_(std::move(edits)),
        observer_(std::move(observer)) {}

  const std::shared_ptr<const TlsContext>& tls() const override { return tls_; }
  const H1Limits& limits() const override { return limits_; }
  Task<Reply> call(Request& request) override { return service_->call(request); }
  Response fault(Arena& arena, const Request* request, const Error& error) override;
  void finished(const Request* request, const Address& client, const Record& record) override {
    observer_.finished(request, client, record);
  }

 private:
  const ModelPtr model_;
  const std::shared_ptr<const TlsContext> tls_;
  const H1Limits limits_;
  const ServicePtr service_;
  const AnswerEdits edits_;
  ExchangeObserver observer_;
};

}  // namespace banyan
