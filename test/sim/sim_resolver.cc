#include "sim/sim_resolver.h"

#include "task/combine.h"

namespace banyan {

void SimResolver::set(std::string_view name, const std::vector<std::string>& ips, Duration ttl) {
  std::vector<Resolved::Entry> entries;
  for (const auto& ip : ips) {
    const auto address = parse_ip(ip, 0);
    CHECK(address.has_value());
    entries.push_back({.address = *address});
  }
  known_[std::string(name)] = {.answer = in_order(std::move(entries), ttl)};
}

void SimResolver::set_services(std::string_view name, const std::vector<Service>& services,
                               Duration ttl) {
  std::vector<Resolved::Entry> entries;
  for (const auto& s : services) {
    const auto address = parse_address(s.address);
    CHECK(address.has_value());
    entries.push_back({*address, s.priority, s.weight});
  }
  known_[std::string(name)] = {.answer = in_order(std::move(entries), ttl)};
}

void SimResolver::fail(std::string_view name, const char* what) {
  known_[std::string(name)] = {.answer =
                                   banyan::fail(Code::unavailable, Side::upstream, what, true)};
}

void SimResolver::silence(std::string_view name) { known_[std::string(name)].silent = true; }

const std::vector<Time>& SimResolver::asked_at(std::string_view name) const {
  static const std::vector<Time> not_at_all;
  const auto found = asked_.find(name);
  return found == asked_.end() ? not_at_all : found->second;
}

Task<Result<Resolved>> SimResolver::addresses(std::string name, uint16_t port) {
  if (auto known = without_asking(name, port)) co_return std::move(*known);
  auto found = co_await look_up(name);
  if (found)
    for (auto& e : found->entries) e.address.port = port;
  co_return found;
}

Task<Result<Resolved>> SimResolver::services(std::string name) { co_return co_await look_up(name); }

Task<Result<Resolved>> SimResolver::look_up(std::string_view name) {
  asked_[std::string(name)].push_back((co_await current_context()).loop.now());
  question_.set();
  question_.reset();
  ++waiting_;
  auto waited = co_await sleep_for(latency_);
  auto found = known_.find(name);
  if (waited && found != known_.end() && found->second.silent) waited = co_await sleep_until(never);
  --waiting_;
  if (!waited) co_return std::unexpected(waited.error());
  found = known_.find(name);
  if (found == known_.end())
    co_return banyan::fail(Code::unavailable, Side::upstream, "the name has no address", true);
  co_return found->second.answer;
}

}  // namespace banyan
