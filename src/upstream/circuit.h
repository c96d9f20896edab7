// Circuit: the state of a breaker. Closed: exchanges pass, and failures in a row are counted. Open:
// none passes, for `open`. Then half-open: at most `probes` exchanges are under way at once, and
// when so many have gone well it is closed again; one that fails opens it anew. Owner: by a
// service's name for all workers (Circuits), or an endpoint. It outlives every Pass. Thread: any,
// and exact: two workers never let one probe too many pass. Cost while all goes well: one atomic
// load a call and one an outcome; the lock is for failures and what follows them.
// Outcomes of exchanges that began before the last opening are not counted: they are old news.
// Source: Nygard, "Release It!", 2007 (circuit breaker).
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "task/time.h"
#include "upstream/outcome.h"

namespace banyan {

class Circuit {
 public:
  explicit Circuit(const BreakerSettings& settings) : settings_(settings) {}
  Circuit(const Circuit&) = delete;
  Circuit& operator=(const Circuit&) = delete;

  // That an exchange may go. A probe's place is free again at the verdict, or when the pass dies
  // without one.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept
        : circuit_(std::exchange(other.circuit_, nullptr)),
          era_(other.era_),
          probe_(std::exchange(other.probe_, false)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(circuit_, other.circuit_);
      std::swap(era_, other.era_);
      std::swap(probe_, other.probe_);
      return *this;
    }
    ~Pass() {
      if (probe_) circuit_->give_up(era_);
    }
    explicit operator bool() const { return circuit_ != nullptr; }
    // The verdict at the head, and what the body adds to it. True when this closed the circuit.
    bool note(Outcome outcome, Time now) {
      return circuit_ != nullptr &&
             circuit_->note(outcome, era_, std::exchange(probe_, false), now);
    }

   private:
    friend class Circuit;
    Pass(Circuit& circuit, uint64_t era, bool probe)
        : circuit_(&circuit), era_(era), probe_(probe) {}

    Circuit* circuit_ = nullptr;
    uint64_t era_ = 0;
    bool probe_ = false;
  };

  // An empty pass: not now.
  Pass try_pass(Time now);
  // Whether try_pass() would let one pass; it does not count as refused.
  bool passable(Time now) const;
  // How long until a probe may go; 0: at once, or as soon as those under way have ended.
  Duration left(Time now) const;

  enum class State : uint8_t { closed, open, half_open };
  struct Status {
    State state = State::closed;
    Duration left{};        // while open
    uint32_t failures = 0;  // in a row, while closed
    uint32_t probes = 0;    // under way
    uint64_t opened = 0;    // times
    uint64_t refused = 0;   // exchanges
  };
  Status status(Time now) const;
  const BreakerSettings& settings() const { return settings_; }

 private:
  bool note(Outcome outcome, uint64_t era, bool probe, Time now);
  void give_up(uint64_t era);
  bool may_probe(Time now) const {
    return now >= open_until_ && probes_ + good_ < settings_.probes;
  }
  void open(Time now);
  void close();
  // The era and whether there is nothing to count or to refuse, in one word.
  void publish() {
    const bool calm = closed_ && run_.longest() == 0;
    word_.store(era_ << 1 | (calm ? 1u : 0u), std::memory_order_relaxed);
  }

  const BreakerSettings settings_;
  std::atomic<uint64_t> word_{1};
  std::atomic<uint64_t> refused_{0};
  mutable std::mutex mutex_;
  // Under the mutex:
  bool closed_ = true;
  FailureRun run_;
  Time open_until_{};
  uint64_t era_ = 0;     // counts the openings
  uint32_t probes_ = 0;  // under way
  uint32_t good_ = 0;    // probes that went well
  bool breaks_ = false;  // it was bodies that opened it
};

// The circuits of services by name: every worker and every version of the configuration with the
// same settings has the same one. One that nobody holds any more is forgotten. Owner: the process.
// Thread: any.
class Circuits {
 public:
  std::shared_ptr<Circuit> of(const std::string& name, const BreakerSettings& settings);

 private:
  std::mutex mutex_;
  // Several of one name while a reload is under way.
  std::map<std::string, std::vector<std::weak_ptr<Circuit>>> circuits_;
};

std::string_view name(Circuit::State state);  // "half-open"

}  // namespace banyan
