// What the configuration says of a service's quota. Owner: the model. Thread: any (read only).
// Words and meaning are told once, in quota_settings.cc; the manual comes from there.
#pragma once
#include "config/schema.h"

namespace banyan {

struct QuotaSettings {
  bool learn = true;
  std::optional<uint32_t> limit;
  std::optional<Nanoseconds> window;
  Nanoseconds wait = std::chrono::seconds(1);
  uint32_t queue = 100;
  friend bool operator==(const QuotaSettings&, const QuotaSettings&) = default;
};

void declare(Fields<QuotaSettings>& f);

}  // namespace banyan
