// Catalog: the demo's products. GET /products, GET /products/{id}. Version 3 adds `"version": 3` to
// each product, so that a split between the two can be seen. Owner: the shop. Thread: the shop's.
// Stateless: any number of instances give the same answers.
#pragma once
#include "service/service.h"

namespace banyan::demo {

class Catalog final : public Service {
 public:
  explicit Catalog(uint32_t version) : version_(version) {}
  Task<Reply> call(Request& request) override;

 private:
  Response answer(Request& request) const;
  Response list(Request& request) const;
  Response one(Request& request, std::string_view id) const;

  const uint32_t version_;
};

}  // namespace banyan::demo
