// NativeEngine: what the engines over the kernel's sockets share: listening, accepting, connecting
// and the clocks. Each of them adds how it waits and its kind of stream. Owner: a worker thread.
// Thread: its loop's, but wake(). make_native_engine() chooses one at run time: io_uring where the
// kernel has it and permits it (containers often do not), else epoll.
#pragma once
#include "io/engine.h"

namespace banyan {

class EpollEngine;

// Something that waits for events of a descriptor. on_events may destroy it, or any other.
class Pollable {
 public:
  virtual void on_events(uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

class NativeEngine : public Engine {
 public:
  Time now() final;
  WallTime wall() final;
  Result<ListenerPtr> listen(const Address& at, const ListenOptions& options) final;

  // `events` as epoll_ctl takes them. With EPOLLONESHOT the target hears of one event. One
  // descriptor a target. Code::overloaded when the kernel refuses.
  virtual Result<> add(int descriptor, uint32_t events, Pollable& target) = 0;
  // Before the target dies or its descriptor closes: events of this batch no longer reach it.
  virtual void remove(int descriptor, Pollable& target, bool descriptor_stays) = 0;
  // The stream over a connected socket, which it closes.
  virtual StreamPtr adopt(int descriptor, Side side, Address peer) = 0;
  virtual std::string_view name() const = 0;
  // For what waits with epoll (c-ares, inotify, signals), whatever the engine.
  virtual EpollEngine& pollables() = 0;

 private:
  bool start(Connect& op) final;
  void cancel(Connect& op, Code why) final;
};

enum class EngineChoice : uint8_t { automatic, epoll, uring };

// Whether this kernel gives it to this process. automatic: always.
bool has_engine(EngineChoice choice);
// Null when has_engine() is false.
std::unique_ptr<NativeEngine> make_native_engine(EngineChoice choice);

}  // namespace banyan
