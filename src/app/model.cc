#include "app/model.h"

#include <algorithm>
#include <unordered_map>

#include "app/call_layers.h"
#include "app/validate.h"
#include "config/manual.h"
#include "patterns/routing/answer.h"
#include "patterns/routing/redirect.h"

namespace banyan {

namespace {

// Names are for logs and metrics: two routes may be alike but for a header, and must not be mixed.
// Names that are given must differ; made ones are numbered.
void name_routes(std::vector<RouteEntry>& routes, Problems& problems) {
  std::unordered_map<std::string, const Place*> given;
  std::unordered_map<std::string, int> made;
  for (size_t i = 0; i < routes.size(); ++i) {
    const RouteEntry& entry = routes[i];
    if (entry.route.name.empty()) continue;
    const auto [first, fresh] = given.emplace(entry.route.name, &entry.place);
    if (!fresh)
      problems.error(entry.place, "routes[" + std::to_string(i) + "].name",
                     "given twice; the first is at " + to_string(*first->second));
  }
  for (RouteEntry& entry : routes) {
    std::string& name = entry.route.name;
    if (!name.empty()) continue;
    const std::string plain = route_name(entry.route);
    do {
      const int n = ++made[plain];
      name = n == 1 ? plain : plain + " #" + std::to_string(n);
    } while (given.contains(name));
  }
}

void compile_routes(Model& model, Problems& problems) {
  std::vector<RouteEntry>& routes = model.settings.routes;
  model.matches.reserve(routes.size());
  model.route_answers.resize(routes.size());
  for (size_t i = 0; i < routes.size(); ++i) {
    RouteEntry& entry = routes[i];
    if (entry.redirect) {
      const auto captures = capture_names(entry.route.match);
      if (auto rule = RedirectRule::compile(*entry.redirect, captures, entry.place, problems))
        model.route_answers[i] = std::make_shared<Redirect>(std::move(*rule));
    } else if (entry.respond) {
      model.route_answers[i] = Answer::make(*entry.respond, entry.place, problems);
    }
    entry.route.place = entry.place;
    model.matches.push_back(std::move(entry.route));
  }
  model.table = RouteTable::build(model.matches, problems);
}

void compile_services(Model& model, Problems& problems) {
  for (auto& [name, place, service] : model.settings.services) {
    if (!service.endpoints.empty()) {
      const std::string path = "services." + name;
      verify_http2(service.endpoints, service.http2, path, problems);
      service.tls_context =
          compile_tls(service.endpoints, service.tls, wants_http2(service.endpoints, service.http2),
                      path, problems);
    }
    if (service.split) {
      if (auto rule = SplitRule::compile(*service.split, problems))
        model.splits.emplace(name, std::move(*rule));
    } else if (service.redirect) {
      if (auto rule =
              RedirectRule::compile(*service.redirect, std::nullopt, service.place, problems))
        model.answers.emplace(name, std::make_shared<Redirect>(std::move(*rule)));
    } else if (service.respond) {
      model.answers.emplace(name, Answer::make(*service.respond, service.place, problems));
    }
  }
}

constexpr Nanoseconds connect_standard = std::chrono::seconds(5);

// Redirected connections are led wherever they were going.
ForwardProxySettings anywhere(const AmbassadorEntry& entry) {
  ForwardProxySettings out;
  out.allow.push_back(AllowedHost::parse("*:*").value());
  for (const char* all : {"0.0.0.0/0", "::/0"}) out.networks.push_back(parse_cidr(all).value());
  out.timeout.connect = entry.connect.value_or(connect_standard);
  return out;
}

void compile_listeners(Model& model, Problems& problems) {
  for (auto& [name, place, listener] : model.settings.listeners) {
    if (!listener.tls) continue;
    TlsContext::Server options;
    const auto http2 = merge(listener.offload, model.settings.offload).http2;
    if (http2.value_or(Http2Settings{}).enabled.value_or(true)) options.protocols = {"h2"};
    options.protocols.push_back("http/1.1");
    for (const CertificateSettings& one : listener.tls->certificates)
      options.identities.push_back({one.cert.text, one.key.text});
    if (listener.tls->client_ca) options.client_ca = listener.tls->client_ca->text;
    // What could not be read was told by the reader.
    const auto unread = [](const TlsContext::Identity& i) {
      return i.cert.empty() || i.key.empty();
    };
    if (options.identities.empty() || std::ranges::any_of(options.identities, unread)) continue;
    auto made = TlsContext::server(options);
    if (made)
      listener.tls_context = std::move(*made);
    else
      problems.error(listener.tls->place, "listeners." + name + ".tls", made.error());
  }
}

// An entry is a listener with one service behind it; an address of raw TCP is a service, too.
void expand_ambassador(Settings& settings) {
  for (const auto& [name, place, entry] : settings.ambassador) {
    const bool raw = !entry.tcp.empty();
    std::string service = raw ? entry.tcp : entry.to;
    if (const std::string url = raw ? tcp_endpoint(entry.tcp) : std::string(); !url.empty()) {
      service = "ambassador " + name;
      ServiceSettings made;
      made.timeout = TimeoutSettings{.connect = entry.connect.value_or(connect_standard)};
      made.endpoints.push_back({.url = url, .weight = 1, .place = entry.place});
      settings.services.push_back({.name = service, .place = place, .value = std::move(made)});
    }
    ListenerSettings made;
    made.address = entry.listen;
    made.connections = entry.connections;
    made.place = entry.place;
    made.only = ListenerSettings::Only{.entry = name,
                                       .service = std::move(service),
                                       .raw = raw || entry.transparent,
                                       .idle = entry.idle,
                                       .proxy = entry.forward_proxy};
    if (entry.transparent) made.only->proxy = anywhere(entry);
    settings.listeners.push_back({.name = name, .place = place, .value = std::move(made)});
  }
}

// Who gives tokens is a service, too.
void expand_token_servers(Settings& settings) {
  std::vector<Named<ServiceSettings>> more;
  for (const auto& [name, place, service] : settings.services) {
    if (!service.credentials || !service.credentials->oauth2) continue;
    const OAuth2Settings& oauth2 = *service.credentials->oauth2;
    const auto url = split_token_url(oauth2.token_url);
    if (!url) continue;  // told by the reader
    ServiceSettings made;
    made.endpoints.push_back({.url = url->endpoint, .weight = 1, .place = oauth2.place});
    made.tls = oauth2.tls;
    made.timeout = TimeoutSettings{.connect = oauth2.timeout, .request = oauth2.timeout};
    made.place = oauth2.place;
    more.push_back({.name = token_service(name), .place = oauth2.place, .value = std::move(made)});
  }
  for (auto& one : more) settings.services.push_back(std::move(one));
}

template <class T>
void prefer(std::optional<T>& nearer, const std::optional<T>& farther) {
  if (!nearer) nearer = farther;
}

void prefer_each(LimitSettings& nearer, const LimitSettings& farther) {
  prefer(nearer.head, farther.head);
  prefer(nearer.target, farther.target);
  prefer(nearer.body, farther.body);
  prefer(nearer.fields, farther.fields);
  prefer(nearer.head_timeout, farther.head_timeout);
  prefer(nearer.body_timeout, farther.body_timeout);
  prefer(nearer.idle_timeout, farther.idle_timeout);
  prefer(nearer.send_timeout, farther.send_timeout);
  prefer(nearer.tunnel_timeout, farther.tunnel_timeout);
  prefer(nearer.body_rate, farther.body_rate);
  prefer(nearer.requests, farther.requests);
}

void prefer_each(PathSettings& nearer, const PathSettings& farther) {
  prefer(nearer.merge_slashes, farther.merge_slashes);
  prefer(nearer.encoded_slash, farther.encoded_slash);
}

void prefer_each(Http2Settings& nearer, const Http2Settings& farther) {
  prefer(nearer.enabled, farther.enabled);
  prefer(nearer.streams, farther.streams);
  prefer(nearer.window, farther.window);
  prefer(nearer.connection_window, farther.connection_window);
}

void prefer_each(HeaderSettings& nearer, const HeaderSettings& farther) {
  prefer(nearer.request, farther.request);
  prefer(nearer.response, farther.response);
}

template <class T>
void merge_block(std::optional<T>& nearer, const std::optional<T>& farther) {
  if (nearer && farther)
    prefer_each(*nearer, *farther);
  else
    prefer(nearer, farther);
}

}  // namespace

OffloadSettings merge(const OffloadSettings& nearer, const OffloadSettings& farther) {
  OffloadSettings out = nearer;
  prefer(out.forwarded, farther.forwarded);
  prefer(out.access_log, farther.access_log);
  merge_block(out.limits, farther.limits);
  merge_block(out.paths, farther.paths);
  merge_block(out.http2, farther.http2);
  merge_block(out.headers, farther.headers);
  prefer(out.request_id, farther.request_id);
  prefer(out.security_headers, farther.security_headers);
  prefer(out.cors, farther.cors);
  prefer(out.ip, farther.ip);
  return out;
}

Loaded load_model(const std::string& path, const Sources& sources) {
  Loaded out;
  const Node root = load_yaml(path, remembering(sources, out.asked), out.problems);
  // Half a tree would only tell of what the other half has.
  if (root.broken) return out;
  auto model = std::make_shared<Model>();
  Settings& settings = model->settings;
  // What could be read is checked further even so: all problems are told at once.
  (void)Value<Settings>::read(root, settings, Reading(out.problems));
  name_routes(settings.routes, out.problems);
  validate(settings, out.problems);
  expand_ambassador(settings);
  expand_token_servers(settings);
  compile_services(*model, out.problems);
  compile_listeners(*model, out.problems);
  compile_routes(*model, out.problems);
  if (out.problems.failed()) return out;
  model->dump = dump_yaml(root);
  out.model = std::move(model);
  return out;
}

}  // namespace banyan
