#include "upstream/endpoint_settings.h"

#include <algorithm>
#include <array>

#include "http/grammar.h"
#include "http/request_key.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

constexpr uint64_t endpoints_known_max = 65'535;

std::optional<uint16_t> parse_status(std::string_view text) {
  const auto status = parse_u64(text);
  if (!status || *status < 100 || *status > 599) return std::nullopt;
  return static_cast<uint16_t>(*status);
}

std::string key_fault(const std::string& text) {
  if (RequestKey::parse(text)) return {};
  return "'" + printable(text) + "' is none of " + std::string(RequestKey::syntax);
}

std::string tenant_fault(const std::string& text) {
  const auto key = RequestKey::parse(text);
  if (key && key->kind() != RequestKey::Kind::path) return {};
  return "'" + printable(text) + "' is none of header:NAME, cookie:NAME, ip";
}

std::string path_fault(const std::string& path) {
  if (path.starts_with('/') && is_target(path) && path.find('#') == std::string::npos) return {};
  return "'" + printable(path) + "' is no path; it begins with / and has no blank";
}

std::string probes_fault(uint32_t probes) {
  if (probes != 0) return {};
  return "with 0 probes the breaker could never close again; write 1 or more";
}

std::string load_fault(Factor load) {
  if (load == Factor{} || (load >= Factor{100} && load <= Factor{1000})) return {};
  return to_text(load) + " is out of range; allowed is 1 to 10, or 0 (no bound)";
}

void verify(const HealthSettings& s, const Node& node, const Reading& at) {
  if (s.tcp == !s.path.empty())
    at.error(node.place, s.tcp ? "`tcp` and `path` exclude each other" : "wants `path` or `tcp`");
  if (s.timeout > s.interval)
    at.error(node.place,
             "the timeout is longer than the interval: checks would overtake each other");
  if (!s.tcp && s.status.empty())
    at.error(node.place, "no status is good: no endpoint could ever be healthy");
}

void verify(const EjectSettings& s, const Node& node, const Reading& at) {
  if (s.consecutive == 0 && s.deviation.factor == Factor{})
    at.error(node.place, "nothing would be ejected: `consecutive` is 0 and `deviation` is off");
  if (s.for_most < s.for_) at.error(node.place, "`for_most` is shorter than `for`");
}

void verify(const BalanceSettings& s, const Node& node, const Reading& at) {
  if (!s.hash.empty() && node.find("method") != nullptr)
    at.error(node.place, "`hash` and `method` exclude each other");
  if (s.hash.empty() && node.find("load") != nullptr)
    at.error(node.place, "`load` bounds a `hash`, which is missing");
}

}  // namespace

std::optional<StatusRange> parse_status_range(std::string_view text) {
  if (text == "none") return StatusRange{};
  const size_t dash = text.find('-');
  const auto first = parse_status(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_status(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return StatusRange{*first, *last};
}

std::string to_text(StatusRange range) {
  if (range.empty()) return "none";
  std::string text = std::to_string(range.first);
  return range.first == range.last ? text : text + '-' + std::to_string(range.last);
}

std::optional<Deviation> parse_deviation(std::string_view text) {
  if (text == "on" || text == "true") return Deviation{Deviation::on};
  if (text == "off" || text == "false") return Deviation{};
  const auto factor = parse_factor(text);
  // Closer than one deviation is where a good part of all healthy endpoints are.
  if (!factor || *factor < Factor{100} || *factor > Factor{10'000}) return std::nullopt;
  return Deviation{*factor};
}

void declare(Fields<HealthSettings>& f) {
  f.about("health",
          "Every worker asks each endpoint from time to time. A new one is used until it is proved "
          "bad.");
  f.field("path", &HealthSettings::path, "What is asked for with GET.", check(path_fault));
  f.field("tcp", &HealthSettings::tcp, "It is enough that a connection is accepted.");
  f.field("interval", &HealthSettings::interval,
          "From one check to the next; up to a tenth longer, so that not all come at once.",
          between(10ms, 1h));
  f.field("timeout", &HealthSettings::timeout, "Of one check.", between(1ms, 5min));
  f.field("unhealthy_after", &HealthSettings::unhealthy_after,
          "So many failed checks in a row, and it is used no more.", between<uint32_t>(1, 1000));
  f.field("healthy_after", &HealthSettings::healthy_after,
          "So many good ones in a row, and it is used again.", between<uint32_t>(1, 1000));
  f.field("status", &HealthSettings::status, "What is a good answer.");
  f.shorthand("path");
  f.verify([](const auto& s, const Node& node, const Reading& at) { verify(s, node, at); });
}

void declare(Fields<EjectSettings>& f) {
  f.about("eject", "Leaves out endpoints that fail requests, as each worker sees them.");
  f.field("consecutive", &EjectSettings::consecutive, "After so many failures in a row; 0: off.",
          between<uint32_t>(0, 1'000'000));
  f.field("deviation", &EjectSettings::deviation,
          "When its success rate over 10 s is so many deviations below the others' (of 3 "
          "endpoints and more, with 20 requests each). `on` is 1.9.");
  f.field("for", &EjectSettings::for_,
          "For so long the first time, twice as long the second, and so on.", between(1ms, 24h));
  f.field("for_most", &EjectSettings::for_most, "But never longer.", between(1ms, 24h));
  f.field("at_most", &EjectSettings::at_most, "Of the endpoints at a time.",
          between(Percent{1}, Percent{10'000}));
  f.field("status", &EjectSettings::status,
          "Which answers are failures, beside none at all; or `none`.");
  f.verify([](const auto& s, const Node& node, const Reading& at) { verify(s, node, at); });
}

void declare(Fields<BreakerSettings>& f) {
  f.about("breaker",
          "After some failures in a row nothing is sent for a while: 503 at once, with "
          "Retry-After. Then a few requests try whether all is well again.");
  f.field("failures", &BreakerSettings::failures, "In a row; then it opens.",
          between<uint32_t>(1, 1'000'000));
  f.field("open", &BreakerSettings::open, "For so long nothing is sent.", between(1ms, 24h));
  f.field("probes", &BreakerSettings::probes,
          "Then so many requests are let through; when all have gone well, it closes.",
          check(probes_fault), between<uint32_t>(1, 1000));
  f.field("status", &BreakerSettings::status,
          "Which answers are failures, beside none at all; or `none`.");
  f.field("scope", &BreakerSettings::scope,
          "`service`: one for all of it, exact over all workers; `endpoint`: one for each, of each "
          "worker; or `both`.");
  f.shorthand("failures");
}

void declare(Fields<BalanceSettings>& f) {
  f.about("balance",
          "`ewma`: the cheaper of two at random, by latency and queue; `round_robin`; "
          "`least_request`; or `{ hash: KEY }`: the same key, the same endpoint.");
  f.field("method", &BalanceSettings::method, "Without a hash, or for requests without its key.");
  f.field("hash", &BalanceSettings::hash,
          "`header:NAME`, `cookie:NAME`, `ip` or `path`. When endpoints come and go, only their "
          "own keys move.",
          check(key_fault));
  f.field("load", &BalanceSettings::load,
          "No endpoint gets more than so many times its fair share of what is in flight; what is "
          "beyond goes to the key's next. 0: no bound.",
          check(load_fault));
  f.shorthand("method");
  f.verify([](const auto& s, const Node& node, const Reading& at) { verify(s, node, at); });
}

void declare(Fields<ShardSettings>& f) {
  f.about("shard",
          "Each tenant gets its own few of the endpoints, always the same. One that breaks its "
          "endpoints harms only those with the same; `banyan explain` tells how many that are.");
  f.field("by", &ShardSettings::by,
          "What tells tenants apart: `header:NAME`, `cookie:NAME` or `ip`. Requests without it "
          "are one tenant.",
          required, check(tenant_fault));
  f.field("size", &ShardSettings::size, "Endpoints a tenant.",
          between<uint32_t>(1, endpoints_known_max));
}

bool is_use_word(std::string_view key) {
  static constexpr std::array<std::string_view, 7> words = {
      "balance", "shard", "health", "eject", "breaker", "slow_start", "panic"};
  return std::ranges::find(words, key) != words.end();
}

void verify_use(const UseSettings& use, size_t endpoints, const Node& node, const Reading& at) {
  const auto warn = [&](std::string_view key, std::string message) {
    const Node* said = node.find(key);
    at.problems().warning(said != nullptr ? said->place : node.place, Reading(at, key).path(),
                          std::move(message));
  };
  if (endpoints == 0) return;
  if (use.shard && use.shard->size >= endpoints)
    warn("shard", "every tenant has all " + std::to_string(endpoints) + " endpoints: no shards");
  if (use.eject && use.eject->at_most.basis_points * endpoints < 10'000)
    warn("eject", "never ejects: less than one of " + std::to_string(endpoints) +
                      " endpoints is within `at_most`");
  if (use.eject && use.eject->deviation.factor != Factor{} && endpoints < 3)
    warn("eject", "`deviation` compares 3 endpoints and more; here are fewer");
}

std::span<const std::string_view> words_of(Balance) {
  static constexpr std::array<std::string_view, 3> words = {"ewma", "round_robin", "least_request"};
  return words;
}

std::span<const std::string_view> words_of(BreakerScope) {
  static constexpr std::array<std::string_view, 3> words = {"both", "service", "endpoint"};
  return words;
}

}  // namespace banyan
