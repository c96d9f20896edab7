#include "app/demo/sellers.h"

#include <fmt/format.h>

#include "app/demo/answer.h"
#include "app/demo/goods.h"

namespace banyan::demo {

namespace {

Response answer(Request& request) {
  const Segments path(request.target.path);
  if (path[0] != "sellers" || path.size() != 2) return not_found(request);
  if (!is_read(request)) return not_allowed(request);
  const auto id = number(path[1]);
  if (!id) return bad_request(request, "the id of a seller is a whole number");
  const Seller* s = find_seller(*id);
  if (s == nullptr) return not_found(request, "no seller has this id");
  return json(request, fmt::format(R"({{"id":{},"name":{},"city":{},"since":{}}})", s->id,
                                   json_text(s->name), json_text(s->city), s->since));
}

}  // namespace

Task<Reply> Sellers::call(Request& request) { co_return answer(request); }

}  // namespace banyan::demo
