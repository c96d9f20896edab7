#include "app/demo/instance.h"

#include "app/demo/answer.h"

namespace banyan::demo {

Task<Reply> Instance::call(Request& request) {
  if (request.target.path == "/healthz" && is_read(request))
    co_return make_response(request, 200, "text/plain; charset=utf-8", "ok\n");
  Response rsp = TRY(co_await next->call(request));
  rsp.headers->add("x-served-by", name_);
  co_return rsp;
}

}  // namespace banyan::demo
