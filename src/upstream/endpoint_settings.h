// What the configuration says of which endpoints of a service may be used, and which one a request
// gets: health checks, ejection, breaker, slow start, balance, shards. Owner: the model; clusters
// and filters keep copies. Thread: any (read only). Words and meaning are told once, in
// endpoint_settings.cc; the manual comes from there.
#pragma once
#include "config/schema.h"

namespace banyan {

// Statuses of HTTP; empty when `first` is above `last`.
struct StatusRange {
  uint16_t first = 1;
  uint16_t last = 0;
  bool contains(uint16_t status) const { return status >= first && status <= last; }
  bool empty() const { return first > last; }
  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};
std::optional<StatusRange> parse_status_range(std::string_view text);  // 200-399, 503, none
std::string to_text(StatusRange range);

// By how many deviations an endpoint may be worse than the others; 0: off.
struct Deviation {
  static constexpr Factor on{190};
  Factor factor;
  friend bool operator==(const Deviation&, const Deviation&) = default;
};
std::optional<Deviation> parse_deviation(std::string_view text);  // off, on, 2.5

struct HealthSettings {
  std::string path;  // empty: `tcp`
  bool tcp = false;
  Nanoseconds interval = std::chrono::seconds(5);
  Nanoseconds timeout = std::chrono::seconds(1);
  uint32_t unhealthy_after = 3;
  uint32_t healthy_after = 2;
  StatusRange status{200, 399};
  friend bool operator==(const HealthSettings&, const HealthSettings&) = default;
};

struct EjectSettings {
  uint32_t consecutive = 5;  // 0: off
  Deviation deviation;
  Nanoseconds for_ = std::chrono::seconds(30);
  Nanoseconds for_most = std::chrono::minutes(5);
  Percent at_most{5000};
  StatusRange status{500, 599};
  friend bool operator==(const EjectSettings&, const EjectSettings&) = default;
};

enum class BreakerScope : uint8_t { both, service, endpoint };
struct BreakerSettings {
  uint32_t failures = 5;
  Nanoseconds open = std::chrono::seconds(10);
  uint32_t probes = 1;
  StatusRange status{500, 599};
  BreakerScope scope = BreakerScope::both;
  friend bool operator==(const BreakerSettings&, const BreakerSettings&) = default;
};

enum class Balance : uint8_t { ewma, round_robin, least_request };
struct BalanceSettings {
  Balance method = Balance::ewma;
  std::string hash;  // what RequestKey reads; empty: no
  Factor load{125};
  friend bool operator==(const BalanceSettings&, const BalanceSettings&) = default;
};

struct ShardSettings {
  std::string by;  // what RequestKey reads
  uint32_t size = 2;
  friend bool operator==(const ShardSettings&, const ShardSettings&) = default;
};

// All of it, as a service has it.
struct UseSettings {
  BalanceSettings balance;
  std::optional<ShardSettings> shard;
  std::optional<HealthSettings> health;
  std::optional<EjectSettings> eject;
  std::optional<BreakerSettings> breaker;
  Nanoseconds slow_start{};
  Percent panic{5000};
  friend bool operator==(const UseSettings&, const UseSettings&) = default;
};

void declare(Fields<HealthSettings>& f);
void declare(Fields<EjectSettings>& f);
void declare(Fields<BreakerSettings>& f);
void declare(Fields<BalanceSettings>& f);
void declare(Fields<ShardSettings>& f);
std::span<const std::string_view> words_of(Balance);
std::span<const std::string_view> words_of(BreakerScope);

// Adds the words of UseSettings to a structure that has it as `use`.
template <class S>
void declare_use(Fields<S>& f, UseSettings S::* use) {
  using namespace std::chrono_literals;
  const auto at = [use](auto member) {
    return [use, member](S& s) -> auto& { return s.*use.*member; };
  };
  f.field("balance", at(&UseSettings::balance), "Which endpoint gets a request.");
  f.field("shard", at(&UseSettings::shard),
          "Each tenant gets its own few of the endpoints (shuffle sharding).");
  f.field("health", at(&UseSettings::health), "Checks that Banyan makes of its own accord.");
  f.field("eject", at(&UseSettings::eject), "Leaves out endpoints that fail requests.");
  f.field("breaker", at(&UseSettings::breaker), "Calls nobody who fails time after time.");
  f.field("slow_start", at(&UseSettings::slow_start),
          "A new or recovered endpoint gets a tenth of its share, rising to all of it in this "
          "time. 0: all at once.",
          between(Nanoseconds(0), 1h));
  f.field("panic", at(&UseSettings::panic),
          "With a smaller part of the endpoints fit for use, `health` and `eject` are ignored: "
          "all are used, because the few would not bear it. 0%: never.");
}

// Whether it is one of declare_use()'s.
bool is_use_word(std::string_view key);
// What concerns several of them, and the number of endpoints; 0: not known yet (a name). `node` is
// the service's.
void verify_use(const UseSettings& use, size_t endpoints, const Node& node, const Reading& at);

template <>
struct Value<StatusRange> {
  static bool read(const Node& node, StatusRange& out, const Reading& at) {
    return read_scalar<StatusRange, parse_status_range>(
        node, out, at, "a status or a range of them (503, 200-399), or `none`");
  }
  static TypeNote note() {
    return {TypeNote::Kind::text, "status range", "^(none|[1-5][0-9]{2}(-[1-5][0-9]{2})?)$"};
  }
  static std::string text(StatusRange v) { return to_text(v); }
};

template <>
struct Value<Deviation> {
  static bool read(const Node& node, Deviation& out, const Reading& at) {
    return read_scalar<Deviation, parse_deviation>(node, out, at, "on, off or a factor (1.9)");
  }
  static TypeNote note() { return {TypeNote::Kind::text, "on, off or factor"}; }
  static std::string text(Deviation v) { return v.factor == Factor{} ? "off" : to_text(v.factor); }
};

}  // namespace banyan
