#include "app/demo/catalog.h"

#include <fmt/format.h>

#include "app/demo/answer.h"
#include "app/demo/goods.h"

namespace banyan::demo {

namespace {

std::string variants_json(const Product& product) {
  std::string out;
  for (const Variant& v : product.variants)
    out += fmt::format(R"({}{{"sku":{},"label":{}}})", out.empty() ? "" : ",", json_text(v.sku),
                       json_text(v.label));
  return "[" + out + "]";
}

std::string product_json(const Product& p, uint32_t version) {
  return fmt::format(
      R"({{"id":{},"name":{},"price":{}.{:02},"currency":"EUR","seller_id":{},"variants":{}{}}})",
      p.id, json_text(p.name), p.price_cents / 100, p.price_cents % 100, p.seller_id,
      variants_json(p), version >= 3 ? fmt::format(R"(,"version":{})", version) : "");
}

}  // namespace

Task<Reply> Catalog::call(Request& request) { co_return answer(request); }

Response Catalog::answer(Request& request) const {
  const Segments path(request.target.path);
  if (path[0] != "products" || path.size() > 2) return not_found(request);
  if (!is_read(request)) return not_allowed(request);
  return path.size() == 1 ? list(request) : one(request, path[1]);
}

Response Catalog::list(Request& request) const {
  std::string all;
  for (const Product& p : products()) {
    if (!all.empty()) all += ',';
    all += product_json(p, version_);
  }
  return json(request, "[" + all + "]");
}

Response Catalog::one(Request& request, std::string_view id) const {
  const auto wanted = number(id);
  if (!wanted) return bad_request(request, "the id of a product is a whole number");
  const Product* product = find_product(*wanted);
  if (product == nullptr) return not_found(request, "no product has this id");
  return json(request, product_json(*product, version_));
}

}  // namespace banyan::demo
