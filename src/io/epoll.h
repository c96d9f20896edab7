// EpollEngine: the engine over Linux epoll(7). The default, because it works everywhere, containers
// included. Owner: a worker thread. Thread: its loop's, but wake(), which any may call. Bound:
// `batch` events a turn; the rest wait for the next. Descriptors that are no sockets of ours
// (c-ares, inotify, signals) join as Pollables.
#pragma once
#include <sys/epoll.h>
#include <sys/socket.h>

#include "io/native_engine.h"

namespace banyan {

class EpollEngine final : public NativeEngine, private Pollable {
 public:
  EpollEngine();
  ~EpollEngine() override;

  bool wait(Time until) override;
  void dispatch() override;
  void wake() override;

  Result<> add(int descriptor, uint32_t events, Pollable& target) override;
  Result<> modify(int descriptor, uint32_t events, Pollable& target);
  void remove(int descriptor, Pollable& target, bool descriptor_stays) override;
  StreamPtr adopt(int descriptor, Side side, Address peer) override;
  std::string_view name() const override { return "epoll"; }
  EpollEngine& pollables() override { return *this; }
  // Readable when a wait would not wait: another engine polls it.
  int descriptor() const { return epoll_; }

 private:
  void on_events(uint32_t events) override;  // of the wake-up descriptor

  static constexpr int batch = 256;
  int epoll_;
  int wakeup_;
  int count_ = 0;  // events found by wait()
  int next_ = 0;   // the first that dispatch() has not handled
  epoll_event events_[batch];
};

}  // namespace banyan
