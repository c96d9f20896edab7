#include "io/resolve.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace banyan {

namespace {

// "localhost" and every name below it, with a final dot or without (RFC 6761, section 6.3).
bool is_localhost(std::string_view name) {
  constexpr std::string_view localhost = "localhost";
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() < localhost.size()) return false;
  const size_t above = name.size() - localhost.size();
  return iequal(name.substr(above), localhost) && (above == 0 || name[above - 1] == '.');
}

auto place_of(const Resolved::Entry& e) {
  return std::tie(e.priority, e.address.family, e.address.ip, e.address.port);
}
auto order_of(const Resolved::Entry& e) { return std::tuple_cat(place_of(e), std::tie(e.weight)); }

}  // namespace

Resolved in_order(std::vector<Resolved::Entry> entries, Duration ttl) {
  std::ranges::sort(entries, {}, order_of);
  const auto twice = std::ranges::unique(entries, {}, place_of);
  entries.erase(twice.begin(), twice.end());
  if (entries.size() > resolved_max) entries.resize(resolved_max);
  return {.entries = std::move(entries), .ttl = std::clamp(ttl, ttl_min, ttl_max)};
}

std::optional<Resolved> without_asking(std::string_view name, uint16_t port) {
  if (auto numeric = parse_ip(name, port)) return in_order({{.address = *numeric}}, ttl_max);
  if (!is_localhost(name)) return std::nullopt;
  return in_order({{.address = *parse_ip("127.0.0.1", port)}, {.address = *parse_ip("::1", port)}},
                  ttl_max);
}

}  // namespace banyan
