#include "io/uring.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "io/uring_socket.h"

namespace banyan {

namespace {

constexpr unsigned tag_mask = 7;

// The last of these flags to come into the kernel brought with it all else that is used here.
int make_ring(io_uring& ring, unsigned submissions, unsigned completions) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                 IORING_SETUP_R_DISABLED;
  params.cq_entries = completions;
  const int error = io_uring_queue_init_params(submissions, &ring, &params);
  if (error != 0) return error;
  constexpr unsigned needed = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL;
  if ((params.features & needed) == needed) return 0;
  io_uring_queue_exit(&ring);
  return -ENOSYS;
}

void* map_pages(size_t bytes) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED);
  return pages;
}

int register_buffers(io_uring& ring, void* entries, unsigned count, int group) {
  io_uring_buf_reg reg{};
  reg.ring_addr = reinterpret_cast<uintptr_t>(entries);
  reg.ring_entries = count;
  reg.bgid = static_cast<uint16_t>(group);
  return io_uring_register_buf_ring(&ring, &reg, 0);
}

size_t ring_bytes(unsigned buffers) { return buffers * sizeof(io_uring_buf); }

}  // namespace

// A Pollable's wait. It outlives its target until the kernel has let go of the descriptor.
class PollWatch final : public UringTarget {
 public:
  PollWatch(UringEngine& engine, int descriptor, uint32_t events, Pollable& target)
      : engine_(engine), descriptor_(descriptor), events_(events), target_(&target) {
    arm();
  }
  void on_completion(unsigned, int result, unsigned flags) override {
    pending_ = (flags & IORING_CQE_F_MORE) != 0;
    if (target_ == nullptr) {
      if (!pending_) delete this;
      return;
    }
    seen_ |= result < 0 ? uint32_t{EPOLLERR} : static_cast<uint32_t>(result);
    engine_.settle_later(*this);
  }
  void settle() override {
    Pollable& target = *target_;
    const uint32_t seen = std::exchange(seen_, 0);
    if (!pending_ && (events_ & EPOLLONESHOT) != 0) {
      engine_.watches_.erase(&target);
      delete this;
    } else if (!pending_) {
      arm();
    }
    target.on_events(seen);
  }
  // True when the kernel still has to let go.
  bool leave() {
    target_ = nullptr;
    unlink();
    const bool wait = pending_;
    if (wait) {
      engine_.call_off(*this, 0);
      engine_.linger(*this);
    } else {
      delete this;
    }
    return wait;
  }

 private:
  void arm() {
    io_uring_sqe& entry = engine_.prepare(*this, 0);
    // More than one event is told by edges.
    const uint32_t asked = events_ & ~uint32_t{EPOLLONESHOT | EPOLLET};
    if ((events_ & EPOLLONESHOT) != 0)
      io_uring_prep_poll_add(&entry, descriptor_, asked);
    else
      io_uring_prep_poll_multishot(&entry, descriptor_, asked);
    pending_ = true;
  }

  UringEngine& engine_;
  const int descriptor_;
  const uint32_t events_;
  uint32_t seen_ = 0;
  bool pending_ = false;
  Pollable* target_;
};

bool UringEngine::available() {
  io_uring ring;
  if (make_ring(ring, 4, 8) != 0) return false;
  constexpr unsigned few = 4;
  void* entries = map_pages(ring_bytes(few));
  const bool works = register_buffers(ring, entries, few, buffer_group) == 0;
  io_uring_queue_exit(&ring);
  ::munmap(entries, ring_bytes(few));
  return works;
}

UringEngine::UringEngine(const UringBounds& bounds)
    : bounds_(bounds), wakeup_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(wakeup_ >= 0);
  CHECK(make_ring(ring_, bounds_.submissions, bounds_.completions) == 0);
  buffer_ring_ = static_cast<io_uring_buf_ring*>(map_pages(ring_bytes(bounds_.buffers)));
  blocks_ = static_cast<char*>(map_pages(size_t{bounds_.buffers} * buffer_bytes));
  CHECK(register_buffers(ring_, buffer_ring_, bounds_.buffers, buffer_group) == 0);
  io_uring_buf_ring_init(buffer_ring_);
  for (unsigned id = 0; id < bounds_.buffers; ++id) give_back(id);
  CHECK(add(wakeup_, EPOLLIN | EPOLLONESHOT, doorbell_));
  CHECK(add(pollables_.descriptor(), EPOLLIN | EPOLLONESHOT, inner_));
}

UringEngine::~UringEngine() {
  remove(wakeup_, doorbell_, false);
  remove(pollables_.descriptor(), inner_, false);
  wait_for_the_kernel();
  io_uring_queue_exit(&ring_);
  // Those the kernel had no chance to answer: the ring's end has called them off.
  while (UringTarget* target = lingering_.pop_front())
    target->on_completion(tag_mask, -ECANCELED, 0);
  for (char* block : send_blocks_) delete[] block;
  ::munmap(buffer_ring_, ring_bytes(bounds_.buffers));
  ::munmap(blocks_, size_t{bounds_.buffers} * buffer_bytes);
  ::close(wakeup_);
}

// What is called off answers at once, so the bound is never met; on a thread that is not the
// ring's, or before any began, there is nothing to wait for.
void UringEngine::wait_for_the_kernel() {
  for (int i = 0; enabled_ && !lingering_.empty() && i < 100; ++i) {
    if (io_uring_submit_and_get_events(&ring_) < 0) return;
    note_completions();
  }
}

// The first wait decides whose the ring is: a worker is made by another thread than it runs on.
void UringEngine::enable() {
  if (enabled_) return;
  // io_uring_enable_rings() is missing from the shared library of liburing 2.3.
  CHECK(io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS,
                          nullptr, 0) == 0);
  enabled_ = true;
  io_uring_register_ring_fd(&ring_);  // spares looking it up; older kernels do without
  if (io_uring_register_files_sparse(&ring_, slots) != 0) return;
  for (int slot = slots; slot > 0; --slot) free_slots_.push_back(slot - 1);
}

void UringEngine::submit() {
  enable();
  io_uring_submit(&ring_);
}

io_uring_sqe& UringEngine::prepare(UringTarget& target, unsigned tag) {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  for (int i = 0; entry == nullptr && i < 100; ++i) {
    submit();
    entry = io_uring_get_sqe(&ring_);
  }
  CHECK(entry != nullptr);
  entry->user_data = reinterpret_cast<uintptr_t>(&target) | tag;
  return *entry;
}

void UringEngine::call_off(UringTarget& target, unsigned tag) {
  io_uring_sqe& entry = prepare(target, tag);
  io_uring_prep_cancel64(&entry, entry.user_data, 0);
  // Nobody waits for this answer: that of the operation called off is enough.
  entry.user_data = 0;
  entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void UringEngine::settle_later(UringTarget& target) {
  if (target.linked()) return;
  touched_.push_back(target);
  if (trails_.size() < trails_kept) trails_.push_back(target.trail_);
}

void UringEngine::linger(UringTarget& target) {
  target.lingers_until_ = after(now(), bounds_.linger);
  lingering_.push_back(target);
}

Time UringEngine::first_to_give_up() const {
  return lingering_.empty() ? never : lingering_.front()->lingers_until_;
}

void UringEngine::give_up_lingering() {
  if (first_to_give_up() == never) return;
  const Time at = now();
  while (first_to_give_up() <= at) {
    UringTarget& target = *lingering_.pop_front();
    target.give_up();
    linger(target);
  }
}

void UringEngine::give_back(unsigned id) {
  io_uring_buf_ring_add(buffer_ring_, blocks_ + size_t{id} * buffer_bytes, buffer_bytes,
                        static_cast<uint16_t>(id), io_uring_buf_ring_mask(bounds_.buffers), 0);
  io_uring_buf_ring_advance(buffer_ring_, 1);
}

int UringEngine::remember(int descriptor) {
  if (free_slots_.empty()) return no_slot;
  const int slot = free_slots_.back();
  if (io_uring_register_files_update(&ring_, static_cast<unsigned>(slot), &descriptor, 1) != 1)
    return no_slot;
  free_slots_.pop_back();
  return slot;
}

void UringEngine::forget(int slot) {
  int nothing = -1;
  io_uring_register_files_update(&ring_, static_cast<unsigned>(slot), &nothing, 1);
  free_slots_.push_back(slot);
}

char* UringEngine::take_send_block() {
  if (send_blocks_.empty()) return new char[send_bytes];
  char* block = send_blocks_.back();
  send_blocks_.pop_back();
  return block;
}

void UringEngine::give_send_block(char* block) {
  if (send_blocks_.size() < send_blocks_kept)
    send_blocks_.push_back(block);
  else
    delete[] block;
}

bool UringEngine::wait(Time until) {
  enable();
  until = std::min(until, first_to_give_up());
  const Duration left =
      until == never ? Duration::max() : (until <= Time{} ? Duration{} : until - now());
  if (left <= Duration{}) {
    io_uring_submit_and_get_events(&ring_);
    return true;
  }
  __kernel_timespec limit{.tv_sec = left.count() / 1'000'000'000,
                          .tv_nsec = left.count() % 1'000'000'000};
  io_uring_cqe* first;
  io_uring_submit_and_wait_timeout(&ring_, &first, 1, until == never ? nullptr : &limit, nullptr);
  return true;
}

// Those of coming completions: who has an operation with the kernel is there until it ends.
void UringEngine::prefetch_targets(unsigned completion) const {
  constexpr unsigned far = 8, near = 4, target_lines = 5, operation_lines = 4;
  const unsigned left = *ring_.cq.ktail - completion;
  const auto target_at = [&](unsigned ahead) {
    const io_uring_cqe& entry = ring_.cq.cqes[(completion + ahead) & *ring_.cq.kring_mask];
    return reinterpret_cast<const UringTarget*>(entry.user_data & ~uint64_t{tag_mask});
  };
  if (left > far) FrameTrail::prefetch_lines(target_at(far), target_lines);
  if (left <= near) return;
  if (const UringTarget* target = target_at(near); target != nullptr)
    FrameTrail::prefetch_lines(target->trail_.frames[0], operation_lines);
}

void UringEngine::note_completions() {
  unsigned head, count = 0;
  io_uring_cqe* entry;
  io_uring_for_each_cqe(&ring_, head, entry) {
    ++count;
    prefetch_targets(head);
    if (entry->user_data == 0) continue;
    auto* target = reinterpret_cast<UringTarget*>(entry->user_data & ~uint64_t{tag_mask});
    target->on_completion(entry->user_data & tag_mask, entry->res, entry->flags);
  }
  io_uring_cq_advance(&ring_, count);
}

void UringEngine::dispatch() {
  note_completions();
  give_up_lingering();
  const bool many = trails_.size() >= prefetch_least;
  for (size_t i = prefetch_ahead; UringTarget* target = touched_.pop_front(); ++i) {
    if (many && i < trails_.size()) trails_[i].prefetch();
    settled_.push_back(*target);
    target->settle();
  }
  trails_.clear();
  while (UringTarget* target = settled_.pop_front()) target->rest();
}

void UringEngine::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wakeup_, &one, sizeof one);
}

void UringEngine::Doorbell::on_events(uint32_t) {
  uint64_t count;
  [[maybe_unused]] const ssize_t n = ::read(engine.wakeup_, &count, sizeof count);
  CHECK(engine.add(engine.wakeup_, EPOLLIN | EPOLLONESHOT, *this));
}

void UringEngine::Inner::on_events(uint32_t) {
  engine.pollables_.wait(Time{});
  engine.pollables_.dispatch();
  CHECK(engine.add(engine.pollables_.descriptor(), EPOLLIN | EPOLLONESHOT, *this));
}

Result<> UringEngine::add(int descriptor, uint32_t events, Pollable& target) {
  const auto [at, fresh] = watches_.try_emplace(&target, nullptr);
  if (!fresh) return fail(Code::overloaded, Side::self, "the descriptor is watched already");
  at->second = new PollWatch(*this, descriptor, events, target);
  return {};
}

// The kernel holds on to the file while it polls: a listener would go on listening, so it has to
// let go before the descriptor is closed (and its number is another's).
void UringEngine::remove(int, Pollable& target, bool) {
  const auto at = watches_.find(&target);
  if (at == watches_.end()) return;
  PollWatch& watch = *at->second;
  watches_.erase(at);
  if (!watch.leave() || !enabled_) return;
  io_uring_submit_and_get_events(&ring_);
}

StreamPtr UringEngine::adopt(int descriptor, Side side, Address peer) {
  return std::make_unique<UringSocket>(*this, descriptor, side, std::move(peer));
}

}  // namespace banyan
