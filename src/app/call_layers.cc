#include "app/call_layers.h"

#include <map>

#include "patterns/ambassador/budget.h"
#include "patterns/ambassador/context.h"
#include "patterns/ambassador/credentials.h"
#include "patterns/ambassador/deadline.h"
#include "patterns/ambassador/hedge.h"
#include "patterns/ambassador/quota.h"
#include "patterns/ambassador/retry.h"
#include "upstream/breaker.h"

namespace banyan {

namespace {

RetrySettings retry_of(const ServiceSettings& settings) {
  return settings.retry.value_or(RetrySettings{});
}

// Of a service that has none of it, too: there is nothing it could be spent on.
RetryState& state_of(const CallParts& parts, const RetrySettings& retry) {
  return parts.shares->retries.of(std::string(parts.service), retry.budget, retry.budget_floor);
}

RetryTimes times_of(const ServiceSettings& settings) {
  const TimeoutSettings timeout = settings.timeout.value_or(TimeoutSettings{});
  return {.try_max = timeout.attempt.value_or(timeout.request), .all_max = timeout.request};
}

Layer budget_layer(const RetrySettings& retry, CallParts parts) {
  return {.role = "budget",
          .why =
              "above all that sends a request more than once: it counts what callers ask, which "
              "retries and hedges are a share of",
          .wrap = [retry, parts](ServicePtr next) {
            return std::make_shared<BudgetFilter>(std::move(next), state_of(parts, retry).budget,
                                                  *parts.loop);
          }};
}

Layer hedge_layer(const HedgeSettings& hedge, const RetrySettings& retry, CallParts parts) {
  return {.role = "hedge",
          .why =
              "above retries: late is what takes long with all its attempts, and each copy may "
              "be tried again within the same budget",
          .wrap = [hedge, retry, parts](ServicePtr next) {
            return std::make_shared<HedgeFilter>(std::move(next), hedge, state_of(parts, retry));
          }};
}

Layer retry_layer(const RetrySettings& retry, const RetryTimes& times, CallParts parts) {
  return {.role = "retry",
          .why =
              "above all that judges endpoints: each attempt is judged by itself, and chooses "
              "its endpoint anew",
          .wrap = [retry, times, parts](ServicePtr next) {
            return std::make_shared<RetryFilter>(std::move(next), retry, times,
                                                 state_of(parts, retry));
          }};
}

Layer breaker_layer(const BreakerSettings& breaker, CallParts parts) {
  return {.role = "breaker",
          .why =
              "below all that tries again, so that each attempt counts; above the endpoints, so "
              "that what all of them do counts together",
          .wrap = [breaker, parts](ServicePtr next) {
            return std::make_shared<BreakerFilter>(
                std::move(next), parts.shares->circuits.of(std::string(parts.service), breaker),
                *parts.loop);
          }};
}

Layer deadline_layer(const DeadlineSettings& deadline, CallParts parts) {
  return {.role = "deadline",
          .why = "above everything of the call: queues, pauses and attempts all take from one time",
          .wrap = [deadline, parts](ServicePtr next) {
            return std::make_shared<DeadlineFilter>(std::move(next), deadline,
                                                    parts.shares->deadlines, *parts.loop);
          }};
}

Layer quota_layer(const QuotaSettings& quota, CallParts parts) {
  return {.role = "quota",
          .why =
              "below all that sends again, so that each attempt counts; above the breaker: what "
              "is not sent is no failure",
          .wrap = [quota, parts](ServicePtr next) {
            return std::make_shared<QuotaFilter>(
                std::move(next), quota, parts.shares->quotas.of(std::string(parts.service), quota));
          }};
}

Layer credentials_layer(const CredentialsSettings& credentials, CallParts parts) {
  static constexpr const char* why =
      "below all that sends again: each attempt has what is valid now; above the breaker, which "
      "judges the service and not who lends it tokens";
  if (credentials.value)
    return {.role = "credentials", .why = why, .wrap = [credentials](ServicePtr next) {
              return std::make_shared<KeyFilter>(std::move(next), credentials.header,
                                                 credentials.prefix + credentials.value->text);
            }};
  return {.role = "credentials",
          .why = why,
          .wrap = [oauth2 = *credentials.oauth2, parts](ServicePtr next) {
            const std::string service(parts.service);
            return std::make_shared<TokenFilter>(
                std::move(next),
                std::make_shared<TokenSource>(oauth2, parts.shares->tokens.of(service, oauth2),
                                              parts.token_server, *parts.loop, *parts.tasks));
          }};
}

}  // namespace

std::string token_service(std::string_view service) { return "token " + std::string(service); }

std::vector<Layer> caller_layers(const ServiceSettings& settings, CallParts parts) {
  std::vector<Layer> out;
  if (settings.deadline) out.push_back(deadline_layer(*settings.deadline, parts));
  const ContextSettings context = settings.context.value_or(ContextSettings{});
  out.push_back({.role = "context",
                 .why = "above all that obeys what a caller asks (below the deadline, which reads "
                        "its own): what is not believed is gone before anything could believe it",
                 .wrap = [context](ServicePtr next) {
                   return std::make_shared<ContextFilter>(std::move(next), context);
                 }});
  return out;
}

std::vector<Layer> attempt_layers(const ServiceSettings& settings, CallParts parts) {
  std::vector<Layer> out;
  const RetrySettings retry = retry_of(settings);
  if (settings.retry || settings.hedge) out.push_back(budget_layer(retry, parts));
  if (settings.hedge) out.push_back(hedge_layer(*settings.hedge, retry, parts));
  if (settings.retry) out.push_back(retry_layer(retry, times_of(settings), parts));
  if (settings.quota && (settings.quota->learn || settings.quota->limit))
    out.push_back(quota_layer(*settings.quota, parts));
  if (settings.credentials) out.push_back(credentials_layer(*settings.credentials, parts));
  const auto& breaker = settings.use.breaker;
  if (breaker && breaker->scope != BreakerScope::endpoint)
    out.push_back(breaker_layer(*breaker, parts));
  if (settings.deadline)
    out.push_back({.role = "time left",
                   .why = "below all that waits: the service is told what is left at the moment of "
                          "sending",
                   .wrap = [](ServicePtr next) {
                     return std::make_shared<TimeLeftFilter>(std::move(next));
                   }});
  return out;
}

void set_budgets(const Settings& settings, RetryStates& states) {
  for (const auto& [name, place, service] : settings.services) {
    if (!service.retry && !service.hedge) continue;
    const RetrySettings retry = retry_of(service);
    states.set_limits(name, retry.budget, retry.budget_floor);
  }
}

void write_retries(Exposition& out, RetryStates& states) {
  using Kind = Exposition::Kind;
  std::map<std::string_view, const RetryState*> all;
  states.for_each([&](const std::string& name, const RetryState& state) { all[name] = &state; });
  const auto samples = [&](std::string_view label, std::string_view value, auto count_of) {
    for (const auto& [service, state] : all)
      if (const uint64_t n = count_of(*state); n != 0)
        out.sample({{"service", service}, {label, value}}, n);
  };
  using S = const RetryState&;
  out.family(Kind::counter, "banyan_retries_total",
             "Times that a request was sent again, by what came of it.");
  samples("result", "ok", [](S s) { return s.retried_ok.load(); });
  samples("result", "failed", [](S s) { return s.retried_failed.load(); });
  out.family(Kind::counter, "banyan_retries_refused_total",
             "Requests that failed and were not sent again, by why not.");
  for (size_t i = 0; i < static_cast<size_t>(Refusal::count); ++i)
    samples("reason", word_of(static_cast<Refusal>(i)), [i](S s) { return s.refused[i].load(); });
  out.family(Kind::counter, "banyan_hedges_total",
             "Further copies of requests whose answer was late, by whether theirs was taken.");
  samples("result", "won", [](S s) { return s.hedges_won.load(); });
  samples("result", "lost", [](S s) { return s.hedges_lost.load(); });
  out.family(Kind::counter, "banyan_hedges_held_total",
             "Copies that were due and not sent, by why not.");
  samples("reason", "budget", [](S s) { return s.hedges_held_by_budget.load(); });
  samples("reason", "load", [](S s) { return s.hedges_held_by_load.load(); });
}

void write_tokens(Exposition& out, const TokenStores& tokens) {
  out.family(
      Exposition::Kind::counter, "banyan_tokens_total",
      "Tokens of services, by what became of a fetch, or that the service did not take one.");
  for (const auto& [service, counts] : tokens.counts()) {
    const auto sample = [&](std::string_view result, uint64_t n) {
      if (n != 0) out.sample({{"service", service}, {"result", result}}, n);
    };
    sample("fetched", counts.fetched);
    sample("failed", counts.failed);
    sample("rejected", counts.rejected);
  }
}

void write_quotas(Exposition& out, const QuotaStates& quotas, Time now) {
  using Kind = Exposition::Kind;
  const auto all = quotas.all();
  out.family(Kind::gauge, "banyan_quota_remaining",
             "Calls that a service will take until its window ends, where that is known.");
  for (const auto& [service, state] : all)
    if (const auto remaining = state->status(now).remaining)
      out.sample({{"service", service}}, *remaining);
  out.family(Kind::counter, "banyan_quota_waited_total",
             "Calls that waited for a service's next window, and were sent.");
  for (const auto& [service, state] : all)
    out.sample({{"service", service}}, state->status(now).waited);
  out.family(Kind::counter, "banyan_quota_refused_total",
             "Calls that were not sent, because the service would not have taken them.");
  for (const auto& [service, state] : all)
    out.sample({{"service", service}}, state->status(now).refused);
}

}  // namespace banyan
