#include "app/demo/reviews.h"

#include <fmt/format.h>

#include "app/demo/answer.h"
#include "app/demo/goods.h"

namespace banyan::demo {

namespace {

constexpr uint32_t limit_standard = 10;
constexpr uint32_t limit_max = 50;

// nullopt: it is out of bounds, or no number.
std::optional<uint32_t> read_limit(std::string_view query) {
  const auto text = parameter(query, "limit");
  if (!text) return limit_standard;
  const auto limit = number(*text);
  return limit && *limit >= 1 && *limit <= limit_max ? limit : std::nullopt;
}

std::string newest(uint32_t product_id, uint32_t limit) {
  std::string out;
  for (const Review& r : reviews()) {
    if (r.product_id != product_id || limit == 0) continue;
    --limit;
    out += fmt::format(R"({}{{"stars":{},"author":{},"text":{}}})", out.empty() ? "" : ",", r.stars,
                       json_text(r.author), json_text(r.text));
  }
  return "[" + out + "]";
}

Response answer(Request& request) {
  const Segments path(request.target.path);
  if (path[0] != "products" || path[2] != "reviews" || path.size() != 3) return not_found(request);
  if (!is_read(request)) return not_allowed(request);
  const auto id = number(path[1]);
  if (!id) return bad_request(request, "the id of a product is a whole number");
  const auto limit = read_limit(request.target.query);
  if (!limit) return bad_request(request, "limit is a whole number from 1 to 50");
  if (find_product(*id) == nullptr) return not_found(request, "no product has this id");
  return json(request, newest(*id, *limit));
}

}  // namespace

Task<Reply> Reviews::call(Request& request) { co_return answer(request); }

}  // namespace banyan::demo
