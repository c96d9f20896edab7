// compose: from settings to stacks. Every default order stands here, each layer with the reason for
// its place. Owner: the worker keeps what is built. Thread: its loop's; the layer notes may be
// asked on any.
#pragma once
#include <functional>
#include <map>

#include "app/model.h"
#include "service/stack.h"
#include "upstream/cluster.h"

namespace banyan {

// What stands above the router, outermost first.
std::vector<Layer> edge_layers(const OffloadSettings& offload);
// What stands between the router and the route's service.
std::vector<Layer> route_layers(const Model& model, size_t route);

// Builds services by name, each once, and the stacks of the routes.
class Composer {
 public:
  using ClusterOf = std::function<ClusterPtr(const std::string& name, const ServiceSettings&)>;
  Composer(ModelPtr model, ClusterOf cluster_of);

  // The router over all routes.
  ServicePtr router();
  // The whole of a listener: its edge over the router.
  ServicePtr listener(const OffloadSettings& offload);

 private:
  ServicePtr service(const std::string& name);
  ServicePtr build(const std::string& name, const ServiceSettings& settings);
  ServicePtr route(size_t index);

  const ModelPtr model_;
  const ClusterOf cluster_of_;
  std::map<std::string, const ServiceSettings*, std::less<>> settings_;
  std::map<std::string, ServicePtr, std::less<>> services_;
  ServicePtr router_;
};

// One layer a line for /stack and `banyan explain`, from the listener to the endpoints.
std::vector<LayerNote> describe_route(const Model& model, const OffloadSettings& offload,
                                      size_t route);

}  // namespace banyan
