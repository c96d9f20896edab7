#include "patterns/ambassador/context.h"

#include <algorithm>

#include "base/text.h"
#include "service/tell.h"

namespace banyan {

using namespace std::chrono_literals;

namespace {

constexpr Duration hedge_after_min = 1ms;

void remove_asked(Headers& headers) {
  headers.remove(Name::banyan_retry);
  headers.remove(Name::banyan_hedge);
  headers.remove(Name::banyan_timeout);
}

const Wishes* wishes_of(Request& request) {
  const Headers& headers = request.headers;
  if (!headers.has(Name::banyan_retry) && !headers.has(Name::banyan_hedge)) return nullptr;
  auto* wishes = request.arena.make<Wishes>();
  wishes->retries = parse_retries(headers.get(Name::banyan_retry));
  read_hedge(headers.get(Name::banyan_hedge), *wishes);
  return wishes;
}

}  // namespace

std::optional<uint32_t> parse_retries(std::string_view text) {
  if (text == "off") return 0;
  const auto number = parse_u64(text);
  if (!number) return std::nullopt;
  return static_cast<uint32_t>(std::min<uint64_t>(*number, UINT32_MAX));
}

void read_hedge(std::string_view text, Wishes& into) {
  if (text == "off") into.hedge = false;
  if (const auto time = parse_duration(text)) into.hedge_after = std::max(*time, hedge_after_min);
}

Task<Reply> ContextFilter::call(Request& request) {
  request.wishes = settings_.accept ? wishes_of(request) : nullptr;
  remove_asked(request.headers);
  if (settings_.answer)
    request.record.tells = {.attempts = settings_.attempts,
                            .served_by = settings_.served_by,
                            .reason = settings_.reason};
  auto reply = co_await next->call(request);
  if (reply) tell(request.record, *reply->headers);
  co_return reply;
}

}  // namespace banyan
