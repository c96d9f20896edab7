// Instance: one running copy of a service of the demo. It answers /healthz for it, and says in
// x-served-by which copy an answer came from, so that balancing can be seen. It shows the fault it
// was given, in all but Kind::down, which is its port's. Owner: the shop. Thread: the shop's.
#pragma once
#include <string>

#include "app/demo/fault.h"
#include "service/service.h"

namespace banyan::demo {

class Instance final : public Filter {
 public:
  // `name` as in "catalog-2"; `fault` outlives it.
  Instance(ServicePtr service, std::string_view name, const Fault& fault)
      : Filter(std::move(service)), name_(name), fault_(fault) {}
  Task<Reply> call(Request& request) override;

 private:
  Task<Reply> answer(Request& request);

  const std::string name_;
  const Fault& fault_;
};

}  // namespace banyan::demo
