// The goods of the demo's garden shop: products with their variants, sellers, reviews. Constant, so
// that every run answers the same. Owner: none, these are literals. Thread: any.
// Prices are whole cents: money is never a floating-point number.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace banyan::demo {

struct Variant {
  std::string_view sku;
  std::string_view label;
  uint32_t in_stock;
};
struct Product {
  uint32_t id;
  std::string_view name;
  uint32_t price_cents;
  uint32_t seller_id;
  std::span<const Variant> variants;
};
struct Seller {
  uint32_t id;
  std::string_view name;
  std::string_view city;
  uint32_t since;  // year
};
struct Review {
  uint32_t product_id;
  uint32_t stars;  // 1 .. 5
  std::string_view author;
  std::string_view text;
};

std::span<const Product> products();
std::span<const Seller> sellers();
std::span<const Review> reviews();  // newest first

// Null when there is none.
const Product* find_product(uint32_t id);
const Seller* find_seller(uint32_t id);
const Variant* find_variant(std::string_view sku);

}  // namespace banyan::demo
