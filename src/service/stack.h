// Stack: layers in their order, each with its role and the reason for its place. Order is
// architecture: what is above sees less, sees it earlier, and is not fooled by what is below
// (decision 6 of the architecture). Owner: app/compose builds stacks and keeps their descriptions
// for /stack and `banyan explain`. Thread: built on any, used by one. A layer that is switched off
// is not in the list: it costs nothing.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "service/service.h"

namespace banyan {

struct Layer {
  std::string_view role;  // "bulkhead"
  std::string why;        // one line: what it must be above or below, and why
  std::move_only_function<ServicePtr(ServicePtr next) const> wrap;
};

// What a layer of a built stack is called, outermost first.
struct LayerNote {
  std::string role;
  std::string why;
};

// `layers` outermost first, around `inner`.
ServicePtr stack(const std::vector<Layer>& layers, ServicePtr inner);
std::vector<LayerNote> describe(const std::vector<Layer>& layers);

}  // namespace banyan
