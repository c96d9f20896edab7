#include "app/demo/goods.h"

#include <algorithm>

namespace banyan::demo {

namespace {

constexpr Variant banyan_tree[] = {
    {"BAN-S", "sapling, 40 cm", 31}, {"BAN-M", "young, 1 m", 9}, {"BAN-L", "with roots, 2 m", 2}};
constexpr Variant olive_tree[] = {{"OLV-S", "60 cm", 44}, {"OLV-L", "old stem, 1.5 m", 3}};
constexpr Variant bonsai_pine[] = {{"BON-5", "5 years", 12}, {"BON-12", "12 years", 1}};
constexpr Variant maple[] = {{"MPL-R", "red", 17}, {"MPL-G", "green", 0}};
constexpr Variant lemon_tree[] = {{"LEM-S", "in a pot, 80 cm", 25}};
constexpr Variant shears[] = {{"SHR-R", "right-handed", 120}, {"SHR-L", "left-handed", 35}};
constexpr Variant watering_can[] = {{"CAN-5", "5 litres", 60}, {"CAN-10", "10 litres", 48}};
constexpr Variant potting_soil[] = {{"SOIL-20", "20 litres", 400}, {"SOIL-70", "70 litres", 150}};

constexpr Product all_products[] = {
    {1, "Banyan fig", 3450, 1, banyan_tree},
    {2, "Olive tree", 5900, 1, olive_tree},
    {3, "Bonsai pine \"Kuro\"", 12900, 2, bonsai_pine},
    {4, "Japanese maple", 4200, 2, maple},
    {5, "Lemon tree", 3800, 1, lemon_tree},
    {6, "Pruning shears", 2790, 3, shears},
    {7, "Watering can", 1950, 3, watering_can},
    {8, "Potting soil", 899, 3, potting_soil},
};

constexpr Seller all_sellers[] = {
    {1, "Southern Trees", "Valencia", 1987},
    {2, "Kuro Bonsai", "Düsseldorf", 2004},
    {3, "Green & Sons", "Leeds", 1921},
};

constexpr Review all_reviews[] = {
    {1, 5, "Maya", "Three months, and it already lets down its first roots."},
    {1, 4, "Jonas", "Healthy tree, the box was a little wet."},
    {1, 5, "Priya", "Like the one in front of my grandmother's house."},
    {1, 2, "Tom", "It is eating my living room."},
    {1, 5, "Ines", "Loves the light of the staircase."},
    {1, 3, "Karl", "Smaller than in the picture."},
    {2, 5, "Elena", "Flowers after the second winter."},
    {2, 4, "Sam", "Well packed."},
    {3, 5, "Haru", "A master's work."},
    {4, 5, "Anna", "In October it is a fire."},
    {4, 1, "Piet", "The slugs were faster than I was."},
    {5, 4, "Giulia", "Eleven lemons in the first year."},
    {6, 5, "Ruth", "At last a pair for left hands."},
    {6, 4, "Ben", "Sharp. Mind your thumb."},
    {7, 3, "Olga", "Drips, like every can."},
    {8, 5, "Femi", "My tomatoes say thank you."},
};

template <class T>
const T* find(std::span<const T> all, uint32_t id) {
  const auto at = std::find_if(all.begin(), all.end(), [id](const T& one) { return one.id == id; });
  return at == all.end() ? nullptr : &*at;
}

}  // namespace

std::span<const Product> products() { return all_products; }
std::span<const Seller> sellers() { return all_sellers; }
std::span<const Review> reviews() { return all_reviews; }

const Product* find_product(uint32_t id) { return find(products(), id); }
const Seller* find_seller(uint32_t id) { return find(sellers(), id); }

const Variant* find_variant(std::string_view sku) {
  for (const Product& product : products())
    for (const Variant& variant : product.variants)
      if (variant.sku == sku) return &variant;
  return nullptr;
}

}  // namespace banyan::demo
