// Instance: one running copy of a service of the demo. It answers /healthz for it, and says in
// x-served-by which copy an answer came from, so that balancing can be seen. Owner: the shop.
// Thread: the shop's.
#pragma once
#include <string>

#include "service/service.h"

namespace banyan::demo {

class Instance final : public Filter {
 public:
  // `name` as in "catalog-2".
  Instance(ServicePtr service, std::string_view name) : Filter(std::move(service)), name_(name) {}
  Task<Reply> call(Request& request) override;

 private:
  const std::string name_;
};

}  // namespace banyan::demo
