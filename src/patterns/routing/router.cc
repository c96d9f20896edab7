#include "patterns/routing/router.h"

#include <algorithm>

#include "service/respond.h"

namespace banyan {

namespace {

Task<Reply> give(Reply reply) { co_return reply; }

Response refusal(Request& request, std::string_view allow) {
  if (request.method == Method::connect)
    return respond(request.arena, 501, "there are no tunnels here", Side::client);
  if (allow.empty())
    return respond(request.arena, 404, "no route is for this host and path", Side::client);
  Response rsp =
      respond(request.arena, 405, "no route here is for this method; see Allow", Side::client);
  rsp.headers->add(Name::allow, allow);
  return rsp;
}

}  // namespace

Router::Router(std::shared_ptr<const RouteTable> table, std::vector<ServicePtr> services)
    : table_(std::move(table)), services_(std::move(services)) {
  CHECK(services_.size() == table_->size());
  CHECK(std::none_of(services_.begin(), services_.end(),
                     [](const ServicePtr& service) { return service == nullptr; }));
}

Task<Reply> Router::call(Request& request) {
  if (request.target.form == Target::Form::asterisk) return give(make_response(request, 204));
  const RouteTable::Found found = table_->find(request);
  if (!found) return give(refusal(request, found.allow));
  const CompiledRoute& route = table_->route(found.route);
  request.record.route = route.name;
  request.record.route_index = found.route + 1;
  request.captures = found.captures;
  if (route.rewrite) {
    auto target = route.rewrite->apply(request);
    if (!target) return give(std::unexpected(target.error()));
    request.record.path = request.target.path;
    request.target = *target;
  }
  return services_[found.route]->call(request);
}

}  // namespace banyan
