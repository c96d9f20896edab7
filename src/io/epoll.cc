#include "io/epoll.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "io/socket.h"

namespace banyan {

EpollEngine::EpollEngine()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wakeup_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(epoll_ >= 0 && wakeup_ >= 0);
  CHECK(add(wakeup_, EPOLLIN | EPOLLET, *this));
}

EpollEngine::~EpollEngine() {
  ::close(wakeup_);
  ::close(epoll_);
}

bool EpollEngine::wait(Time until) {
  int timeout_ms = -1;
  if (until != never) {
    // Rounded up: waking before the timer would only mean waiting again.
    const auto left = until <= Time{} ? Duration{} : until - now();
    timeout_ms =
        left <= Duration{}
            ? 0
            : static_cast<int>(std::min<int64_t>((left.count() + 999'999) / 1'000'000, 60'000));
  }
  const int n = ::epoll_wait(epoll_, events_, batch, timeout_ms);
  next_ = 0;
  count_ = std::max(n, 0);
  return true;
}

void EpollEngine::dispatch() {
  while (next_ < count_) {
    const epoll_event event = events_[next_++];
    if (event.data.ptr != nullptr) static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
  }
}

void EpollEngine::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wakeup_, &one, sizeof one);
}

void EpollEngine::on_events(uint32_t) {
  uint64_t count;
  [[maybe_unused]] const ssize_t n = ::read(wakeup_, &count, sizeof count);
}

Result<> EpollEngine::add(int descriptor, uint32_t events, Pollable& target) {
  epoll_event event{.events = events, .data = {.ptr = &target}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
  return fail(Code::overloaded, Side::self, "the kernel refused to watch a descriptor");
}

Result<> EpollEngine::modify(int descriptor, uint32_t events, Pollable& target) {
  epoll_event event{.events = events, .data = {.ptr = &target}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) == 0) return {};
  return fail(Code::overloaded, Side::self, "the kernel refused to watch a descriptor");
}

void EpollEngine::remove(int descriptor, Pollable& target, bool descriptor_stays) {
  // Closing takes a descriptor out of the set; only one that stays open needs a call.
  if (descriptor_stays) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  for (int i = next_; i < count_; ++i)
    if (events_[i].data.ptr == &target) events_[i].data.ptr = nullptr;
}

StreamPtr EpollEngine::adopt(int descriptor, Side side, Address peer) {
  return std::make_unique<Socket>(*this, descriptor, side, std::move(peer));
}

}  // namespace banyan
