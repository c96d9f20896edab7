#include "patterns/ambassador/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

std::string on_fault(const std::optional<std::vector<RetryOn>>& on) {
  return on && on->empty() ? "nothing is ever sent again so; leave `retry` out" : std::string();
}

std::string methods_fault(const std::optional<std::vector<std::string>>& methods) {
  if (!methods) return {};
  if (methods->empty()) return "no method is left that could be sent twice; leave `hedge` out";
  for (const std::string& method : *methods)
    if (!is_safe(parse_method(method)))
      return "'" + printable(method) +
             "' is not safe: a second copy may do its work twice; allowed are GET, HEAD, OPTIONS "
             "and TRACE";
  return {};
}

// 95, 99.9; nothing but digits and one dot.
std::optional<double> parse_quantile(std::string_view digits) {
  double percent = 0;
  if (digits.empty() || !is_digit(digits.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), percent,
                                            std::chars_format::fixed);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (percent < 50 || percent > 99.99) return std::nullopt;
  return percent / 100;
}

}  // namespace

std::optional<HedgeAfter> parse_hedge_after(std::string_view text) {
  if (text.starts_with('p')) {
    const auto quantile = parse_quantile(text.substr(1));
    if (!quantile) return std::nullopt;
    return HedgeAfter{.quantile = *quantile};
  }
  const auto fixed = parse_duration(text);
  if (!fixed || *fixed < 1ms || *fixed > 1min) return std::nullopt;
  return HedgeAfter{.fixed = *fixed};
}

bool Value<HedgeAfter>::read(const Node& node, HedgeAfter& out, const Reading& at) {
  return read_scalar<HedgeAfter, parse_hedge_after>(
      node, out, at, "a quantile (p50 to p99.99) or a time (1ms to 1m)");
}

TypeNote Value<HedgeAfter>::note() {
  return {TypeNote::Kind::text, "quantile or duration",
          "^(p[0-9.]+|([0-9.]+(ns|us|ms|s|m|h|d))+)$"};
}

std::string Value<HedgeAfter>::text(const HedgeAfter& v) {
  if (v.quantile == 0) return to_text(v.fixed);
  char digits[32];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, std::round(v.quantile * 10'000) / 100);
  return "p" + std::string(digits, end.ptr);
}

std::span<const std::string_view> words_of(RetryOn) {
  static constexpr std::array<std::string_view, 8> words = {"connect", "reset", "timeout", "429",
                                                            "500",     "502",   "503",     "504"};
  return words;
}

uint32_t retry_mask(const std::optional<std::vector<RetryOn>>& on) {
  using enum RetryOn;
  static constexpr RetryOn standard[] = {connect, reset, timeout, s502, s503, s504};
  uint32_t mask = 0;
  for (const RetryOn one : on ? std::span<const RetryOn>(*on) : standard)
    mask |= 1u << static_cast<unsigned>(one);
  return mask;
}

uint32_t hedge_mask(const std::optional<std::vector<std::string>>& methods) {
  const auto bit = [](Method m) { return 1u << static_cast<unsigned>(m); };
  if (!methods) return bit(Method::get) | bit(Method::head);
  uint32_t mask = 0;
  for (const std::string& method : *methods) mask |= bit(parse_method(method));
  return mask;
}

void declare(Fields<RetrySettings>& f) {
  f.about("retry",
          "Sends a request again when it failed and that is proved safe: nothing of it can have "
          "been processed, or its method is idempotent, or it has an `Idempotency-Key`.");
  f.field("attempts", &RetrySettings::attempts, "How often it is sent at most, with the first.",
          between<uint32_t>(1, 10));
  f.field("backoff", &RetrySettings::backoff,
          "Before the second attempt at most this; twice as much before each further one. The "
          "pause is random between nothing and that.",
          between(0ms, 1min));
  f.field("backoff_max", &RetrySettings::backoff_max, "The pause never grows beyond.",
          between(0ms, 5min));
  f.field("budget", &RetrySettings::budget,
          "Retries and hedges together, as a share of the service's requests in the last 10s, over "
          "all workers.");
  f.field("budget_floor", &RetrySettings::budget_floor,
          "So many in 10s are allowed whatever the share is.", between<uint32_t>(0, 100'000));
  f.field("on", &RetrySettings::on,
          "What it is sent again for; standard are connect, reset, timeout, 502, 503, 504. "
          "`connect`: nothing was sent. `reset`: the connection broke off, or what came is not "
          "HTTP. `timeout`: no answer within `timeout.try`.",
          check(on_fault));
  f.field("replay", &RetrySettings::replay,
          "So much of a request's content is kept for another attempt; a longer one is sent once.",
          between(Size{0}, mib(16)));
  f.verify([](const RetrySettings& s, const Node& node, const Reading& at) {
    if (s.backoff > s.backoff_max)
      at.error(node.place, "backoff is longer than backoff_max (" + to_text(s.backoff_max) + ")");
  });
}

void declare(Fields<HedgeSettings>& f) {
  f.about("hedge",
          "Sends a second copy of a request without content to another endpoint when the answer is "
          "late, and takes the answer that comes first. Each copy is taken from the budget of "
          "`retry`.");
  f.field("after", &HedgeSettings::after,
          "When it is late: a quantile of the service's answers of late (p95), or a time.");
  f.field("at_most", &HedgeSettings::at_most, "Further copies of one request.",
          between<uint32_t>(1, 3));
  f.field("methods", &HedgeSettings::methods,
          "For these; only safe ones can be meant. Standard: GET and HEAD.", check(methods_fault));
  f.field("in_flight", &HedgeSettings::in_flight,
          "No copies while more requests than this wait for the service's answer, of one worker: "
          "it is slow because of its load, and would only get slower.",
          between<uint32_t>(1, 1'000'000));
  f.shorthand("after");
}

void declare(Fields<DeadlineSettings>& f) {
  f.about("deadline",
          "Until when a caller waits: told by `Banyan-Timeout: 250ms` or `grpc-timeout: 250m`. "
          "When it has passed the call is given up with 504; what is left is told to the service.");
  f.field("max", &DeadlineSettings::max, "A caller that asks for more gets this.",
          between(1ms, 24h));
  f.field("trust", &DeadlineSettings::trust,
          "Believe callers. Leave it off where anyone can call: a caller could make a service look "
          "slow.");
  f.field("remember", &DeadlineSettings::remember,
          "Keep it under the trace id of `traceparent`, for the calls that the service makes in "
          "turn. Of two requests of a trace the later deadline holds.");
  f.field("by_trace", &DeadlineSettings::by_trace,
          "Hold a call to what is kept for its trace. With `remember` on the service that an "
          "application is, and this on those that it calls, a deadline passes through the "
          "application.");
  f.verify([](const DeadlineSettings& s, const Node& node, const Reading& at) {
    if (s.remember && !s.trust)
      at.error(node.place, "remember without trust: there is nothing to remember");
  });
}

void declare(Fields<ContextSettings>& f) {
  f.about("context", "What callers may ask of a call, and what they are told about it.");
  f.field("accept", &ContextSettings::accept,
          "Believe `Banyan-Retry: off` or a number of retries (never more than `retry` allows), "
          "and `Banyan-Hedge: off`, `on` or a time. Not believed, they are removed.");
  f.field("answer", &ContextSettings::answer, "Tell how the answer came about:");
  f.field("attempts", &ContextSettings::attempts,
          "`Banyan-Attempts`: how often the request was sent.");
  f.field("served_by", &ContextSettings::served_by,
          "`Banyan-Served-By`: the endpoint that answered.");
  f.field("reason", &ContextSettings::reason,
          "`Banyan-Reason`: why it failed, or why it was not sent again.");
}

}  // namespace banyan
