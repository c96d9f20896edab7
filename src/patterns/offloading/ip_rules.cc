#include "patterns/offloading/ip_rules.h"

#include <algorithm>
#include <map>

namespace banyan {

namespace {

constexpr int hops_max = 64;

Ip masked(Ip ip, uint8_t bits) {
  for (size_t i = 0; i < ip.size(); ++i) {
    const int left = bits - static_cast<int>(8 * i);
    if (left >= 8) continue;
    ip[i] = left <= 0 ? uint8_t{0} : static_cast<uint8_t>(ip[i] & (0xff << (8 - left)));
  }
  return ip;
}

bool is_in(const std::vector<Cidr>& networks, const Ip& ip) {
  return std::ranges::any_of(networks, [&](const Cidr& network) { return network.contains(ip); });
}

// The last member of the list, which is taken off.
std::string_view take_last(std::string_view& list) {
  const size_t comma = list.rfind(',');
  const std::string_view last = comma == list.npos ? list : list.substr(comma + 1);
  list = comma == list.npos ? std::string_view{} : list.substr(0, comma);
  return trim(last);
}

Task<Reply> refuse() {
  co_return fail({Code::protocol, Side::client, false, 403, "the client's address is not allowed"});
}

}  // namespace

void declare(Fields<IpSettings>& f) {
  f.about("ip",
          "Which clients are served, by address. The most specific network decides; an address "
          "that none holds is served unless `allow` names some. Others get 403.");
  f.field("allow", &IpSettings::allow, "Networks: 10.0.0.0/8, fd00::/8, or one address.");
  f.field("deny", &IpSettings::deny, "Networks that are not served.");
  f.verify([](const IpSettings& s, const Node& node, const Reading& at) {
    for (const Cidr& network : s.allow)
      if (std::ranges::find(s.deny, network) != s.deny.end())
        at.error(node.place, to_string(network) + " is both allowed and denied");
  });
}

IpRules::IpRules(const IpSettings& settings) : others_(settings.allow.empty()) {
  add(settings.allow, true);
  add(settings.deny, false);
  std::ranges::sort(levels_, std::greater{}, &Level::bits);
  for (Level& level : levels_) std::ranges::sort(level.networks);
}

void IpRules::add(const std::vector<Cidr>& networks, bool allowed) {
  for (const Cidr& network : networks) {
    auto level = std::ranges::find(levels_, network.bits, &Level::bits);
    if (level == levels_.end()) level = levels_.insert(level, {network.bits, {}});
    level->networks.emplace_back(network.network, allowed);
  }
}

bool IpRules::allows(const Ip& ip) const {
  for (const Level& level : levels_) {
    const Ip network = masked(ip, level.bits);
    const auto found =
        std::ranges::lower_bound(level.networks, network, {}, &std::pair<Ip, bool>::first);
    if (found != level.networks.end() && found->first == network) return found->second;
  }
  return others_;
}

std::optional<Ip> real_client(const Request& request, const std::vector<Cidr>& trust) {
  if (request.client.family == Address::Family::unix_path) return std::nullopt;
  Ip client = request.client.ip;
  if (!is_in(trust, client)) return client;
  std::string_view lists[8];
  size_t count = 0;
  for (const Field& field : request.headers)
    if (field.id == Name::x_forwarded_for && count < std::size(lists)) lists[count++] = field.value;
  int hops = 0;
  while (count != 0) {
    std::string_view& list = lists[count - 1];
    if (list.empty()) {
      --count;
      continue;
    }
    const auto hop = parse_ip_bytes(take_last(list));
    // What cannot be read was not written by anybody who is trusted.
    if (!hop || ++hops > hops_max) return client;
    client = *hop;
    if (!is_in(trust, client)) return client;
  }
  return client;
}

Task<Reply> IpFilter::call(Request& request) {
  const auto client = real_client(request, trust_);
  if (client && !rules_.allows(*client)) return refuse();
  return next->call(request);
}

}  // namespace banyan
