// UringEngine: the engine over io_uring(7), where the kernel has it (6.1 and later) and permits it.
// Owner: a worker thread. Thread: its loop's (the ring belongs to the first thread that waits), but
// wake(), which any may call. Bounds: those of UringBounds; a burst of bytes that finds no block is
// read when some are back, and completions beyond the ring's are kept by the kernel. What a turn
// asks of the kernel goes with the one system call of its wait.
// A turn has three passes, so that nothing is destroyed while completions still point at it: all
// completions are noted; then whoever had one settles, which resumes coroutines; then it comes to
// rest: what nobody read is moved out of the kernel's blocks.
#pragma once
#include <liburing.h>

#include <unordered_map>
#include <vector>

#include "base/intrusive.h"
#include "io/epoll.h"
#include "io/frame_trail.h"
#include "io/native_engine.h"

namespace banyan {

// Whoever has operations with the kernel. It outlives them all.
class UringTarget : public Hook {
 public:
  // The end of the operation started with `tag`, unless `flags` say that more follows. Resumes
  // nobody; asks the engine to settle() it.
  virtual void on_completion(unsigned tag, int result, unsigned flags) = 0;
  // May destroy itself and others.
  virtual void settle() = 0;
  virtual void rest() {}
  // It has lingered for as long as it may.
  virtual void give_up() {}

 protected:
  ~UringTarget() = default;
  FrameTrail trail_;  // of who waits for it to be settled

 private:
  friend class UringEngine;
  Time lingers_until_ = never;
};

class PollWatch;

// Powers of two. The standard: 1000 connections that speak in the same turn find room.
struct UringBounds {
  unsigned submissions = 1024;
  unsigned completions = 8192;
  unsigned buffers = 256;  // of UringEngine::buffer_bytes, which the kernel fills for all streams
  std::chrono::milliseconds linger = std::chrono::seconds(10);  // for the last words of a stream
};

class UringEngine final : public NativeEngine {
 public:
  // False: the kernel is too old, or forbids it.
  static bool available();
  explicit UringEngine(const UringBounds& bounds = {});
  // After its streams and listeners.
  ~UringEngine() override;

  bool wait(Time until) override;
  void dispatch() override;
  void wake() override;

  Result<> add(int descriptor, uint32_t events, Pollable& target) override;
  void remove(int descriptor, Pollable& target, bool descriptor_stays) override;
  StreamPtr adopt(int descriptor, Side side, Address peer) override;
  std::string_view name() const override { return "io_uring"; }
  EpollEngine& pollables() override { return pollables_; }

  // For targets. The entry that asks the kernel, sent with the next wait; `tag` < 8.
  io_uring_sqe& prepare(UringTarget& target, unsigned tag);
  void call_off(UringTarget& target, unsigned tag);
  void settle_later(UringTarget& target);
  // One that only waits for the kernel to let go, and then deletes itself.
  void linger(UringTarget& target);
  bool lingering() const { return !lingering_.empty(); }
  // The kernel's blocks: what was read into one; and back to the kernel.
  static constexpr unsigned buffer_bytes = 4096;
  const char* buffer(unsigned id) const { return &blocks_[size_t{id} * buffer_bytes]; }
  void give_back(unsigned id);
  static constexpr int buffer_group = 0;
  // The ring's own name for a descriptor that is used often: the kernel need not count who has it.
  // It keeps the file open until forget(). no_slot: there are no more.
  static constexpr int no_slot = -1;
  int remember(int descriptor);
  void forget(int slot);
  // A block for a small write under way.
  static constexpr size_t send_bytes = 2048;
  char* take_send_block();
  void give_send_block(char* block);

 private:
  friend class PollWatch;
  // The two descriptors of the engine itself: the wake-up's, and the inner set's.
  struct Doorbell final : Pollable {
    explicit Doorbell(UringEngine& owner) : engine(owner) {}
    void on_events(uint32_t) override;
    UringEngine& engine;
  };
  struct Inner final : Pollable {
    explicit Inner(UringEngine& owner) : engine(owner) {}
    void on_events(uint32_t) override;
    UringEngine& engine;
  };

  void enable();
  void submit();
  void note_completions();
  void prefetch_targets(unsigned completion) const;
  void wait_for_the_kernel();
  Time first_to_give_up() const;
  void give_up_lingering();

  static constexpr unsigned send_blocks_kept = 256, slots = 4096;
  // From so many completions in a turn on, frames are fetched this many ahead of their use.
  static constexpr size_t prefetch_least = 16, prefetch_ahead = 3, trails_kept = 1024;
  const UringBounds bounds_;
  io_uring ring_;
  bool enabled_ = false;
  io_uring_buf_ring* buffer_ring_;
  char* blocks_;
  std::vector<char*> send_blocks_;
  std::vector<int> free_slots_;
  std::vector<FrameTrail> trails_;  // of touched_, in its order; some may be missing
  List<UringTarget> touched_, settled_;
  List<UringTarget> lingering_;  // in the order of lingers_until_
  std::unordered_map<Pollable*, PollWatch*> watches_;
  int wakeup_;
  Doorbell doorbell_{*this};
  Inner inner_{*this};
  EpollEngine pollables_;
};

}  // namespace banyan
