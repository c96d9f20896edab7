#include "upstream/circuit.h"

#include <algorithm>
#include <array>

namespace banyan {

Circuit::Pass Circuit::try_pass(Time now) {
  const uint64_t word = word_.load(std::memory_order_relaxed);
  if ((word & 1) != 0) return Pass(*this, word >> 1, false);
  const std::lock_guard lock(mutex_);
  if (closed_) return Pass(*this, era_, false);
  if (may_probe(now)) {
    ++probes_;
    return Pass(*this, era_, true);
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

bool Circuit::passable(Time now) const {
  if ((word_.load(std::memory_order_relaxed) & 1) != 0) return true;
  const std::lock_guard lock(mutex_);
  return closed_ || may_probe(now);
}

bool Circuit::note(Outcome outcome, uint64_t era, bool probe, Time now) {
  const uint64_t calm = era << 1 | 1;
  if (!is_failure(outcome) && word_.load(std::memory_order_relaxed) == calm) return false;
  const std::lock_guard lock(mutex_);
  if (era != era_) return false;
  if (closed_) {
    run_.note(outcome);
    if (run_.longest() >= settings_.failures) open(now);
    publish();
    return false;
  }
  // Only a probe is of the era in which the circuit is not closed.
  if (probe) --probes_;
  if (is_failure(outcome)) {
    open(now);
  } else if (probe && ++good_ >= settings_.probes) {
    close();
  }
  publish();
  return closed_;
}

void Circuit::give_up(uint64_t era) {
  const std::lock_guard lock(mutex_);
  if (era == era_) --probes_;
}

void Circuit::open(Time now) {
  if (closed_) breaks_ = run_.broken >= settings_.failures;
  closed_ = false;
  open_until_ = after(now, settings_.open);
  ++era_;
  probes_ = good_ = 0;
  run_ = {};
}

// A probe's good head closes it. When it was bodies that broke off, this proves little: the next
// one that breaks opens it again.
void Circuit::close() {
  closed_ = true;
  good_ = 0;
  run_ = {.broken = breaks_ ? settings_.failures - 1 : 0};
}

Duration Circuit::left(Time now) const {
  const std::lock_guard lock(mutex_);
  return closed_ ? Duration{} : std::max(open_until_ - now, Duration{});
}

Circuit::Status Circuit::status(Time now) const {
  const std::lock_guard lock(mutex_);
  const bool open = !closed_ && now < open_until_;
  return {.state = closed_ ? State::closed
                   : open  ? State::open
                           : State::half_open,
          .left = open ? open_until_ - now : Duration{},
          .failures = run_.longest(),
          .probes = probes_,
          .opened = era_,
          .refused = refused_.load(std::memory_order_relaxed)};
}

std::shared_ptr<Circuit> Circuits::of(const std::string& name, const BreakerSettings& settings) {
  const std::lock_guard lock(mutex_);
  for (auto at = circuits_.begin(); at != circuits_.end();) {
    std::erase_if(at->second, [](const auto& circuit) { return circuit.expired(); });
    at = at->second.empty() ? circuits_.erase(at) : std::next(at);
  }
  auto& named = circuits_[name];
  for (const auto& weak : named)
    if (auto circuit = weak.lock(); circuit != nullptr && circuit->settings() == settings)
      return circuit;
  auto made = std::make_shared<Circuit>(settings);
  named.push_back(made);
  return made;
}

std::string_view name(Circuit::State state) {
  static constexpr std::array<std::string_view, 3> names = {"closed", "open", "half-open"};
  return names[static_cast<size_t>(state)];
}

}  // namespace banyan
