#include "app/demo/instance.h"

#include "app/demo/answer.h"
#include "service/respond.h"
#include "task/combine.h"

namespace banyan::demo {

namespace {

// Whoever asked has given up long before.
constexpr Duration hangs_for = std::chrono::hours(1);

}  // namespace

Task<Reply> Instance::answer(Request& request) {
  if (request.target.path == "/healthz" && is_read(request))
    co_return make_response(request, 200, "text/plain; charset=utf-8", "ok\n");
  co_return co_await next->call(request);
}

Task<Reply> Instance::call(Request& request) {
  if (fault_.kind == Fault::Kind::hang) TRY(co_await sleep_for(hangs_for));
  if (fault_.kind == Fault::Kind::slow) TRY(co_await sleep_for(fault_.delay));
  if (fault_.kind == Fault::Kind::error)
    co_return respond(request.arena, 500, "the demo's fault switch is on", Side::self);
  Response rsp = TRY(co_await answer(request));
  rsp.headers->add("x-served-by", name_);
  co_return rsp;
}

}  // namespace banyan::demo
