#include "base/error.h"

namespace banyan {

std::string_view name(Code code) {
  switch (code) {
    case Code::cancelled:
      return "cancelled";
    case Code::timeout:
      return "timeout";
    case Code::overloaded:
      return "overloaded";
    case Code::unavailable:
      return "unavailable";
    case Code::reset:
      return "reset";
    case Code::protocol:
      return "protocol";
    case Code::too_large:
      return "too_large";
    case Code::bug:
      return "bug";
  }
  return "unknown";
}

std::string_view name(Side side) {
  switch (side) {
    case Side::client:
      return "client";
    case Side::upstream:
      return "upstream";
    case Side::self:
      return "self";
  }
  return "unknown";
}

}  // namespace banyan
