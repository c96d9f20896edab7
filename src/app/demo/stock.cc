#include "app/demo/stock.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/demo/answer.h"
#include "app/demo/goods.h"

namespace banyan::demo {

namespace {

constexpr size_t batch_max = 50;
constexpr const char* no_sku = "a SKU is 1 to 16 of A-Z, 0-9 and '-'";

bool is_sku(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-'; };
  return !text.empty() && text.size() <= 16 && std::all_of(text.begin(), text.end(), fits);
}

std::string stock_json(const Variant& v) {
  return fmt::format(R"({{"sku":{},"in_stock":{}}})", json_text(v.sku), v.in_stock);
}

Response one(Request& request, std::string_view sku) {
  if (!is_sku(sku)) return bad_request(request, no_sku);
  const Variant* variant = find_variant(sku);
  if (variant == nullptr) return not_found(request, "no article has this SKU");
  return json(request, stock_json(*variant));
}

Response batch(Request& request) {
  const auto skus = parameter(request.target.query, "skus");
  if (!skus) return bad_request(request, "give /stock/{sku}, or /stock?skus=A,B");
  std::string all;
  std::string_view rest = *skus;
  for (size_t n = 1;; ++n) {
    if (n > batch_max) return bad_request(request, "a batch has at most 50 SKUs");
    const size_t comma = rest.find(',');
    const std::string_view sku = rest.substr(0, comma);
    if (!is_sku(sku)) return bad_request(request, no_sku);
    if (const Variant* v = find_variant(sku)) all += (all.empty() ? "" : ",") + stock_json(*v);
    if (comma == std::string_view::npos) return json(request, "[" + all + "]");
    rest.remove_prefix(comma + 1);
  }
}

Response answer(Request& request) {
  const Segments path(request.target.path);
  if (path[0] != "stock" || path.size() > 2) return not_found(request);
  if (!is_read(request)) return not_allowed(request);
  return path.size() == 2 ? one(request, path[1]) : batch(request);
}

}  // namespace

Task<Reply> Stock::call(Request& request) { co_return answer(request); }

}  // namespace banyan::demo
