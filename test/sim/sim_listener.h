// SimListener: a listening socket of a simulated host, with its queue of connections nobody
// accepted yet. Owner: whoever called listen(). The world keeps a list of all, in the order of
// their making. Thread: one. Bound: `backlog` connections wait; the handshake of one more is tried
// again a second later, as Linux does.
#pragma once
#include <deque>

#include "sim/sim_world.h"

namespace banyan {

class SimListener final : public Listener {
 public:
  SimListener(SimWorld& world, Address local, ListenOptions options, Address host)
      : options_(options), world_(world), local_(std::move(local)), host_(std::move(host)) {
    world_.listeners_.push_back(this);
  }
  ~SimListener() override {
    CHECK(op_ == nullptr);
    std::erase(world_.listeners_, this);
    // Who was connected but not accepted is reset.
    for (auto& stream : queue_) stream->abort();
  }
  const Address& local() const override { return local_; }
  bool full() const { return queue_.size() >= static_cast<size_t>(options_.backlog); }
  bool reuse_port() const { return options_.reuse_port; }
  // A connection is there. May destroy this listener.
  void arrive(StreamPtr stream) {
    if (op_ == nullptr) return queue_.push_back(std::move(stream));
    op_->result = std::move(stream);
    std::exchange(op_, nullptr)->complete();
  }

 private:
  bool start(Accept& op) override {
    CHECK(op_ == nullptr);
    if (auto fault = world_.count(host_)) {
      static constexpr Code codes[] = {Code::overloaded, Code::timeout, Code::cancelled};
      op.result = fail(codes[static_cast<int>(*fault)], Side::self, "simulated fault");
      return true;
    }
    if (queue_.empty()) {
      op_ = &op;
      return false;
    }
    op.result = std::move(queue_.front());
    queue_.pop_front();
    return true;
  }
  void cancel(Accept& op, Code why) override {
    op_ = nullptr;
    op.result = fail(why, Side::self, "called off");
    op.complete_soon();
  }

  const ListenOptions options_;
  SimWorld& world_;
  const Address local_;
  const Address host_;  // whose operations these are
  std::deque<StreamPtr> queue_;
  Accept* op_ = nullptr;
};

}  // namespace banyan
