// Reviews: what customers say of a product, newest first. GET /products/{id}/reviews?limit=N.
// Owner: the shop. Thread: the shop's.
// Bound: N is 1 to 50, and 10 when it is not given.
#pragma once
#include "service/service.h"

namespace banyan::demo {

class Reviews final : public Service {
 public:
  Task<Reply> call(Request& request) override;
};

}  // namespace banyan::demo
