#include "patterns/ambassador/retry_state.h"

namespace banyan {

namespace {

struct Text {
  std::string_view word, sentence;
};
constexpr std::array<Text, static_cast<size_t>(Refusal::count)> texts = {{
    {"unsafe", "not sent again: it may have been processed, and its method is not idempotent"},
    {"content", "not sent again: its content is longer than what is kept for that"},
    {"attempts", "not sent again: all attempts are used"},
    {"deadline", "not sent again: no time is left for it"},
    {"budget", "not sent again: the budget for retries is spent"},
    {"caller", "not sent again: the caller asked for that"},
}};

}  // namespace

std::string_view word_of(Refusal why) { return texts[static_cast<size_t>(why)].word; }
std::string_view sentence_of(Refusal why) { return texts[static_cast<size_t>(why)].sentence; }

RetryState& RetryStates::of(const std::string& service, Percent share, uint32_t floor) {
  std::lock_guard lock(mutex_);
  const bool room = states_.size() < services_max || states_.contains(service);
  auto& found = states_[room ? service : std::string(others)];
  if (found == nullptr) found = std::make_unique<RetryState>(share, floor);
  return *found;
}

}  // namespace banyan
