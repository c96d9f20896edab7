// Socket: a Stream over a TCP or Unix socket of the epoll engine.
// Owner: the connection. Thread: its loop's.
// Edge-triggered and registered once: an operation is tried at once, and waits for an event only
// after the kernel said EAGAIN. A read that returns less than was asked for has emptied the socket,
// so the next one waits without asking (unless the peer is known to have closed).
#pragma once
#include "io/epoll.h"

namespace banyan {

class Socket final : public Stream, public Pollable, public Pooled {
 public:
  using Pooled::operator new;
  using Pooled::operator delete;
  Socket(EpollEngine& engine, int descriptor, Side side, Address peer);
  ~Socket() override;

  void shutdown_write() override;
  void shutdown_read() override;
  void abort() override;
  const Address& peer() const override { return peer_; }
  bool quiet() override;
  int descriptor() const override { return descriptor_; }
  void on_events(uint32_t events) override;
  // For zero-copy moves: waits like a read or write would, after the caller met EAGAIN itself.
  void mark_drained() { readable_ = false; }

 private:
  bool start(Read& op) override;
  bool start(Write& op) override;
  void cancel(Read& op, Code why) override;
  void cancel(Write& op, Code why) override;
  void watch(Cancel* scope) override;

  bool try_read(Read& op);
  bool try_write(Write& op);
  ssize_t receive(char* into, size_t bytes, int flags);
  // Code::overloaded when the kernel refuses: whoever wants to wait fails then.
  Result<> ensure_registered();
  std::unexpected<Error> broken(int error);

  EpollEngine& engine_;
  const int descriptor_;
  bool registered_ = false;
  bool readable_ = true;  // a read may succeed: nobody has seen EAGAIN since the last event
  bool writable_ = true;
  bool peer_closed_ = false;
  bool reset_ =
      false;  // an error was seen: the end that the kernel reports after it is no orderly one
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
  Cancel* watcher_ = nullptr;
  Address peer_;
};

}  // namespace banyan
