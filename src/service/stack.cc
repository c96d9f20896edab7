#include "service/stack.h"

namespace banyan {

ServicePtr stack(const std::vector<Layer>& layers, ServicePtr inner) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
    inner = layer->wrap(std::move(inner));
  return inner;
}

std::vector<LayerNote> describe(const std::vector<Layer>& layers) {
  std::vector<LayerNote> notes;
  notes.reserve(layers.size());
  for (const auto& layer : layers) notes.push_back({std::string(layer.role), layer.why});
  return notes;
}

}  // namespace banyan
