#include "app/demo/fault.h"

#include <fmt/format.h>

namespace banyan::demo {

namespace {

constexpr std::string_view texts[] = {"none", "slow", "hang", "error", "down"};

}  // namespace

std::string_view text(Fault::Kind kind) { return texts[static_cast<size_t>(kind)]; }

std::optional<Fault::Kind> parse_fault_kind(std::string_view wanted) {
  for (size_t i = 0; i < std::size(texts); ++i)
    if (texts[i] == wanted) return static_cast<Fault::Kind>(i);
  return std::nullopt;
}

std::string json_of(const Fault& fault) {
  if (fault.kind != Fault::Kind::slow) return fmt::format(R"({{"fault":"{}"}})", text(fault.kind));
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(fault.delay);
  return fmt::format(R"({{"fault":"slow","ms":{}}})", ms.count());
}

}  // namespace banyan::demo
