// compose: from a model to stacks of services. Every default order stands here, each layer with the
// reason for its place. Owner: the worker keeps what is built. Thread: its loop's; descriptions may
// be asked for on any.
#pragma once
#include <functional>
#include <map>

#include "app/call_layers.h"
#include "app/model.h"
#include "service/stack.h"
#include "upstream/cluster.h"

namespace banyan {

// Builds services by name, each once, and the stacks of listeners over one router.
class Composer {
 public:
  using ClusterOf = std::function<ClusterPtr(std::string_view name)>;
  // What is built shares the model, so it may outlive the composer. The loop outlives it all, and
  // so does what is shared.
  Composer(ModelPtr model, Loop& loop, CallShares& calls, ClusterOf cluster_of);

  // All that a listener's requests pass.
  ServicePtr listener(const OffloadSettings& offload);

 private:
  ServicePtr router();
  ServicePtr route(size_t index);
  ServicePtr service(const std::string& name);
  ServicePtr build(const std::string& name, const ServiceSettings& settings);

  const ModelPtr model_;
  Loop& loop_;
  CallShares& calls_;
  const ClusterOf cluster_of_;
  std::map<std::string_view, const ServiceSettings*> settings_;
  std::map<std::string, ServicePtr, std::less<>> services_;
  ServicePtr router_;
};

// One layer a line for /stack and `banyan explain`, from the listener to the endpoints.
std::vector<LayerNote> describe_route(const Model& model, const OffloadSettings& offload,
                                      size_t route);

}  // namespace banyan
