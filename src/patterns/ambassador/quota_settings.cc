#include "patterns/ambassador/quota_settings.h"

namespace banyan {

using namespace std::chrono_literals;

void declare(Fields<QuotaSettings>& f) {
  f.about("quota",
          "How often a service lets itself be asked, kept over all workers: calls beyond wait for "
          "the next window, or are refused with 429 before the service would do it.");
  f.field("learn", &QuotaSettings::learn,
          "From the service's answers: `RateLimit`, `RateLimit-*`, `X-RateLimit-*`, and "
          "`Retry-After` with 429 and 503.");
  f.field("limit", &QuotaSettings::limit, "Calls in a `window`, where the contract says so.",
          between<uint32_t>(1, 1'000'000'000));
  f.field("window", &QuotaSettings::window, "With `limit`; it begins with the first call.",
          between(1s, 24h));
  f.field("wait", &QuotaSettings::wait,
          "For the next window at most; `0` refuses at once. What would come after the call's "
          "deadline does not wait at all.",
          between(0s, 5min));
  f.field("queue", &QuotaSettings::queue, "So many may wait.", between<uint32_t>(0, 100'000));
  f.shorthand("learn");
  f.verify([](const QuotaSettings& s, const Node& node, const Reading& at) {
    if (s.limit.has_value() != s.window.has_value())
      at.error(node.place, "limit and window go together");
    if (!s.learn && !s.limit)
      at.error(node.place, "keeps nothing: nothing is learned, and no limit is given");
  });
}

}  // namespace banyan
