// What the configuration says of a compartment: how many calls, who waits, who gets which share.
// Owner: the model. Thread: any (read only).
// Words and meaning are told once, in settings.cc; the manual comes from there.
#pragma once
#include "config/schema.h"
#include "http/request_key.h"
#include "patterns/bulkhead/compartment.h"

namespace banyan {

struct AdaptiveSettings {
  bool on = true;
  uint32_t min = 1;
  std::optional<uint32_t> max;  // standard: the compartment's `concurrency`
};

struct BulkheadSettings {
  uint32_t concurrency = 1000;
  uint32_t queue = 0;
  Nanoseconds wait = std::chrono::seconds(1);
  std::optional<Size> bytes;
  std::optional<AdaptiveSettings> adaptive;
  std::string share_by;                 // "header:x-tenant", "cookie:sid", "ip"; empty: nobody
  std::vector<Named<uint32_t>> shares;  // key -> weight; "default" for all others
  Percent lend{10'000};
  std::string priority = "normal";  // "high", "normal", "low", or "header:x-priority"
};

void declare(Fields<AdaptiveSettings>& f);
void declare(Fields<BulkheadSettings>& f);

// What a service or a route says: settings of its own, or the name of a group under `bulkheads`
// that several share. A scalar that begins with a digit is a limit, any other a name.
struct BulkheadUse {
  std::string group;  // empty: `own` holds
  BulkheadSettings own;
  Place place{};
};
template <>
struct Value<BulkheadUse> {
  static bool read(const Node& node, BulkheadUse& out, const Reading& at);
  static TypeNote note();
  static std::string text(const BulkheadUse&) { return ""; }
};
using BulkheadGroups = std::vector<Named<BulkheadSettings>>;
// What is wrong with the group that is named, or an empty text.
std::string group_fault(const BulkheadUse& use, const BulkheadGroups& groups);
// Those that hold for it. There is no fault.
const BulkheadSettings& settings_of(const BulkheadUse& use, const BulkheadGroups& groups);

// Which priority a request has: always the same, or what a header of it says.
class PriorityRule {
 public:
  // nullopt: the text is neither a priority nor "header:NAME".
  static std::optional<PriorityRule> parse(std::string_view text);
  Priority of(const Request& request) const;

 private:
  Priority fixed_ = Priority::normal;
  std::optional<RequestKey> header_;
};

// Both of settings that were read without a fault.
CompartmentLimits limits_of(const BulkheadSettings& settings);
std::optional<RequestKey> share_key_of(const BulkheadSettings& settings);

}  // namespace banyan
