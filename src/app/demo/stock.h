// Stock: how many of an article there are. GET /stock/{sku} for one, GET /stock?skus=A,B for a
// batch: articles that do not exist are left out of its answer. Owner: the shop. Thread: the
// shop's. Bound: 50 articles a batch. A SKU is 1 to 16 of A-Z, 0-9 and '-'.
#pragma once
#include "service/service.h"

namespace banyan::demo {

class Stock final : public Service {
 public:
  Task<Reply> call(Request& request) override;
};

}  // namespace banyan::demo
