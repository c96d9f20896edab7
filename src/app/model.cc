#include "app/model.h"

#include "app/validate.h"
#include "config/manual.h"

namespace banyan {

namespace {

// The same sources, remembering what was asked for.
Sources remembering(const Sources& sources, std::vector<std::string>& asked) {
  return {.environment = sources.environment,
          .file =
              [&](const std::string& path) {
                asked.push_back(path);
                return sources.file(path);
              },
          .glob =
              [&](const std::string& pattern) {
                asked.push_back(pattern);
                return sources.glob(pattern);
              }};
}

// Names are for logs and metrics: two routes may be alike but for a header, and must not be mixed.
void name_routes(std::vector<RouteEntry>& routes) {
  std::map<std::string, int, std::less<>> seen;
  for (RouteEntry& entry : routes) {
    entry.named = !entry.route.name.empty();
    if (entry.named) seen[entry.route.name] = 1;
  }
  for (RouteEntry& entry : routes) {
    if (entry.named) continue;
    entry.route.name = route_name(entry.route);
    if (const int n = ++seen[entry.route.name]; n > 1)
      entry.route.name += " #" + std::to_string(n);
  }
}

std::unique_ptr<const RouteTable> table_of(std::vector<RouteEntry>& routes, Problems& problems) {
  std::vector<const RouteSettings*> all;
  all.reserve(routes.size());
  for (const RouteEntry& entry : routes) all.push_back(&entry.route);
  return RouteTable::build(all, problems);
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
  return out;
}

Loaded load_model(const std::string& path, const Sources& sources) {
  Loaded out;
  const Node root = load_yaml(path, remembering(sources, out.watched), out.problems);
  auto model = std::make_shared<Model>();
  Settings& settings = model->settings;
  // What could be read is checked further even so: all problems are told at once.
  (void)Value<Settings>::read(root, settings, Reading(out.problems));
  name_routes(settings.routes);
  validate(settings, out.problems);
  model->routes = table_of(settings.routes, out.problems);
  if (out.problems.failed()) return out;
  model->dump = dump_yaml(root);
  out.model = std::move(model);
  return out;
}

}  // namespace banyan
