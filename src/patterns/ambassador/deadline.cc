#include "patterns/ambassador/deadline.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "task/combine.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

constexpr size_t grpc_digits_max = 8;
constexpr int64_t grpc_number_max = 99'999'999;
constexpr std::array<std::pair<char, Duration>, 6> grpc_units = {
    {{'n', 1ns}, {'u', 1us}, {'m', 1ms}, {'S', 1s}, {'M', 1min}, {'H', 1h}}};

// What cannot be read counts as not said.
Duration asked_for(const Headers& headers) {
  Duration least = Duration::max();
  if (headers.has(Name::banyan_timeout))
    least = parse_duration(headers.get(Name::banyan_timeout)).value_or(least);
  if (headers.has(Name::grpc_timeout))
    least = std::min(least, parse_grpc_timeout(headers.get(Name::grpc_timeout)).value_or(least));
  return least;
}

bool is_grpc(const Headers& headers) {
  return headers.has(Name::grpc_timeout) ||
         headers.get(Name::content_type).starts_with("application/grpc");
}

std::optional<TraceId> trace_of(const Headers& headers) {
  if (!headers.has(Name::traceparent)) return std::nullopt;
  return parse_traceparent(headers.get(Name::traceparent));
}

}  // namespace

std::optional<Duration> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > grpc_digits_max + 1) return std::nullopt;
  const auto unit = std::ranges::find(grpc_units, text.back(), &std::pair<char, Duration>::first);
  const auto number = parse_u64(text.substr(0, text.size() - 1));
  if (unit == grpc_units.end() || !number) return std::nullopt;
  // 99999999H is more than a Duration holds, and as good as the most that it does.
  const auto most = static_cast<uint64_t>(Duration::max() / unit->second);
  return unit->second * static_cast<int64_t>(std::min(*number, most));
}

std::string grpc_timeout_text(Duration left) {
  for (const auto& [letter, unit] : grpc_units)
    if (left / unit <= grpc_number_max)
      return std::to_string(std::max<int64_t>(left / unit, 1)) + letter;
  return std::to_string(grpc_number_max) + 'H';
}

std::string banyan_timeout_text(Duration left) {
  using std::chrono::floor;
  if (left < 10ms) return to_text(std::max<Duration>(floor<std::chrono::microseconds>(left), 1us));
  return to_text(floor<std::chrono::milliseconds>(left));
}

// By the caller, if it is believed.
Time DeadlineFilter::told(const Request& request) const {
  if (!settings_.trust) return never;
  const Duration asked = asked_for(request.headers);
  if (asked == Duration::max()) return never;
  const Time began = request.record.started == Time{} ? loop_.now() : request.record.started;
  return after(began, std::min<Duration>(asked, settings_.max));
}

Time DeadlineFilter::deadline_of(const Request& request) const {
  Time until = told(request);
  if (!settings_.remember && !settings_.by_trace) return until;
  const auto trace = trace_of(request.headers);
  if (!trace) return until;
  if (settings_.remember) memory_.remember(*trace, until, loop_.now());
  if (settings_.by_trace) until = std::min(until, memory_.find(*trace, loop_.now()));
  return until;
}

Task<Reply> DeadlineFilter::call(Request& request) {
  const Time until = deadline_of(request);
  request.headers.remove(Name::banyan_timeout);
  return until == never ? next->call(request) : call_until(request, until);
}

Task<Reply> DeadlineFilter::call_until(Request& request, Time until) {
  Context& context = co_await current_context();
  if (until > loop_.now()) {
    auto reply = co_await within{until - loop_.now(), next->call(request)};
    if (reply || loop_.now() < until || context.cancel.requested()) co_return reply;
    // What else has failed at this moment is told as it is.
    const Code code = reply.error().code;
    if (code != Code::timeout && code != Code::cancelled) co_return reply;
  }
  co_return fail({Code::timeout, Side::client, false, 504, "the caller's deadline has passed"});
}

Task<Reply> TimeLeftFilter::call(Request& request) {
  Context& context = co_await current_context();
  if (context.deadline != never) {
    Headers& headers = request.headers;
    const bool grpc = is_grpc(headers);
    Duration left = std::max(context.deadline - context.loop.now(), Duration{});
    // A shorter one of a caller that is not believed is nobody else's business.
    if (grpc) left = std::min(left, asked_for(headers));
    const std::string text = grpc ? grpc_timeout_text(left) : banyan_timeout_text(left);
    headers.set(grpc ? Name::grpc_timeout : Name::banyan_timeout, request.arena.copy(text));
  }
  co_return co_await next->call(request);
}

}  // namespace banyan
