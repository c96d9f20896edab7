#include "patterns/ambassador/credentials.h"

namespace banyan {

namespace {

void give(Request& request, const std::string& token) {
  request.headers.set(Name::authorization, request.arena.copy("Bearer " + token));
}

}  // namespace

Task<Reply> TokenFilter::call(Request& request) {
  const bool whole = request.body == nullptr;
  const TokenPtr token = TRY(co_await source_->get());
  give(request, *token);
  Reply reply = co_await next->call(request);
  if (!reply || reply->status != 401) co_return reply;
  source_->rejected(token);
  if (!whole) co_return reply;
  auto fresh = co_await source_->get();
  // What the service said is more than that there is no other token.
  if (!fresh || *fresh == token) co_return reply;
  reply = fail(Code::bug, Side::self, "not asked again");  // ends the first answer
  give(request, **fresh);
  co_return co_await next->call(request);
}

}  // namespace banyan
