// Monolith: the shop's old system, as such systems are: HTML pages, a form, an error that says 200,
// a slow report. Owner: the shop. Thread: the shop's. Stateless: an order's number says what was
// ordered. Bounds: a form of 16 KiB; an order is for 1 to 99 pieces.
//   GET /  /old-home  /about  /orders  /orders/{number}     pages
//   POST /orders                                            a form: product, quantity
//   GET /legacy/customer?no=7                               {"ok":false, ...} with status 200
//   GET /report                                             takes 300 ms
//   any /echo                                               the request as it arrived here
#pragma once
#include "service/service.h"

namespace banyan::demo {

class Monolith final : public Service {
 public:
  static constexpr Duration report_takes = std::chrono::milliseconds(300);
  Task<Reply> call(Request& request) override;

 private:
  Task<Reply> report(Request& request);
  Task<Reply> take_order(Request& request);
  Task<Reply> echo(Request& request);
};

}  // namespace banyan::demo
