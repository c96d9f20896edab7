// Router: gives each request to the service of its route (Gateway Routing). Owner: the worker's
// snapshot; the table is shared by all workers, the services are the worker's own. Thread: its
// loop's. It waits for nothing, so it has no coroutine frame: the service's own task is given back.
// What has no route is answered here: 404, or 405 with Allow when only the method did not fit (RFC
// 9110, section 15.5.6). `OPTIONS *` asks about the server itself and gets 204 (section 9.3.7);
// CONNECT wants a tunnel, which a gateway does not have: 501 (section 9.1).
#pragma once
#include "patterns/routing/table.h"
#include "service/service.h"

namespace banyan {

class Router final : public Service {
 public:
  // One service for each route of the table, in its order; none is null.
  Router(std::shared_ptr<const RouteTable> table, std::vector<ServicePtr> services);
  // Sets record.route and route_index, captures, and the target when the route rewrites it.
  Task<Reply> call(Request& request) override;

 private:
  const std::shared_ptr<const RouteTable> table_;
  const std::vector<ServicePtr> services_;
};

}  // namespace banyan
