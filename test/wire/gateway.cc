#include "wire/gateway.h"

#include <fmt/format.h>

#include "patterns/offloading/forwarded.h"
#include "service/respond.h"
#include "upstream/forward.h"

namespace banyan::wire {

namespace {

struct Standard {
  std::string_view key;
  const char* text;
};
constexpr Standard standard[] = {
    {"listeners", "listeners: { web: { address: 10.0.0.1:80 } }\n"},
    {"services", "services: { origin: { endpoints: [http://10.0.0.2:80] } }\n"},
    {"routes", "routes: [ { to: origin } ]\n"},
};

H1Limits limits_of(const OffloadSettings& offload) {
  H1Limits out;
  const LimitSettings s = offload.limits.value_or(LimitSettings{});
  if (s.head) out.head.head_bytes = static_cast<uint32_t>(s.head->bytes);
  if (s.target) out.head.target_bytes = static_cast<uint32_t>(s.target->bytes);
  out.head.fields = s.fields.value_or(out.head.fields);
  if (s.body) out.body.limit_bytes = s.body->bytes;
  if (s.body_rate) out.body.rate_min = static_cast<uint32_t>(s.body_rate->bytes);
  out.body.gap_max = s.body_timeout.value_or(out.body.gap_max);
  out.head_max = s.head_timeout.value_or(out.head_max);
  out.idle_max = s.idle_timeout.value_or(out.idle_max);
  out.send_max = s.send_timeout.value_or(out.send_max);
  out.tunnel_idle_max = s.tunnel_timeout.value_or(out.tunnel_idle_max);
  out.requests_max = s.requests.value_or(out.requests_max);
  const PathSettings paths = offload.paths.value_or(PathSettings{});
  out.path.merge_slashes = paths.merge_slashes.value_or(out.path.merge_slashes);
  out.path.encoded_slash = paths.encoded_slash.value_or(out.path.encoded_slash);
  return out;
}

ClusterLimits cluster_limits_of(const ServiceSettings& s) {
  ClusterLimits out;
  const TimeoutSettings timeout = s.timeout.value_or(TimeoutSettings{});
  out.connect_max = timeout.connect;
  out.answer_max = timeout.request;
  out.h1.body.gap_max = timeout.idle;
  const PoolSettings pool = s.pool.value_or(PoolSettings{});
  out.pool = {.connections_max = pool.connections,
              .idle_max = pool.idle,
              .idle_age_max = pool.idle_age,
              .life_max = pool.life,
              .exchanges_max = pool.requests};
  return out;
}

Address address_of(const EndpointSettings& endpoint) {
  std::string_view url = endpoint.url;
  if (url.starts_with("http://")) url.remove_prefix(7);
  const auto address = parse_address(url);
  CHECK(address.has_value());
  return *address;
}

ServicePtr make_upstream(Context& context, Engine& engine, const Named<ServiceSettings>& named) {
  const ServiceSettings& s = named.value;
  auto cluster =
      std::make_shared<Cluster>(named.name, engine, context.loop,
                                s.balance.value_or(Balance::round_robin), cluster_limits_of(s));
  std::vector<Cluster::Member> members;
  for (const auto& e : s.endpoints) members.push_back({e.url, address_of(e), e.weight});
  cluster->set_members(members);
  return std::make_shared<Forward>(std::move(cluster));
}

class FixedAnswer final : public Service {
 public:
  explicit FixedAnswer(const RespondSettings& settings) : settings_(settings) {}
  Task<Reply> call(Request& request) override {
    co_return make_response(request, settings_.status, "text/plain", settings_.body);
  }

 private:
  const RespondSettings settings_;
};

ServicePtr make_service(Context& context, Engine& engine, const Settings& settings) {
  const RouteEntry& route = settings.routes.front();
  if (route.respond) return std::make_shared<FixedAnswer>(*route.respond);
  for (const auto& named : settings.services)
    if (named.name == route.to) return make_upstream(context, engine, named);
  CHECK(false && "the route's service is not there");
  return nullptr;
}

class StackHandler final : public Handler {
 public:
  StackHandler(const H1Limits& limits, ServicePtr service, Log log)
      : limits_(limits), service_(std::move(service)), log_(std::move(log)) {}
  const H1Limits& limits() const override { return limits_; }
  Task<Reply> call(Request& request) override { return service_->call(request); }
  Response fault(Arena& arena, const Request*, const Error& error) override {
    return respond(arena, error);
  }
  void finished(const Request*, const Address&, const Record& record) override {
    std::string line = record.status != 0 ? std::to_string(record.status) : "no answer";
    if (record.error)
      line += fmt::format(", {} {}: {}", name(record.error->side), name(record.error->code),
                          record.error->what);
    log_(std::move(line));
  }

 private:
  const H1Limits limits_;
  const ServicePtr service_;
  const Log log_;
};

}  // namespace

std::string read_settings(const std::string& text, Settings& out) {
  Problems problems;
  const Sources nothing{.environment = [](const std::string&) { return std::nullopt; },
                        .file = [](const std::string&) { return std::nullopt; },
                        .glob = [](const std::string&) { return std::vector<std::string>(); }};
  std::string whole = text;
  const Node told = parse_yaml(text, "config", nothing, problems);
  for (const Standard& s : standard)
    if (told.find(s.key) == nullptr) whole += s.text;
  const Node node = parse_yaml(whole, "config", nothing, problems);
  fields_of<Settings>().read(node, out, Reading(problems));
  return problems.text();
}

Gateway::Gateway(Context& context, Engine& engine, const Settings& settings, Log log) {
  ServicePtr service = make_service(context, engine, settings);
  const auto forwarded = settings.offload.forwarded.value_or(ForwardedSettings{});
  service = std::make_shared<ForwardedFilter>(std::move(service), forwarded.trust);
  service = std::make_shared<HopFilter>(std::move(service));
  const auto at = parse_address(settings.listeners.front().value.address);
  CHECK(at.has_value());
  auto listener = engine.listen(*at, ListenOptions{});
  CHECK(listener.has_value());
  server_ =
      std::make_unique<Server>(context, std::move(*listener),
                               std::make_shared<StackHandler>(limits_of(settings.offload),
                                                              std::move(service), std::move(log)),
                               connections_);
  server_->start();
}

Task<> Gateway::stop() {
  server_->abort();
  co_await server_->join();
}

}  // namespace banyan::wire
