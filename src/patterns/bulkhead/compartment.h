// Compartment: permits for calls, exact over all workers, with a bounded, fair, deadline-aware
// queue. Owner: the process, by name, so that it survives reloads (app/compartments.h); shared with
// every permit's holder. Thread: any; a waiter is woken on its own loop. Bounds: `concurrency`
// permits, `queue` waiters, `wait` in the queue, `bytes` of content in flight. Cost: without keys
// and bytes one atomic operation to take a permit and one to give it back while nobody waits; else
// a short lock. What cannot meet its deadline is dropped before it gets a permit. Under overload
// (the queue has not been empty for `overload_after`) the newest are served first: those have a
// chance to be in time (adaptive LIFO: Maurer, "Fail at Scale", ACM Queue 2015).
#pragma once
#include <atomic>
#include <coroutine>
#include <mutex>
#include <optional>

#include "patterns/bulkhead/fair_queue.h"
#include "patterns/bulkhead/gradient.h"
#include "task/task.h"

namespace banyan {

struct CompartmentLimits {
  uint32_t concurrency = 1000;
  uint32_t queue = 0;
  Duration wait = std::chrono::seconds(1);
  uint64_t bytes = 0;                      // of content in flight; 0: not bounded
  std::optional<GradientBounds> adaptive;  // else `concurrency` is the limit
  bool keyed = false;
  std::map<std::string, uint32_t, std::less<>> shares;
  uint32_t standard_share = 1;
  // Of the limit, in hundredths of a percent: what anybody may fill. The rest is kept for keys that
  // have less than that rest.
  uint32_t lend = 10'000;
  friend bool operator==(const CompartmentLimits&, const CompartmentLimits&) = default;
};

class Compartment {
 public:
  static constexpr Duration overload_after = std::chrono::milliseconds(100);

  explicit Compartment(const CompartmentLimits& limits);
  ~Compartment();
  Compartment(const Compartment&) = delete;
  Compartment& operator=(const Compartment&) = delete;

  // Other limits from now on. Permits that are out stay out, waiters keep their place.
  void configure(const CompartmentLimits& limits);
  // On a loop, after configure(): those that wait get what has become free.
  void wake(Loop& loop);

  // Its compartment must outlive it.
  class Permit {
   public:
    Permit(Permit&& other) noexcept;
    Permit& operator=(Permit&&) = delete;
    ~Permit();
    // The head of the answer is there: what an adaptive limit goes by. The service could begin at
    // `begun`, when the client had sent all; an earlier one counts from the permit on.
    void answered(Time begun);
    // There will be none: it took too long, or failed. A service that hangs is heard of only so.
    void unanswered(Time begun);

   private:
    friend class Compartment;
    Permit(Compartment& home, Loop& loop, FairQueue::Key* key, uint64_t bytes);

    Compartment* home_;
    Loop* loop_;
    FairQueue::Key* key_;  // null: the compartment is not keyed
    uint64_t bytes_;
    Time since_;
  };

  struct Ask {
    std::string_view key;  // alive until the permit is given
    Priority priority = Priority::normal;
    uint64_t bytes = 0;  // of content; one larger than the bound counts as the bound
  };
  // Result: a permit; Code::overloaded, Side::self with the reason; or why it was called off.
  class Acquire final : public Cancellable, private Timer, private FairQueue::Ticket {
   public:
    Acquire(Compartment& home, const Ask& ask) : home_(home), ask_(ask) {}
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) {
      return begin(*caller.promise().context, caller);
    }
    Result<Permit> await_resume();

   private:
    friend class Compartment;
    bool begin(Context& context, std::coroutine_handle<> caller);
    void decide(Result<> result, Loop& from);
    void arrive();
    bool leave(Error why);
    void fire() noexcept override;
    void on_cancel(Code why) noexcept override;
    void describe(std::string& out, int depth) const override;

    Compartment& home_;
    const Ask ask_;
    Loop* loop_ = nullptr;
    std::coroutine_handle<> caller_;
    FairQueue::Key* permit_key_ = nullptr;
    Time since_{};
    Time deadline_ = never;    // of the whole exchange
    bool waiting_ = false;     // in the queue; under the compartment's lock
    bool late_first_ = false;  // the deadline ends the wait, not `wait`
    Result<> result_;
  };
  Acquire acquire(const Ask& ask) { return Acquire(*this, ask); }

  struct Status {
    uint32_t limit = 0;
    uint32_t in_flight = 0;
    uint32_t queued = 0;
    uint64_t admitted = 0;  // permits given, in all
    uint64_t waited = 0;    // of these, after a wait
    uint64_t refused_full = 0;
    uint64_t refused_late = 0;    // could not have met its deadline
    uint64_t refused_waited = 0;  // no permit came free within `wait`
    uint64_t bytes = 0;           // of content in flight, where they are bounded
    Duration waited_for{};        // by those that got a permit, in all
  };
  Status status() const;
  // When one more may find room: by how fast permits come back. 1 second and more.
  uint32_t retry_after_seconds() const;

 private:
  using Counter = std::atomic<uint64_t>;
  // One word, so that both can be changed together: permits out, and waiters.
  struct State {
    uint32_t in_flight;
    uint32_t queued;
  };
  static_assert(sizeof(State) == 8);
  enum class Entered : uint8_t { permit, refused, queued };

  bool has_fast_path() const { return fast_.load(std::memory_order_relaxed); }
  bool take_fast();
  bool release_fast();
  Entered enter(Acquire& waiter);
  void release(Permit& permit);
  using Learn = bool (Gradient::*)(Duration, uint32_t, Time);
  void learn(Learn from, Duration took, Loop& loop);
  Duration answer_time() const { return Duration(answer_ns_.load(std::memory_order_relaxed)); }
  // Under the lock:
  bool fits(uint64_t bytes) const;
  void take(Acquire& waiter);
  uint32_t limit_for(const FairQueue::Key& key) const;
  Entered make_room(Acquire& waiter, Time now);
  void enqueue(Acquire& waiter);
  void dequeue(Acquire& waiter);
  void drop(Acquire& waiter, Counter& count, const char* why, Loop& from);
  void dispatch(Loop& from);
  void set_limit(uint32_t limit) { limit_.store(limit, std::memory_order_relaxed); }
  bool too_late(const Acquire& waiter, Time now, uint64_t ahead) const;
  Entered wait_for_turn(Acquire& waiter, Time now);
  bool overloaded(Time now) const;
  template <class Change>
  void change(Change f);

  mutable std::mutex mutex_;
  CompartmentLimits limits_;
  FairQueue queue_;
  std::optional<Gradient> gradient_;
  uint64_t bytes_ = 0;
  Time busy_since_ = never;  // the queue has not been empty since; never: it is
  std::atomic<State> state_{State{0, 0}};
  std::atomic<uint32_t> limit_;
  std::atomic<bool> fast_;
  // Moving averages: how long a permit is out, and how long an answer takes from its permit on.
  std::atomic<int64_t> held_ns_{0}, answer_ns_{0};
  Counter admitted_{0}, waited_{0}, waited_ns_{0};
  Counter refused_full_{0}, refused_late_{0}, refused_waited_{0};
};
using CompartmentPtr = std::shared_ptr<Compartment>;

}  // namespace banyan
