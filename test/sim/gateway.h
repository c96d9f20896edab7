// SimGateway: the whole gateway in the simulator, composed from a model as a worker composes it
// (app/worker): clusters, stacks, edges, servers, and versions that follow each other. Header only,
// because it needs the floors above io. Owner: the test's run; stop() is awaited before it ends.
// Thread: one. Lifetime: engine and resolver outlive it. Every version has the same listeners.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "app/bulkheads.h"
#include "app/clusters.h"
#include "app/compose.h"
#include "app/edge.h"
#include "app/server.h"
#include "task/combine.h"

namespace banyan {

// A configuration that is one text and nothing else.
inline Loaded load_text(const std::string& text) {
  const Sources only = {.environment = [](const std::string&) { return std::nullopt; },
                        .file = [&text](const std::string& path) -> std::optional<std::string> {
                          if (path != "config") return std::nullopt;
                          return text;
                        },
                        .glob = [](const std::string&) { return std::vector<std::string>(); }};
  return load_model("config", only);
}

class SimGateway {
 public:
  // The last word on an exchange; `request` is null when its head could not be read.
  using Finished = std::function<void(const Request* request, const Record& record)>;
  // `calls` are the process's, when several workers have the same; null: its own.
  SimGateway(Context& context, Engine& engine, Resolver& resolver, Finished finished,
             CallShares* calls = nullptr)
      : context_(context),
        engine_(engine),
        resolver_(resolver),
        finished_(std::move(finished)),
        calls_(calls != nullptr ? *calls : own_calls_),
        retiring_(context),
        tasks_(context) {}

  // Serves this version from now on; the first one opens the listeners.
  Task<> use(ModelPtr model) {
    auto next = std::make_unique<Version>(*this, std::move(model));
    co_await next->clusters.ready(std::chrono::seconds(2));
    set_budgets(next->model->settings, calls_.retries);
    set_bulkheads(*next->model, calls_.compartments, context_.loop);
    take(*next);
    auto old = std::exchange(now_, std::move(next));
    if (old != nullptr)
      retiring_.start([this, o = std::move(old)]() mutable { return retire(std::move(o)); });
  }
  Server& server(size_t listener = 0) { return *servers_[listener]; }
  const SharedLimit& connections(size_t listener = 0) const { return *limits_[listener]; }
  CallShares& calls() { return calls_; }
  std::map<std::string, ClusterStatus> services() const {
    return now_->clusters.status(context_.loop.now());
  }
  ClusterPtr cluster(std::string_view name) const { return now_->clusters.find(name); }

  // Calls everything off.
  Task<> stop() {
    for (auto& server : servers_) server->abort();
    co_await join();
  }
  // Waits for what drains.
  Task<> join() {
    for (auto& server : servers_) co_await server->join();
    co_await retiring_.join();
    tasks_.cancel();
    co_await tasks_.join();
    if (now_ != nullptr) co_await now_->clusters.retire(nullptr);
  }

 private:
  // An edge whose last words the test hears too.
  class ToldEdge final : public Handler {
   public:
    ToldEdge(std::shared_ptr<Handler> edge, Finished& finished)
        : edge_(std::move(edge)), finished_(finished) {}
    const std::shared_ptr<const TlsContext>& tls() const override { return edge_->tls(); }
    ConnectionService* connections() override { return edge_->connections(); }
    const H1Limits& limits() const override { return edge_->limits(); }
    Task<Reply> call(Request& request) override { return edge_->call(request); }
    Response fault(Arena& arena, const Request* request, const Error& error) override {
      return edge_->fault(arena, request, error);
    }
    void finished(const Request* request, const Address& client, const Record& record) override {
      edge_->finished(request, client, record);
      finished_(request, record);
    }

   private:
    const std::shared_ptr<Handler> edge_;
    Finished& finished_;
  };

  struct Version {
    Version(SimGateway& gateway, ModelPtr from)
        : model(std::move(from)),
          clusters(gateway.context_, gateway.engine_, gateway.resolver_, model->settings,
                   gateway.now_ != nullptr ? &gateway.now_->clusters : nullptr, gateway.tasks_) {
      Composer composer(
          model, gateway.context_.loop, gateway.calls_,
          {[this](std::string_view name) { return clusters.find(name); },
           [this](std::string_view name) { return clusters.destinations(name); }, &gateway.tasks_});
      for (const auto& listener : model->settings.listeners) {
        const OffloadSettings offload = merge(listener.value.offload, model->settings.offload);
        auto observer = gateway.observers_.observer(0, model->settings, listener.name, offload,
                                                    gateway.context_.loop);
        CHECK(observer.has_value());
        handlers.push_back(std::make_shared<ToldEdge>(
            composer.edge(listener.value, offload, std::move(*observer)), gateway.finished_));
      }
    }
    const ModelPtr model;
    Clusters clusters;
    std::vector<std::shared_ptr<Handler>> handlers;
  };

  void take(const Version& version) {
    const auto& listeners = version.model->settings.listeners;
    for (size_t i = 0; i < listeners.size(); ++i) {
      if (i < servers_.size()) {
        limits_[i]->set_limit(listeners[i].value.connections);
        servers_[i]->set_handler(version.handlers[i]);
        continue;
      }
      auto opened = engine_.listen(*parse_address(listeners[i].value.address), ListenOptions{});
      CHECK(opened.has_value());
      limits_.push_back(std::make_unique<SharedLimit>(listeners[i].value.connections));
      servers_.push_back(std::make_unique<Server>(context_, std::move(*opened), version.handlers[i],
                                                  *limits_.back()));
      servers_.back()->start();
    }
  }
  Task<> retire(std::unique_ptr<Version> old) { co_await old->clusters.retire(&now_->clusters); }

  Context& context_;
  Engine& engine_;
  Resolver& resolver_;
  Finished finished_;
  CallShares own_calls_;
  CallShares& calls_;
  Observers observers_{1, "test", [](const std::string&) {}};
  std::vector<std::unique_ptr<SharedLimit>> limits_;  // of each listener
  std::unique_ptr<Version> now_;
  std::vector<std::unique_ptr<Server>> servers_;
  Nursery retiring_;
  Nursery tasks_;
};

}  // namespace banyan
