// Tries: where the tries of one request went, so that the next one goes elsewhere.
// Owner: the filter that sends it more than once; in the request's arena. Thread: its loop's.
// What is kept is only compared, never followed: an endpoint may have gone since.
// Bound: the latest `kept_max`; a longer memory would exclude nobody, because services that a
// request tries so often have fewer endpoints, or a greater problem.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>

namespace banyan {

class Tries {
 public:
  static constexpr size_t kept_max = 8;

  void add(const void* endpoint) { kept_[count_++ % kept_max] = endpoint; }
  bool has(const void* endpoint) const {
    const auto end = kept_.begin() + std::min(count_, kept_max);
    return std::find(kept_.begin(), end, endpoint) != end;
  }
  bool empty() const { return count_ == 0; }

 private:
  std::array<const void*, kept_max> kept_{};
  size_t count_ = 0;
};

}  // namespace banyan
