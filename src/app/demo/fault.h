// Fault: what is wrong with one copy of a service of the demo, so that one can watch the rest of
// the shop stay healthy. Owner: the shop, one a copy. Thread: the shop's.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "task/time.h"

namespace banyan::demo {

struct Fault {
  enum class Kind : uint8_t {
    none,
    slow,   // each answer, also that of /healthz, is `delay` late
    hang,   // a request gets no answer at all
    error,  // 500 at once
    down    // the port is closed: connections are refused, those there were are cut
  };
  static constexpr std::string_view kinds = "none, slow, hang, error or down";
  static constexpr Duration delay_max = std::chrono::minutes(1);

  Kind kind = Kind::none;
  Duration delay = std::chrono::milliseconds(500);

  bool operator==(const Fault&) const = default;
};

std::string_view text(Fault::Kind kind);
std::optional<Fault::Kind> parse_fault_kind(std::string_view text);
// {"fault":"slow","ms":500}
std::string json_of(const Fault& fault);

}  // namespace banyan::demo
