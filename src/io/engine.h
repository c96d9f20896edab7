// Engine: the operating system as the data plane sees it: connect, listen, and what Poller adds
// (waiting). Owner: each worker thread has one; it outlives its loop and every stream. Thread: its
// loop's. Three implementations keep one contract (test/io/engine_contract.h): epoll, the
// simulator, and later io_uring. All are completion-shaped: an operation is started, and completed
// exactly once.
#pragma once
#include <memory>

#include "io/stream.h"
#include "task/loop.h"

namespace banyan {

class Network;
class Listener;

// Result: a connected stream (Side::upstream), or why not. Nothing was sent when it fails.
class Connect final : public Operation {
 public:
  Connect(Network& net, const Address& to, Time until)
      : Operation(until), network(net), address(to) {}
  Result<StreamPtr> await_resume() { return std::move(result); }

  Network& network;
  const Address& address;   // alive until the end
  void* pending = nullptr;  // the engine's own
  Result<StreamPtr> result{nullptr};

 private:
  bool start() override;
  void abandon(Code why) override;
  void refuse(Code why) override;
  void describe(std::string& out, int depth) const override;
};

// Result: the next client (Side::client).
class Accept final : public Operation {
 public:
  explicit Accept(Listener& from) : Operation(never), listener(from) {}
  Result<StreamPtr> await_resume() { return std::move(result); }

  Listener& listener;
  Result<StreamPtr> result{nullptr};

 private:
  bool start() override;
  void abandon(Code why) override;
  void refuse(Code why) override;
  void describe(std::string& out, int depth) const override;
};

class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;
  // Code::overloaded when the process is out of descriptors or memory: wait, then accept again.
  Accept accept() { return Accept(*this); }
  // With the real port when 0 was asked for.
  virtual const Address& local() const = 0;
  // The kernel's, for ListenOptions::share; -1: there is none.
  virtual int descriptor() const { return -1; }
  // Before closing: the kernel takes no new client, and those it has taken, or is greeting, can
  // still be accepted. Closing alone would reset them.
  virtual void turn_away() {}

 protected:
  friend class Accept;
  virtual bool start(Accept& op) = 0;
  virtual void cancel(Accept& op, Code why) = 0;
};
using ListenerPtr = std::unique_ptr<Listener>;

struct ListenOptions {
  int backlog = 4096;      // connections the kernel may hold before we accept them
  bool reuse_port = true;  // one socket a worker on the same port
  bool exclusive = false;  // with reuse_port: but nobody else is there yet
  // A path belongs to one socket, so workers share it: the descriptor of the first one's listener
  // (it is duplicated, so that each closes its own).
  int share = -1;
};

class Network {
 public:
  virtual ~Network() = default;
  Connect connect(const Address& to, Time deadline = never) { return {*this, to, deadline}; }
  // Code::unavailable with the reason: address in use, permission, bad path.
  virtual Result<ListenerPtr> listen(const Address& at, const ListenOptions& options) = 0;

 protected:
  friend class Connect;
  virtual bool start(Connect& op) = 0;
  virtual void cancel(Connect& op, Code why) = 0;
};

class Engine : public Poller, public Network {};

}  // namespace banyan
