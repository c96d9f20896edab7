// Sellers: who sells a product. GET /sellers/{id}.
// Owner: the shop. Thread: the shop's. Stateless.
#pragma once
#include "service/service.h"

namespace banyan::demo {

class Sellers final : public Service {
 public:
  Task<Reply> call(Request& request) override;
};

}  // namespace banyan::demo
