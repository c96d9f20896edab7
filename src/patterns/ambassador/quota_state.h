// QuotaState: how much more one service may be asked, by what it has said itself and by what the
// configuration knows, for all workers. QuotaStates keeps one for each service, over reloads.
// Owner: the process; shared with those that use it. Thread: any. Calls that are under way count as
// if the service had not counted them yet, so that it is asked rather too little than too much.
// After a window has ended nothing is known of the next one: then one call at a time finds out,
// unless the limit is known. Bounds: a pause of `pause_max`, whatever the service says.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "patterns/ambassador/quota_fields.h"
#include "patterns/ambassador/quota_settings.h"

namespace banyan {

class QuotaState {
 public:
  static constexpr Duration pause_max = std::chrono::hours(1);
  // While another call finds out.
  static constexpr Duration look_again = std::chrono::milliseconds(20);

  explicit QuotaState(const QuotaSettings& settings) : settings_(settings) {}

  // A call may go out: it counts as under way until it is told of. Else when to ask again.
  struct Answer {
    bool go = false;
    Time again{};
  };
  Answer ask(Time now);
  // What came of one: nothing (it failed, or was called off), or what the service said.
  // `paused`: it refused, and this long is to be waited.
  void ended(const QuotaSaid& said, std::optional<Duration> paused, Time now);

  // One more that waits; false: too many do.
  bool enter_queue();
  void leave_queue(bool in_vain);
  void refuse();

  struct Status {
    std::optional<uint64_t> remaining;
    uint32_t queued = 0;
    uint64_t waited = 0, refused = 0;
  };
  Status status(Time now) const;

 private:
  void begin_window(Time now);
  std::optional<uint64_t> left() const;

  mutable std::mutex mutex_;
  const QuotaSettings settings_;
  std::optional<uint64_t> limit_, remaining_;  // as the service said
  Time reset_at_ = never;                      // of the service's window
  bool learned_ = false;                       // it has said something before
  Time paused_until_{};
  std::optional<Time> own_reset_at_;  // of the configuration's window; none: no call was made
  uint64_t own_used_ = 0;
  uint64_t under_way_ = 0;
  uint32_t queued_ = 0;
  uint64_t waited_ = 0, refused_ = 0;
};
using QuotaStatePtr = std::shared_ptr<QuotaState>;

class QuotaStates {
 public:
  // A new one when the settings are others than those of the last that asked.
  QuotaStatePtr of(const std::string& service, const QuotaSettings& settings);
  std::map<std::string, QuotaStatePtr> all() const;

 private:
  struct Kept {
    QuotaSettings settings;
    QuotaStatePtr state;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Kept> all_;
};

}  // namespace banyan
