// The configuration file as structures: what a user writes, one to one. Each is declared once
// (settings.cc); the reader, the manual and the JSON Schema come from there. Owner: the model
// (app/model.h). Thread: any (read only).
#pragma once
#include "http/uri.h"
#include "io/native_engine.h"
#include "patterns/ambassador/credentials_settings.h"
#include "patterns/ambassador/entry.h"
#include "patterns/ambassador/quota_settings.h"
#include "patterns/ambassador/settings.h"
#include "patterns/bulkhead/settings.h"
#include "patterns/offloading/cors.h"
#include "patterns/offloading/header_edits.h"
#include "patterns/offloading/http2_settings.h"
#include "patterns/offloading/ip_rules.h"
#include "patterns/offloading/security_headers.h"
#include "patterns/offloading/tls_settings.h"
#include "patterns/routing/settings.h"
#include "upstream/settings.h"
#include "upstream/tls_settings.h"

namespace banyan {

struct AdminSettings {
  std::string address = "127.0.0.1:9901";
  Secret token;
  Place place;
};

// ---- offload: on the top level or a listener; the nearest one wins, key by key.
struct LimitSettings {
  std::optional<Size> head, target, body;
  std::optional<uint16_t> fields;
  std::optional<Nanoseconds> head_timeout, body_timeout, idle_timeout, send_timeout, tunnel_timeout;
  std::optional<Size> body_rate;
  std::optional<uint32_t> requests;
};
struct ForwardedSettings {
  std::vector<Cidr> trust;
};
struct PathSettings {
  std::optional<bool> merge_slashes;
  std::optional<PathRules::EncodedSlash> encoded_slash;
};
struct AccessLogSettings {
  std::string path = "-";
  bool query = false;
};
struct OffloadSettings {
  std::optional<ForwardedSettings> forwarded;
  std::optional<LimitSettings> limits;
  std::optional<PathSettings> paths;
  std::optional<Http2Settings> http2;
  std::optional<bool> request_id;
  std::optional<HeaderSettings> headers;
  std::optional<SecurityHeaderSettings> security_headers;
  std::optional<CorsSettings> cors;
  std::optional<IpSettings> ip;
  std::optional<AccessLogSettings> access_log;
};

struct ListenerSettings {
  std::string address;
  uint32_t connections = 10'000;
  uint32_t backlog = 4096;
  std::optional<uint32_t> threads;  // of its own; else it shares the general workers
  std::optional<ListenerTlsSettings> tls;
  std::shared_ptr<const TlsContext> tls_context;  // compiled from it; null: in the clear
  OffloadSettings offload;
  Place place;
  // Of an ambassador's entry, which becomes a listener (expand_ambassador in app/model): one
  // service for everything instead of the routes.
  struct Only {
    std::string entry;    // its name
    std::string service;  // empty: hosts that are not known before
    bool raw = false;     // as TCP
    Nanoseconds idle{};
    std::optional<ForwardProxySettings> proxy;  // of such hosts
  };
  std::optional<Only> only;
};

struct ServiceSettings {
  std::vector<EndpointSettings> endpoints;
  UseSettings use;
  std::optional<TimeoutSettings> timeout;
  std::optional<PoolSettings> pool;
  std::optional<UpstreamTlsSettings> tls;
  std::shared_ptr<const TlsContext> tls_context;  // compiled from it; null: in the clear
  std::optional<bool> http2;
  std::optional<CredentialsSettings> credentials;
  std::optional<QuotaSettings> quota;
  std::optional<RetrySettings> retry;
  std::optional<HedgeSettings> hedge;
  std::optional<DeadlineSettings> deadline;
  std::optional<ContextSettings> context;
  std::optional<BulkheadUse> bulkhead;
  std::optional<SplitSettings> split;
  std::optional<RedirectSettings> redirect;
  std::optional<RespondSettings> respond;
  Place place;
};

struct RouteEntry {
  RouteSettings route;  // name, match, rewrite; moved to Model::matches
  std::string to;
  std::optional<BulkheadUse> bulkhead;
  std::optional<RedirectSettings> redirect;
  std::optional<RespondSettings> respond;
  Place place;
};

struct ShutdownSettings {
  Nanoseconds grace = std::chrono::seconds(30);
};

enum class LogLevel : uint8_t { debug, info, warning, error };
struct LogSettings {
  LogLevel level = LogLevel::info;
};

struct Settings {
  uint32_t version = 1;
  std::optional<uint32_t> workers;
  EngineChoice engine = EngineChoice::automatic;
  std::optional<AdminSettings> admin;
  std::vector<Named<ListenerSettings>> listeners;
  std::vector<Named<ServiceSettings>> services;
  std::vector<RouteEntry> routes;
  BulkheadGroups bulkheads;
  std::vector<Named<AmbassadorEntry>> ambassador;
  OffloadSettings offload;
  ShutdownSettings shutdown;
  LogSettings log;
};

void declare(Fields<AdminSettings>& f);
void declare(Fields<LimitSettings>& f);
void declare(Fields<ForwardedSettings>& f);
void declare(Fields<PathSettings>& f);
void declare(Fields<AccessLogSettings>& f);
void declare(Fields<OffloadSettings>& f);
void declare(Fields<ListenerSettings>& f);
void declare(Fields<ServiceSettings>& f);
void declare(Fields<RouteEntry>& f);
void declare(Fields<ShutdownSettings>& f);
void declare(Fields<LogSettings>& f);
void declare(Fields<Settings>& f);
std::span<const std::string_view> words_of(EngineChoice);
std::span<const std::string_view> words_of(LogLevel);
std::span<const std::string_view> words_of(PathRules::EncodedSlash);

}  // namespace banyan
