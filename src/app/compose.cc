#include "app/compose.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/bulkheads.h"
#include "app/tcp_edge.h"
#include "patterns/ambassador/forward_proxy.h"
#include "patterns/ambassador/transparent.h"
#include "patterns/offloading/forwarded.h"
#include "patterns/offloading/request_id.h"
#include "patterns/routing/router.h"
#include "upstream/forward.h"

namespace banyan {

namespace {

// What is written on every answer, and its layer.
struct EditLayer {
  std::string_view role;
  std::string why;
  std::shared_ptr<const AnswerEdit> edit;
};

// Outermost first: that has the last word.
std::vector<EditLayer> edit_layers(const OffloadSettings& offload) {
  std::vector<EditLayer> out;
  if (offload.request_id.value_or(false))
    out.push_back({"request id", "above all that may answer: every answer has it",
                   std::make_shared<RequestIdEdit>()});
  if (offload.headers && offload.headers->response)
    out.push_back({"response headers",
                   "above other edits of answers: the configuration has the "
                   "last word",
                   std::make_shared<ResponseHeaderEdit>(*offload.headers->response)});
  const auto& security = offload.security_headers;
  if (security && security->enabled)
    out.push_back({"security headers", "above what answers: added where a service is silent",
                   std::make_shared<SecurityHeaderEdit>(*security)});
  if (offload.cors)
    out.push_back({"cors", "above what answers: what a service says of it is replaced",
                   std::make_shared<CorsEdit>(std::make_shared<CorsPolicy>(*offload.cors))});
  return out;
}

AnswerEdits edits_of(const OffloadSettings& offload) {
  AnswerEdits out;
  for (EditLayer& layer : edit_layers(offload)) out.push_back(std::move(layer.edit));
  std::ranges::reverse(out);
  return out;
}

// Policies that decide before anything is routed, outermost first. `loop`: null only where layers
// are described.
std::vector<Layer> policy_layers(const OffloadSettings& offload, Loop* loop) {
  const auto trust = offload.forwarded.value_or(ForwardedSettings{}).trust;
  std::vector<Layer> out;
  if (offload.request_id.value_or(false))
    out.push_back({.role = "request id",
                   .why = "above what refuses: refused requests have a name, too",
                   .wrap = [trust, loop](ServicePtr next) {
                     return std::make_shared<RequestIdFilter>(std::move(next), trust, *loop);
                   }});
  for (EditLayer& layer : edit_layers(offload))
    out.push_back({.role = layer.role,
                   .why = std::move(layer.why),
                   .wrap = [edit = std::move(layer.edit)](ServicePtr next) {
                     return std::make_shared<AnswerFilter>(std::move(next), edit);
                   }});
  if (offload.ip)
    out.push_back({.role = "ip rules",
                   .why = "above all that costs, and above what rewrites X-Forwarded-For",
                   .wrap = [trust, rules = IpRules(*offload.ip)](ServicePtr next) {
                     return std::make_shared<IpFilter>(std::move(next), rules, trust);
                   }});
  if (offload.cors)
    out.push_back({.role = "preflight",
                   .why = "below who may come at all; above the router: no service sees one",
                   .wrap = [cors = *offload.cors](ServicePtr next) {
                     return std::make_shared<CorsFilter>(std::move(next),
                                                         std::make_shared<CorsPolicy>(cors));
                   }});
  return out;
}

// What stands above the router, outermost first.
std::vector<Layer> edge_layers(const OffloadSettings& offload, Loop* loop) {
  const auto trust = offload.forwarded.value_or(ForwardedSettings{}).trust;
  std::vector<Layer> out;
  out.push_back(
      {.role = "hop-by-hop",
       .why = "above everything: what speaks of the client's own connection must not be "
              "seen, or believed, by any other layer",
       .wrap = [](ServicePtr next) { return std::make_shared<HopFilter>(std::move(next)); }});
  for (Layer& layer : policy_layers(offload, loop)) out.push_back(std::move(layer));
  out.push_back({.role = "forwarded",
                 .why = "above the router: a forged X-Forwarded-* is gone before a route can match "
                        "on it",
                 .wrap = [trust](ServicePtr next) {
                   return std::make_shared<ForwardedFilter>(std::move(next), trust);
                 }});
  if (offload.headers && offload.headers->request)
    out.push_back({.role = "request headers",
                   .why = "below what the gateway says of the client: the configuration has the "
                          "last word; above the router, which can match on it",
                   .wrap = [edits = *offload.headers->request](ServicePtr next) {
                     return std::make_shared<RequestHeaderFilter>(std::move(next), edits);
                   }});
  return out;
}

// What stands between a route and the endpoints of a service, outermost first.
std::vector<Layer> service_layers(const ServiceSettings& settings, const BulkheadGroups& groups,
                                  const CallParts& calls) {
  std::vector<Layer> out;
  if (!settings.endpoints.empty()) out = caller_layers(settings, calls);
  if (settings.bulkhead)
    out.push_back(bulkhead_layer(BulkheadOf::service, calls.service, *settings.bulkhead, groups,
                                 calls.shares != nullptr ? &calls.shares->compartments : nullptr));
  if (settings.endpoints.empty()) return out;
  for (Layer& layer : attempt_layers(settings, calls)) out.push_back(std::move(layer));
  return out;
}

// What belongs to one route, outermost first.
std::vector<Layer> route_layers(const Model& model, size_t route, Compartments* compartments) {
  std::vector<Layer> out;
  if (const auto& use = model.settings.routes[route].bulkhead)
    out.push_back(bulkhead_layer(BulkheadOf::route, model.matches[route].name, *use,
                                 model.settings.bulkheads, compartments));
  return out;
}

const ServiceSettings* settings_of(const Model& model, std::string_view name) {
  const auto& all = model.settings.services;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& service) { return service.name == name; });
  return found != all.end() ? &found->value : nullptr;
}

std::string endpoints_text(const ServiceSettings& settings) {
  std::string out;
  for (const EndpointSettings& endpoint : settings.endpoints)
    out += (out.empty() ? "" : ", ") + endpoint.url;
  return out;
}

std::string split_text(const SplitSettings& split) {
  std::string out;
  for (const auto& part : split.to)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", part.name, part.value);
  if (!split.cohort.empty()) out += "; a user stays, known by " + split.cohort;
  return out;
}

std::string proxy_text(const ForwardProxySettings& proxy) {
  std::string out = "innermost: connects to the host that the client names, if it is one of: ";
  out += Value<std::vector<AllowedHost>>::text(proxy.allow);
  for (const auto& [host, place, name] : proxy.services)
    out += fmt::format("{}{} (service {})", out.ends_with(' ') ? "" : ", ", host, name);
  return out;
}

// Who is chosen, and who is left out.
std::string use_text(const UseSettings& use) {
  std::string out = Value<Balance>::text(use.balance.method);
  if (!use.balance.hash.empty()) out = "by " + use.balance.hash + "; without it " + out;
  if (use.shard) out += fmt::format("; of the {} of its {}", use.shard->size, use.shard->by);
  if (use.health) out += "; not when checks find it bad";
  if (use.eject) out += "; not when it is ejected";
  if (use.breaker && use.breaker->scope != BreakerScope::service)
    out += "; not when its breaker is open";
  return out;
}

// validate() has refused circles, so it ends.
void describe_service(const Model& model, std::string_view name, std::vector<LayerNote>& out) {
  const ServiceSettings* settings = settings_of(model, name);
  if (settings == nullptr) return;
  const std::string role = fmt::format("service {}", name);
  for (LayerNote& note : describe(service_layers(*settings, model.settings.bulkheads, {name})))
    out.push_back(std::move(note));
  if (settings->split) {
    out.push_back({role, "shares requests by weight: " + split_text(*settings->split)});
    for (const auto& part : settings->split->to) describe_service(model, part.name, out);
  } else if (settings->redirect) {
    out.push_back({role, fmt::format("redirects to {}", settings->redirect->to)});
  } else if (settings->respond) {
    out.push_back({role, fmt::format("answers {} itself", settings->respond->status)});
  } else {
    out.push_back({role, fmt::format("innermost: sends to one of {} ({})",
                                     endpoints_text(*settings), use_text(settings->use))});
  }
}

}  // namespace

Composer::Composer(ModelPtr model, Loop& loop, CallShares& calls, Upstreams upstreams)
    : model_(std::move(model)), loop_(loop), calls_(calls), upstreams_(std::move(upstreams)) {
  for (const auto& [name, place, settings] : model_->settings.services)
    settings_.emplace(name, &settings);
}

std::shared_ptr<Handler> Composer::edge(const ListenerSettings& listener,
                                        const OffloadSettings& offload, ExchangeObserver observer) {
  const auto& only = listener.only;
  if (only && only->raw)
    return std::make_shared<TcpEdge>(model_, raw_service(*only), std::move(observer));
  return std::make_shared<Edge>(
      model_, listener.tls_context, offload,
      only ? everything_to(*only, offload) : stack(edge_layers(offload, &loop_), router()),
      edits_of(offload), std::move(observer));
}

std::unique_ptr<ConnectionService> Composer::raw_service(const ListenerSettings::Only& only) {
  if (only.proxy)
    return std::make_unique<TransparentProxy>(upstreams_.destinations(only.entry), only.idle);
  return std::make_unique<TcpProxy>(upstreams_.cluster(only.service), only.idle);
}

ServicePtr Composer::everything_to(const ListenerSettings::Only& only,
                                   const OffloadSettings& offload) {
  if (only.proxy) return forward_proxy(only, offload);
  return stack(edge_layers(offload, &loop_), service(only.service));
}

ServicePtr Composer::forward_proxy(const ListenerSettings::Only& only,
                                   const OffloadSettings& offload) {
  std::vector<Layer> layers = edge_layers(offload, &loop_);
  const Layer hop = std::move(layers.front());
  layers.erase(layers.begin());
  ForwardProxy::KnownHosts known;
  for (const auto& [host, place, name] : only.proxy->services) {
    std::string lowered(host);
    std::ranges::transform(lowered, lowered.begin(), lower);
    known.emplace(std::move(lowered),
                  ForwardProxy::Known{stack(layers, service(name)), upstreams_.cluster(name)});
  }
  return hop.wrap(
      std::make_shared<ForwardProxy>(upstreams_.destinations(only.entry), std::move(known)));
}

ServicePtr Composer::router() {
  if (router_ != nullptr) return router_;
  std::vector<ServicePtr> services;
  services.reserve(model_->settings.routes.size());
  for (size_t i = 0; i < model_->settings.routes.size(); ++i) services.push_back(route(i));
  router_ = std::make_shared<Router>(std::shared_ptr<const RouteTable>(model_, model_->table.get()),
                                     std::move(services));
  return router_;
}

ServicePtr Composer::route(size_t index) {
  const ServicePtr& answer = model_->route_answers[index];
  if (answer != nullptr) return answer;
  const RouteEntry& entry = model_->settings.routes[index];
  return stack(route_layers(*model_, index, &calls_.compartments), service(entry.to));
}

// A split may name a service that is not built yet: depth first, each once.
ServicePtr Composer::service(const std::string& name) {
  if (const auto found = services_.find(name); found != services_.end()) return found->second;
  ServicePtr built = build(name, *settings_.at(name));
  services_.emplace(name, built);
  return built;
}

ServicePtr Composer::build(const std::string& name, const ServiceSettings& settings) {
  if (const auto answer = model_->answers.find(name); answer != model_->answers.end())
    return answer->second;
  CallParts calls{name, &calls_, &loop_, upstreams_.tasks, nullptr};
  if (settings.credentials && settings.credentials->oauth2)
    calls.token_server = service(token_service(name));
  const auto layers = service_layers(settings, model_->settings.bulkheads, calls);
  if (const auto rule = model_->splits.find(name); rule != model_->splits.end()) {
    std::vector<ServicePtr> parts;
    for (const auto& part : settings.split->to) parts.push_back(service(part.name));
    return stack(layers, std::make_shared<Split>(rule->second, std::move(parts), loop_));
  }
  return stack(layers, std::make_shared<Forward>(upstreams_.cluster(name)));
}

std::vector<LayerNote> describe_route(const Model& model, const OffloadSettings& offload,
                                      size_t route) {
  std::vector<LayerNote> out = describe(edge_layers(offload, nullptr));
  const RouteEntry& entry = model.settings.routes[route];
  const RouteSettings& match = model.matches[route];
  out.push_back(
      {"router", fmt::format("route '{}': above what belongs to one route{}{}", match.name,
                             match.rewrite.empty() ? "" : "; the service sees ", match.rewrite)});
  if (entry.redirect)
    out.push_back({"redirect", "sends the client to " + entry.redirect->to});
  else if (entry.respond)
    out.push_back({"respond", fmt::format("answers {} itself", entry.respond->status)});
  else {
    for (LayerNote& note : describe(route_layers(model, route, nullptr)))
      out.push_back(std::move(note));
    describe_service(model, entry.to, out);
  }
  return out;
}

std::vector<LayerNote> describe_entry(const Model& model, const ListenerSettings& listener) {
  const ListenerSettings::Only& only = *listener.only;
  if (only.raw)
    return {{only.proxy ? std::string("transparent") : fmt::format("service {}", only.service),
             fmt::format("all there is: bytes to and from {}, until nobody says anything for {}",
                         only.proxy ? "where the connection was going" : "one of its endpoints",
                         to_text(only.idle))}};
  std::vector<LayerNote> out =
      describe(edge_layers(merge(listener.offload, model.settings.offload), nullptr));
  if (!only.proxy) {
    describe_service(model, only.service, out);
    return out;
  }
  out.resize(1);
  out.push_back({"forward proxy", proxy_text(*only.proxy)});
  for (const auto& [host, place, name] : only.proxy->services) describe_service(model, name, out);
  return out;
}

}  // namespace banyan
