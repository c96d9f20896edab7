// EpollEngine: the engine over Linux epoll(7). The default, because it works everywhere, containers
// included. Owner: a worker thread. Thread: its loop's, but wake(), which any may call. Bound:
// `batch` events a turn; the rest wait for the next. Descriptors that are no sockets of ours
// (c-ares, inotify, signals) join as Pollables.
#pragma once
#include <sys/epoll.h>

#include "io/engine.h"

namespace banyan {

// Something with a descriptor in the epoll set. on_events may destroy it, or any other.
class Pollable {
 public:
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

class EpollEngine final : public Engine, private Pollable {
 public:
  EpollEngine();
  ~EpollEngine() override;

  Time now() override;
  WallTime wall() override;
  bool wait(Time until) override;
  void dispatch() override;
  void wake() override;
  Result<ListenerPtr> listen(const Address& at, const ListenOptions& options) override;

  // `events` as epoll_ctl takes them. Code::overloaded when the kernel refuses.
  Result<> add(int descriptor, uint32_t events, Pollable& target);
  Result<> modify(int descriptor, uint32_t events, Pollable& target);
  // Before the target dies or its descriptor closes: events of this batch no longer reach it.
  // `known` says whether it was added.
  void remove(int descriptor, Pollable& target, bool descriptor_stays);

 private:
  Result<ListenerPtr> adopt_listener(int descriptor, const Address& local);
  bool start(Connect& op) override;
  void cancel(Connect& op, Code why) override;
  void on_events(uint32_t events) override;  // of the wake-up descriptor

  static constexpr int batch = 256;
  int epoll_;
  int wakeup_;
  int count_ = 0;  // events found by wait()
  int next_ = 0;   // the first that dispatch() has not handled
  epoll_event events_[batch];
};

}  // namespace banyan
