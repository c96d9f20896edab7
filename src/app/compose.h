// compose: from a model to stacks of services. Every default order stands here, each layer with the
// reason for its place. Owner: the worker keeps what is built. Thread: its loop's; descriptions may
// be asked for on any.
#pragma once
#include <functional>
#include <map>

#include "app/call_layers.h"
#include "app/edge.h"
#include "patterns/ambassador/destinations.h"
#include "service/stack.h"
#include "upstream/cluster.h"

namespace banyan {

// Builds services by name, each once, and the stacks of listeners over one router.
class Composer {
 public:
  // What the worker has; by name: null, it has none.
  struct Upstreams {
    std::function<ClusterPtr(std::string_view service)> cluster;
    std::function<std::shared_ptr<Destinations>(std::string_view entry)> destinations;
    Nursery* tasks = nullptr;  // for what outlives the call that began it
  };
  // What is built shares the model, so it may outlive the composer. The loop outlives it all, and
  // so does what is shared.
  Composer(ModelPtr model, Loop& loop, CallShares& calls, Upstreams upstreams);

  // What the connections of a listener get. `offload` holds for it.
  std::shared_ptr<Handler> edge(const ListenerSettings& listener, const OffloadSettings& offload,
                                ExchangeObserver observer);

 private:
  ServicePtr router();
  ServicePtr route(size_t index);
  ServicePtr service(const std::string& name);
  std::unique_ptr<ConnectionService> raw_service(const ListenerSettings::Only& only);
  ServicePtr everything_to(const ListenerSettings::Only& only, const OffloadSettings& offload);
  ServicePtr forward_proxy(const ListenerSettings::Only& only, const OffloadSettings& offload);
  ServicePtr build(const std::string& name, const ServiceSettings& settings);

  const ModelPtr model_;
  Loop& loop_;
  CallShares& calls_;
  const Upstreams upstreams_;
  std::map<std::string_view, const ServiceSettings*> settings_;
  std::map<std::string, ServicePtr, std::less<>> services_;
  ServicePtr router_;
};

// One layer a line for /stack and `banyan explain`, from the listener to the endpoints.
std::vector<LayerNote> describe_route(const Model& model, const OffloadSettings& offload,
                                      size_t route);

// The same of an ambassador's entry; `listener.only` is there.
std::vector<LayerNote> describe_entry(const Model& model, const ListenerSettings& listener);

}  // namespace banyan
