#include "app/settings.h"

#include <array>

#include "io/address.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

std::string address_fault(const std::string& text) {
  if (parse_address(text)) return {};
  return "'" + printable(text) +
         "' is no address; write 0.0.0.0:8080, [::1]:8080, :8080 (all), or "
         "unix:/path/to.sock";
}

// Words of a service that say how its endpoints are used.
void refuse_upstream_words(const Node& node, const Reading& at) {
  for (const Entry& entry : node.entries)
    if (entry.key == "timeout" || entry.key == "pool" || entry.key == "tls" ||
        entry.key == "http2" || entry.key == "credentials" || entry.key == "quota" ||
        is_use_word(entry.key))
      Reading(at, entry.key).error(entry.place, "goes with endpoints, which are missing");
}

}  // namespace

void declare(Fields<AdminSettings>& f) {
  f.about("admin",
          "Where Banyan itself is asked: `/healthz` `/readyz` `/metrics` `/config` `/stack` "
          "`/services` `/explain`, and `POST /reload`.");
  f.field("address", &AdminSettings::address, "host:port or unix:/path.", check(address_fault));
  f.field("token", &AdminSettings::token,
          "What changes state wants it as `Authorization: Bearer`. Needed when the address is not "
          "loopback.");
  f.shorthand("address");
}

void declare(Fields<LimitSettings>& f) {
  f.about("limits", "Bounds on what a client may send, and how slowly.");
  f.field("head", &LimitSettings::head,
          "Request line and fields together; else 431. Standard 32KiB.", between(kib(1), mib(1)));
  f.field("target", &LimitSettings::target, "Of the request line; else 414. Standard 8KiB.",
          between(Size{64}, kib(512)));
  f.field("fields", &LimitSettings::fields, "Number of fields; else 431. Standard 100.",
          between<uint16_t>(8, 10'000));
  f.field("body", &LimitSettings::body, "A request's content; else 413. Standard 10MiB.");
  f.field("head_timeout", &LimitSettings::head_timeout,
          "From a request's first byte to the end of its head; else 408. Standard 10s.",
          between(10ms, 1h));
  f.field("body_timeout", &LimitSettings::body_timeout,
          "Of silence within a request's content; else 408. Standard 30s.", between(10ms, 24h));
  f.field("body_rate", &LimitSettings::body_rate,
          "A client that sends its content, or takes its answer, slower than this a second is cut "
          "off; 0: any. Standard 240.");
  f.field("idle_timeout", &LimitSettings::idle_timeout,
          "Between two requests of a connection. Standard 60s.", between(10ms, 24h));
  f.field("send_timeout", &LimitSettings::send_timeout,
          "A client that takes nothing of its answer for so long is cut off. Standard 60s.",
          between(10ms, 24h));
  f.field("tunnel_timeout", &LimitSettings::tunnel_timeout,
          "Of silence in an upgraded connection (WebSocket). Standard 1h.", between(10ms, 240h));
  f.field("requests", &LimitSettings::requests,
          "A connection carries at most so many. Standard 100000.",
          between<uint32_t>(1, UINT32_MAX));
}

void declare(Fields<ForwardedSettings>& f) {
  f.about("forwarded", "What the next hop is told about the client (X-Forwarded-*, Forwarded).");
  f.field("trust", &ForwardedSettings::trust,
          "Networks whose own forwarded fields are believed and added to; those of all others are "
          "replaced.");
}

void declare(Fields<PathSettings>& f) {
  f.about("paths", "How paths are brought into one form before routing; upstreams get that form.");
  f.field("merge_slashes", &PathSettings::merge_slashes, "`//` becomes `/`. Standard true.");
  f.field("encoded_slash", &PathSettings::encoded_slash,
          "An escaped slash or backslash (%2F, %5C): kept as it is, or refused with 400. "
          "Standard keep.");
}

void declare(Fields<AccessLogSettings>& f) {
  f.about("access_log", "One JSON object a line for each exchange.");
  f.field("path", &AccessLogSettings::path, "A file, or `-` for standard output.");
  f.field("query", &AccessLogSettings::query, "Log the query too; it often holds secrets.");
  f.shorthand("path");
}

void declare(Fields<OffloadSettings>& f) {
  f.about(
      "offload",
      "What the gateway does once for all services. On the top level or a listener; the nearest "
      "one wins, key by key.");
  f.field("forwarded", &OffloadSettings::forwarded, "Whose word about the client is believed.");
  f.field("limits", &OffloadSettings::limits, "Bounds on requests.");
  f.field("paths", &OffloadSettings::paths, "Normalisation of paths.");
  f.field("http2", &OffloadSettings::http2, "HTTP/2 to clients.");
  f.field("request_id", &OffloadSettings::request_id,
          "X-Request-Id for every request: towards the service, in the answer, in the access log. "
          "Made here (UUIDv7), unless a peer in `forwarded.trust` gives one. Standard false.");
  f.field("headers", &OffloadSettings::headers, "Edits of fields.");
  f.field("security_headers", &OffloadSettings::security_headers, "Off when not given.");
  f.field("cors", &OffloadSettings::cors, "Off when not given.");
  f.field("ip", &OffloadSettings::ip, "Which clients are served, by address.");
  f.field("access_log", &OffloadSettings::access_log, "Off when not given.");
}

void declare(Fields<ListenerSettings>& f) {
  f.about("listener", "An address where clients are served.");
  f.field("address", &ListenerSettings::address, "host:port, :port (all addresses), or unix:/path.",
          required, check(address_fault));
  f.field("connections", &ListenerSettings::connections,
          "At most so many clients at once, exactly, over all workers; one more is closed at once.",
          between<uint32_t>(1, 10'000'000));
  f.field("backlog", &ListenerSettings::backlog,
          "Connections the kernel holds before they are taken.", between<uint32_t>(1, 65535));
  f.field("threads", &ListenerSettings::threads,
          "So many workers of its own, which serve nothing else: what its clients cost is taken "
          "from nobody else's CPU, pools and connections. Fixed from the start of the process.",
          between<uint32_t>(1, 64));
  f.field("tls", &ListenerSettings::tls, "To its clients. Without it they speak in the clear.");
  f.field("offload", &ListenerSettings::offload, "For this listener.");
  f.shorthand("address");
}

void declare(Fields<ServiceSettings>& f) {
  f.about(
      "service",
      "Everything that can answer. Exactly one of `endpoints`, `split`, `redirect`, `respond`.");
  f.field("endpoints", &ServiceSettings::endpoints, "An upstream service: where it is.");
  declare_use(f, &ServiceSettings::use);
  f.field("timeout", &ServiceSettings::timeout, "With `endpoints`.");
  f.field("pool", &ServiceSettings::pool, "With `endpoints`.");
  f.field("tls", &ServiceSettings::tls,
          "With `endpoints`. Endpoints that are `https://` have it without being told.");
  f.field("http2", &ServiceSettings::http2,
          "With `endpoints`. HTTP/2 to all of them: over TLS to those that choose it (ALPN), else "
          "without asking, as to `h2c://`, which has it without being told. Needed for gRPC.");
  f.field("credentials", &ServiceSettings::credentials,
          "With `endpoints`. When not given the service sees what the caller sends.");
  f.field("quota", &ServiceSettings::quota, "With `endpoints`. Off when not given.");
  f.field("retry", &ServiceSettings::retry, "With `endpoints`. Off when not given.");
  f.field("hedge", &ServiceSettings::hedge, "With `endpoints`. Off when not given.");
  f.field("deadline", &ServiceSettings::deadline, "With `endpoints`. Off when not given.");
  f.field("context", &ServiceSettings::context,
          "With `endpoints`. When not given nothing is believed, and nothing told.");
  f.field("bulkhead", &ServiceSettings::bulkhead,
          "With `endpoints` or `split`. Off when not given.");
  f.field("split", &ServiceSettings::split, "Shares requests between other services.");
  f.field("redirect", &ServiceSettings::redirect, "Sends the client elsewhere.");
  f.field("respond", &ServiceSettings::respond, "A fixed answer.");
  f.verify([](const ServiceSettings& s, const Node& node, const Reading& at) {
    const int kinds =
        !s.endpoints.empty() + s.split.has_value() + s.redirect.has_value() + s.respond.has_value();
    if (kinds != 1)
      at.error(node.place, "wants exactly one of endpoints, split, redirect, respond; it has " +
                               std::to_string(kinds));
    if (kinds == 1 && s.endpoints.empty()) refuse_upstream_words(node, at);
    if (!s.endpoints.empty()) verify_use(s.use, fixed_endpoints(s.endpoints).size(), node, at);
    if (kinds == 1 && s.endpoints.empty() && (s.retry || s.hedge || s.deadline || s.context))
      at.error(node.place, "retry, hedge, deadline and context go with endpoints");
    if ((s.redirect || s.respond) && s.bulkhead)
      at.error(node.place, "bulkhead goes with endpoints or split: other answers take no room");
  });
}

void declare(Fields<RouteEntry>& f) {
  f.about(
      "route",
      "Which service answers. The most specific match wins, whatever the order: exact host, "
      "wildcard, none; then literal path, parameter, rest, regex; then methods; then the number "
      "of other conditions. Exactly one of `to`, `redirect`, `respond`.");
  f.field(
      "name", [](RouteEntry& r) -> std::string& { return r.route.name; },
      "For logs and metrics; made from the match when not given.");
  f.field(
      "match", [](RouteEntry& r) -> MatchSettings& { return r.route.match; },
      "Which requests; without it, all.");
  f.field("to", &RouteEntry::to, "The name of a service.");
  f.field(
      "rewrite", [](RouteEntry& r) -> std::string& { return r.route.rewrite; },
      "The path that the service sees: `/v2/{id}`, with captures of the match. With a `?` it "
      "replaces the query too.");
  f.field("bulkhead", &RouteEntry::bulkhead, "With `to`. Off when not given.");
  f.field("redirect", &RouteEntry::redirect, "Sends the client elsewhere.");
  f.field("respond", &RouteEntry::respond, "A fixed answer.");
  f.verify([](const RouteEntry& r, const Node& node, const Reading& at) {
    const int targets = !r.to.empty() + r.redirect.has_value() + r.respond.has_value();
    if (targets != 1)
      at.error(node.place,
               "wants exactly one of to, redirect, respond; it has " + std::to_string(targets));
    if (targets == 1 && r.to.empty() && !r.route.rewrite.empty())
      at.error(node.place, "rewrite goes with to");
    if (targets == 1 && r.to.empty() && r.bulkhead)
      at.error(node.place, "bulkhead goes with to: other answers take no room");
  });
}

void declare(Fields<ShutdownSettings>& f) {
  f.about("shutdown", "The end of the process (SIGTERM, SIGINT).");
  f.field("grace", &ShutdownSettings::grace,
          "Exchanges under way may take so long to finish; a second signal ends them at once.",
          between(0ns, 24h));
}

void declare(Fields<LogSettings>& f) {
  f.about("log", "What the process says of itself, on standard error.");
  f.field("level", &LogSettings::level, "From this level on.");
  f.shorthand("level");
}

void declare(Fields<Settings>& f) {
  f.about("configuration",
          "The file as a whole. Durations `250ms` `2s` `1m30s`, sizes `64KiB`, percentages `20%`; "
          "`${VAR}` and `${VAR:-default}` come from the environment; `include: path/*.yaml` joins "
          "other files in.");
  f.field("version", &Settings::version, "Of this format.", between<uint32_t>(1, 1));
  f.field("workers", &Settings::workers,
          "Threads that serve the listeners without `threads` of their own; standard: one a core.",
          between<uint32_t>(1, 256));
  f.field(
      "engine", &Settings::engine,
      "How the kernel is asked: `auto` is io_uring where it is permitted and 6.1 or later, else "
      "epoll.");
  f.field("admin", &Settings::admin, "Off when not given.");
  f.field("listeners", &Settings::listeners, "Where clients are served, by name.");
  f.field("services", &Settings::services, "Everything that can answer, by name.");
  f.field("routes", &Settings::routes, "Which service answers which request.");
  f.field("ambassador", &Settings::ambassador,
          "Local addresses for what an application beside it wants to reach, by name.");
  f.field("bulkheads", &Settings::bulkheads,
          "Bulkheads by name, each for all services and routes that name it, together.");
  f.field("offload", &Settings::offload, "For all listeners.");
  f.field("shutdown", &Settings::shutdown, "How the process ends.");
  f.field("log", &Settings::log, "What the process says of itself.");
}

std::span<const std::string_view> words_of(EngineChoice) {
  static constexpr std::array<std::string_view, 3> words = {"auto", "epoll", "io_uring"};
  return words;
}

std::span<const std::string_view> words_of(LogLevel) {
  static constexpr std::array<std::string_view, 4> words = {"debug", "info", "warning", "error"};
  return words;
}

std::span<const std::string_view> words_of(PathRules::EncodedSlash) {
  static constexpr std::array<std::string_view, 2> words = {"keep", "refuse"};
  return words;
}

}  // namespace banyan
