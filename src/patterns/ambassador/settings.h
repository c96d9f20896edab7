// What the configuration says of how calls to a service are made: sent again, sent twice, given up
// in time, and what callers may ask and are told. Owner: the model. Thread: any (read only).
// Words and meaning are told once, in settings.cc; the manual comes from there.
#pragma once
#include "config/schema.h"
#include "http/method.h"

namespace banyan {

// What a request is sent again for.
enum class RetryOn : uint8_t { connect, reset, timeout, s429, s500, s502, s503, s504 };

struct RetrySettings {
  uint32_t attempts = 3;  // with the first
  Nanoseconds backoff = std::chrono::milliseconds(25);
  Nanoseconds backoff_max = std::chrono::seconds(1);
  Percent budget{2000};
  uint32_t budget_floor = 30;
  std::optional<std::vector<RetryOn>> on;  // standard: what retry_mask() says
  Size replay = kib(64);
};

// When a second copy is sent: after a time, or at a quantile of the latency that there is.
struct HedgeAfter {
  double quantile = 0;  // 0: `fixed` holds
  Nanoseconds fixed{};
  friend bool operator==(const HedgeAfter&, const HedgeAfter&) = default;
};
// "p95", "p99.9", "50ms"
std::optional<HedgeAfter> parse_hedge_after(std::string_view text);
template <>
struct Value<HedgeAfter> {
  static bool read(const Node& node, HedgeAfter& out, const Reading& at);
  static TypeNote note();
  static std::string text(const HedgeAfter& v);
};

struct HedgeSettings {
  HedgeAfter after{.quantile = 0.95};
  uint32_t at_most = 1;
  std::optional<std::vector<std::string>> methods;  // standard: GET and HEAD
  uint32_t in_flight = 100;
};

struct DeadlineSettings {
  Nanoseconds max = std::chrono::seconds(30);
  bool trust = false;
  bool remember = false;
  bool by_trace = false;
};

struct ContextSettings {
  bool accept = false;
  bool answer = false;
  bool attempts = true;
  bool served_by = true;
  bool reason = true;
};

void declare(Fields<RetrySettings>& f);
void declare(Fields<HedgeSettings>& f);
void declare(Fields<DeadlineSettings>& f);
void declare(Fields<ContextSettings>& f);
std::span<const std::string_view> words_of(RetryOn);

// A set of RetryOn, one bit each; nullopt: all but 429 and 500.
uint32_t retry_mask(const std::optional<std::vector<RetryOn>>& on);
// The same of methods (Method); nullopt: GET and HEAD.
uint32_t hedge_mask(const std::optional<std::vector<std::string>>& methods);

}  // namespace banyan
