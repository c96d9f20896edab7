#include "app/admin.h"

#include <fmt/format.h>

#include "app/compose.h"
#include "app/explain.h"
#include "service/respond.h"

namespace banyan {

namespace {

Response plain(Request& request, uint16_t status, std::string body) {
  Response out = make_response(request, status, "text/plain; charset=utf-8", std::move(body));
  out.headers->add(Name::cache_control, "no-store");
  return out;
}

// A browser says where a request comes from; a page of another origin has no business here.
bool from_another_site(const Request& request) {
  const std::string_view site = request.headers.get("sec-fetch-site");
  if (!site.empty()) return site != "same-origin" && site != "none";
  const std::string_view origin = request.headers.get(Name::origin);
  if (origin.empty()) return false;
  const size_t host = origin.find("://");
  return host == std::string_view::npos || origin.substr(host + 3) != request.authority;
}

// A name that is not ours may be a web site's that points here for the moment (DNS rebinding), and
// to the browser its pages would be of the same origin. An address cannot lie.
bool host_is_ours(const Request& request) {
  std::string_view host = request.host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host.empty() || host == "localhost" || host.ends_with(".localhost") ||
         parse_ip(host, 0).has_value();
}

// In a time that tells nothing of where the two differ.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile unsigned char differs = 0;
  for (size_t i = 0; i < a.size(); ++i) differs = differs | static_cast<unsigned char>(a[i] ^ b[i]);
  return differs == 0;
}

void append_note(std::string& out, const LayerNote& note, bool first) {
  out += first ? "\n      {\"role\": \"" : ",\n      {\"role\": \"";
  append_json_escaped(out, note.role);
  out += "\", \"why\": \"";
  append_json_escaped(out, note.why);
  out += "\"}";
}

void append_stack(std::string& out, std::string_view kind, std::string_view name,
                  const std::vector<LayerNote>& layers) {
  out += out.size() == 1 ? "\n  {\"" : ",\n  {\"";
  out += kind;
  out += "\": \"";
  append_json_escaped(out, name);
  out += "\", \"layers\": [";
  bool first = true;
  for (const LayerNote& note : layers) append_note(out, note, std::exchange(first, false));
  out += "]}";
}

std::string stacks_json(const Model& model) {
  const Settings& settings = model.settings;
  std::string out = "[";
  for (size_t i = 0; i < settings.routes.size(); ++i)
    append_stack(out, "route", model.matches[i].name, describe_route(model, settings.offload, i));
  for (const auto& [name, place, listener] : settings.listeners)
    if (listener.only) append_stack(out, "ambassador", name, describe_entry(model, listener));
  return out + "\n]\n";
}

}  // namespace

struct Admin::Page {
  std::string_view path;
  Method method;
  bool guarded;  // wants the token
  Task<Reply> (Admin::*answer)(Request&);
  std::string_view about;
};

const Admin::Page Admin::pages[] = {
    {"/", Method::get, false, &Admin::index, "this list"},
    {"/healthz", Method::get, false, &Admin::healthz, "200 while the process lives"},
    {"/readyz", Method::get, false, &Admin::readyz,
     "200 while it takes clients, 503 before and while it drains"},
    {"/metrics", Method::get, false, &Admin::metrics, "Prometheus text"},
    {"/config", Method::get, true, &Admin::config, "the running configuration, secrets hidden"},
    {"/stack", Method::get, true, &Admin::stack, "the layers of each route, with their reasons"},
    {"/services", Method::get, true, &Admin::services,
     "the endpoints of each service as each worker sees them, and the breakers"},
    {"/bulkheads", Method::get, true, &Admin::bulkheads,
     "each compartment: its limit, who is in it, waited, and was refused"},
    {"/explain", Method::get, true, &Admin::explain,
     "?method=GET&url=http://host/path&header=name:value: which route wins, and why"},
    {"/reload", Method::post, true, &Admin::reload, "loads the configuration again"},
};

std::string Admin::pages_markdown() {
  std::string out = "| page | what it answers | token |\n|---|---|---|\n";
  for (const Page& page : pages)
    out += fmt::format("| `{} {}` | {} | {} |\n", text(page.method), page.path, page.about,
                       page.guarded ? "wanted" : "");
  return out;
}

Response Admin::fault(Arena& arena, const Request*, const Error& error) {
  return respond(arena, error);
}

bool Admin::allowed(const Request& request) const {
  const ModelPtr& model = process_.reloader().model();
  if (model == nullptr || !model->settings.admin) return true;
  const std::string& token = model->settings.admin->token.text;
  if (token.empty()) return host_is_ours(request);
  const std::string_view given = request.headers.get(Name::authorization);
  constexpr std::string_view scheme = "bearer ";
  return given.size() > scheme.size() && iequal(given.substr(0, scheme.size()), scheme) &&
         same_secret(given.substr(scheme.size()), token);
}

Task<Reply> Admin::call(Request& request) {
  const Page* found = nullptr;
  for (const Page& page : pages)
    if (page.path == request.target.path) found = &page;
  if (found == nullptr)
    co_return respond(request.arena, 404, "there is no such page; / lists them", Side::client);
  const bool fits = request.method == found->method ||
                    (found->method == Method::get && request.method == Method::head);
  if (!fits) {
    auto refused = respond(request.arena, 405, "the page wants another method", Side::client);
    refused.headers->add(Name::allow, found->method == Method::get ? "GET, HEAD" : "POST");
    co_return refused;
  }
  if (found->guarded && !allowed(request)) {
    auto refused = respond(request.arena, 401, "the page wants the admin token", Side::client);
    refused.headers->add(Name::www_authenticate, "Bearer");
    co_return refused;
  }
  if (found->method == Method::post && from_another_site(request))
    co_return respond(request.arena, 403, "the request comes from another site", Side::client);
  co_return co_await (this->*found->answer)(request);
}

Task<Reply> Admin::index(Request& request) {
  std::string out = "Banyan\n\n";
  for (const Page& page : pages)
    out += fmt::format("{:4} {:10} {}\n", text(page.method), page.path, page.about);
  co_return plain(request, 200, std::move(out));
}

Task<Reply> Admin::healthz(Request& request) { co_return plain(request, 200, "ok\n"); }

Task<Reply> Admin::readyz(Request& request) {
  const bool ready = process_.ready();
  co_return plain(request, ready ? 200 : 503, ready ? "ready\n" : "not ready\n");
}

Task<Reply> Admin::metrics(Request& request) {
  co_return make_response(request, 200, "text/plain; version=0.0.4; charset=utf-8",
                          co_await process_.metrics());
}

Task<Reply> Admin::config(Request& request) {
  const ModelPtr model = process_.reloader().model();
  co_return plain(request, 200, model != nullptr ? model->dump : "");
}

Task<Reply> Admin::stack(Request& request) {
  const ModelPtr model = process_.reloader().model();
  co_return make_response(request, 200, "application/json",
                          model != nullptr ? stacks_json(*model) : "[]\n");
}

Task<Reply> Admin::services(Request& request) {
  auto page =
      make_response(request, 200, "application/json", services_json(co_await process_.services()));
  page.headers->add(Name::cache_control, "no-store");
  co_return page;
}

Task<Reply> Admin::bulkheads(Request& request) {
  auto page = make_response(request, 200, "application/json", process_.bulkheads());
  page.headers->add(Name::cache_control, "no-store");
  co_return page;
}

Task<Reply> Admin::explain(Request& request) {
  const ModelPtr model = process_.reloader().model();
  if (model == nullptr) co_return plain(request, 503, "nothing is loaded yet\n");
  auto asked = explain_query(request.target.query);
  if (!asked) co_return plain(request, 400, asked.error() + "\n");
  auto told = banyan::explain(*model, *asked);
  co_return plain(request, told ? 200 : 400, told ? *told : told.error() + "\n");
}

Task<Reply> Admin::reload(Request& request) {
  auto outcome = co_await process_.reloader().reload();
  const std::string head =
      outcome.applied ? fmt::format("applied, generation {}\n", process_.reloader().generation())
                      : "nothing was changed:\n";
  co_return plain(request, outcome.applied ? 200 : 422, head + outcome.text);
}

}  // namespace banyan
