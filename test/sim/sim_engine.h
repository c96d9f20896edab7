// SimEngine: the third engine (after epoll and io_uring), in virtual time: waiting jumps to the
// next timer or event. The other hosts of the world are plain Networks that share its loop. Owner:
// the test; it outlives its loop. Thread: one, but wake(). It keeps the contract of
// test/io/engine_contract.h, as every engine does.
#pragma once
#include <atomic>

#include "io/engine.h"
#include "sim/sim_world.h"

namespace banyan {

// The network as one simulated machine sees it.
class SimHost final : public Network {
 public:
  SimHost(SimWorld& world, Address ip) : world_(world), ip_(std::move(ip)) {}
  // An address without a host (0.0.0.0 or ::) takes connections to every host's port.
  Result<ListenerPtr> listen(const Address& at, const ListenOptions& options) override {
    return world_.listen(at, options, ip_);
  }
  const Address& ip() const { return ip_; }

 private:
  bool start(Connect& op) override { return world_.dial(op, ip_); }
  void cancel(Connect& op, Code why) override { world_.cancel_dial(op, why); }

  SimWorld& world_;
  const Address ip_;  // port 0
};

class SimEngine final : public Engine {
 public:
  // `ip` is this machine's own address.
  explicit SimEngine(SimWorld& world, std::string_view ip = "127.0.0.1")
      : world_(world), host_(world.host(ip)) {}

  Time now() override { return world_.now(); }
  WallTime wall() override { return world_.wall(); }
  // Jumps to the earlier of `until` and the next event. False, and no jump, when there is neither.
  bool wait(Time until) override;
  void dispatch() override { world_.schedule_.run_due(world_.now_); }
  void wake() override { woken_.store(true, std::memory_order_release); }
  Result<ListenerPtr> listen(const Address& at, const ListenOptions& options) override {
    return host_.listen(at, options);
  }

 private:
  bool start(Connect& op) override { return world_.dial(op, host_.ip()); }
  void cancel(Connect& op, Code why) override { world_.cancel_dial(op, why); }

  SimWorld& world_;
  SimHost& host_;
  std::atomic<bool> woken_{false};
};

}  // namespace banyan
