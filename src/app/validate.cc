#include "app/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "io/address.h"
#include "upstream/locate.h"

namespace banyan {

namespace {

class Validation {
 public:
  Validation(const Settings& settings, Problems& problems)
      : settings_(settings), problems_(problems) {}

  void run() {
    groups();
    services();
    routes();
    listeners();
    admin();
  }

 private:
  void groups() {
    std::unordered_map<std::string_view, const Place*> names;
    for (const auto& group : settings_.bulkheads)
      if (const auto [first, fresh] = names.emplace(group.name, &group.place); !fresh)
        problems_.error(group.place, "bulkheads." + group.name,
                        "given twice; the first is at " + to_string(*first->second));
  }

  void services() {
    for (const auto& service : settings_.services) {
      const std::string path = "services." + service.name;
      const auto [first, fresh] = services_.emplace(service.name, &service);
      if (!fresh)
        problems_.error(service.place, path,
                        "given twice; the first is at " + to_string(first->second->place));
    }
    for (const auto& service : settings_.services) {
      const auto& split = service.value.split;
      if (!split) continue;
      for (const auto& part : split->to)
        wanted_for_http(part.name, part.place, "services." + service.name + ".split.to");
    }
    for (const auto& service : settings_.services) find_circle(service);
    for (const auto& service : settings_.services)
      bulkhead(service.value.bulkhead, "services." + service.name, [&](const std::string& group) {
        for (const auto& part : parts_of(service))
          once(group, part.name, service.value.bulkhead->place);
      });
  }

  // `below` looks for the same group in what the call goes to.
  template <class F>
  void bulkhead(const std::optional<BulkheadUse>& use, const std::string& path, F below) {
    if (!use || use->group.empty()) return;
    const std::string fault = group_fault(*use, settings_.bulkheads);
    if (!fault.empty()) problems_.error(use->place, path + ".bulkhead", fault);
    looked_at_.clear();
    below(use->group);
  }

  // Who has a place in a group and wants another one in it may wait for itself.
  void once(const std::string& group, const std::string& service, const Place& place) {
    const auto found = services_.find(service);
    if (found == services_.end() || !looked_at_.insert(service).second) return;
    const auto& use = found->second->value.bulkhead;
    if (use && use->group == group)
      problems_.error(place, "bulkheads." + group,
                      fmt::format("service '{}', which the call goes on to, has a place in it "
                                  "too: a call would wait for itself",
                                  printable(service)));
    for (const auto& part : parts_of(*found->second)) once(group, part.name, place);
  }

  static std::span<const Named<uint32_t>> parts_of(const Named<ServiceSettings>& service) {
    if (!service.value.split) return {};
    return service.value.split->to;
  }

  void wanted(const std::string& name, const Place& place, const std::string& path) {
    if (services_.contains(name)) return;
    std::vector<std::string_view> known;
    for (const auto& [n, s] : services_) known.push_back(n);
    std::sort(known.begin(), known.end());
    problems_.error(
        place, path,
        fmt::format("there is no service '{}'{}", printable(name), did_you_mean(name, known)));
  }

  void wanted_for_http(const std::string& name, const Place& place, const std::string& path) {
    wanted(name, place, path);
    const auto found = services_.find(name);
    if (found == services_.end()) return;
    for (const EndpointSettings& endpoint : found->second->value.endpoints)
      if (const auto where = locate(endpoint.url); where && !where->http)
        return problems_.error(place, path,
                               fmt::format("service '{}' is not HTTP ({}): only an entry under "
                                           "ambassador, with tcp, can lead to it",
                                           printable(name), printable(endpoint.url)));
  }

  // Depth first over splits. Each service is finished once, so the cost is that of the references.
  void find_circle(const Named<ServiceSettings>& service) {
    if (!service.value.split || done_.contains(service.name)) return;
    if (!open_.insert(service.name).second) {
      problems_.error(service.place, "services." + service.name,
                      "the split leads back to itself; a request would never end");
      done_.insert(service.name);
      return;
    }
    for (const auto& part : service.value.split->to) {
      const auto next = services_.find(part.name);
      if (next != services_.end()) find_circle(*next->second);
    }
    open_.erase(service.name);
    done_.insert(service.name);
  }

  void routes() {
    for (size_t i = 0; i < settings_.routes.size(); ++i) {
      const RouteEntry& entry = settings_.routes[i];
      if (!entry.to.empty())
        wanted_for_http(entry.to, entry.place, fmt::format("routes[{}].to", i));
      bulkhead(entry.bulkhead, fmt::format("routes[{}]", i),
               [&](const std::string& group) { once(group, entry.to, entry.bulkhead->place); });
    }
  }

  void listeners() {
    if (settings_.listeners.empty() && settings_.ambassador.empty())
      problems_.error({}, "listeners",
                      "there is none: nothing would be served; add listeners: { public: :8080 }");
    std::unordered_map<std::string_view, const Place*> names;
    std::unordered_map<std::string, const Place*> addresses;
    for (const auto& listener : settings_.listeners) {
      const std::string path = "listeners." + listener.name;
      if (const auto [first, fresh] = names.emplace(listener.name, &listener.place); !fresh)
        problems_.error(listener.place, path,
                        "given twice; the first is at " + to_string(*first->second));
      taken(listener.value.address, listener.place, path, addresses);
    }
    for (const auto& entry : settings_.ambassador) ambassador(entry, names, addresses);
    if (settings_.admin)
      taken(settings_.admin->address, settings_.admin->place, "admin.address", addresses);
  }

  // Listeners and entries have names of their own.
  void ambassador(const Named<AmbassadorEntry>& entry,
                  std::unordered_map<std::string_view, const Place*>& listeners,
                  std::unordered_map<std::string, const Place*>& addresses) {
    const std::string path = "ambassador." + entry.name;
    const AmbassadorEntry& e = entry.value;
    if (const auto [first, fresh] = listeners.emplace(entry.name, &entry.place); !fresh)
      problems_.error(entry.place, path,
                      "the name is given twice; first at " + to_string(*first->second));
    if (!e.to.empty()) wanted_for_http(e.to, e.place, path + ".to");
    if (!e.tcp.empty() && tcp_endpoint(e.tcp).empty()) has_endpoints(e.tcp, e.place, path + ".tcp");
    if (e.forward_proxy) forward_proxy(*e.forward_proxy, e, path + ".forward_proxy");
    taken(e.listen, e.place, path, addresses);
  }

  void forward_proxy(const ForwardProxySettings& proxy, const AmbassadorEntry& entry,
                     const std::string& path) {
    for (const auto& [host, place, service] : proxy.services)
      wanted_for_http(service, place, path + ".services." + host);
    const auto address = parse_address(entry.listen);
    const bool local =
        !address || address->family == Address::Family::unix_path || is_loopback(*address);
    const bool open = std::ranges::any_of(proxy.allow, &AllowedHost::is_everything);
    if (open && !local)
      problems_.error(proxy.place, path + ".allow",
                      "'*' on an address that others reach is an open proxy; listen on loopback or "
                      "a Unix socket, or name the hosts");
  }

  void has_endpoints(const std::string& name, const Place& place, const std::string& path) {
    wanted(name, place, path);
    const auto found = services_.find(name);
    if (found != services_.end() && found->second->value.endpoints.empty())
      problems_.error(place, path,
                      fmt::format("service '{}' has no endpoints to connect to", printable(name)));
  }

  // Port 0 is a fresh port each time.
  void taken(const std::string& text, const Place& place, const std::string& path,
             std::unordered_map<std::string, const Place*>& addresses) {
    const auto address = parse_address(text);
    if (!address || (address->family != Address::Family::unix_path && address->port == 0)) return;
    const auto [first, fresh] = addresses.emplace(to_string(*address), &place);
    if (!fresh)
      problems_.error(place, path,
                      "the address is wanted twice; first at " + to_string(*first->second));
  }

  void admin() {
    if (!settings_.admin || !settings_.admin->token.text.empty()) return;
    const auto address = parse_address(settings_.admin->address);
    if (!address || address->family == Address::Family::unix_path || is_loopback(*address)) return;
    problems_.error(
        settings_.admin->place, "admin.token",
        "is needed when the address is not loopback: whoever reaches it could read the "
        "configuration and reload; give admin: { address: ..., token: { file: path } }");
  }

  const Settings& settings_;
  Problems& problems_;
  std::unordered_map<std::string_view, const Named<ServiceSettings>*> services_;
  std::unordered_set<std::string_view> open_, done_, looked_at_;
};

}  // namespace

void validate(const Settings& settings, Problems& problems) {
  Validation(settings, problems).run();
}

}  // namespace banyan
