// SimStream and SimConnection: two ends of a simulated connection, and the two bounded pipes
// between them. Owner: each end belongs to whoever uses it; the connection lives while an end or
// something in flight does. Thread: one. It behaves as TCP on Linux does: a close with unread
// bytes, or bytes that come after a close, are answered with a reset; what had arrived before a
// reset can still be read; the first write after the peer's close is taken, a later one fails.
#pragma once
#include <memory>
#include <string>

#include "io/stream.h"
#include "sim/sim_world.h"

namespace banyan {

class SimStream;

class SimConnection : public std::enable_shared_from_this<SimConnection> {
 public:
  SimConnection(SimWorld& world, Route route);
  ~SimConnection();

  // What one end receives.
  struct Pipe {
    std::string arrived;  // not read yet
    size_t unacked = 0;   // written, and not known by the writer to be read
    bool ended = false;   // FIN is here
    bool reset = false;   // RST is here
    Lane lane;            // for what comes to this end
    Lane acks;            // for what this end tells about its reads
  };
  // Ends are numbered: 0 is the client's, 1 the server's.
  void send(int to, std::string bytes);
  void send_end(int to);
  void send_reset(int to);
  void acknowledge(int reader, size_t bytes);
  void arrive_reset(int end);
  const SimLink& link() const { return world.conditions(route.server); }

  SimWorld& world;
  const Route route;
  const uint64_t id;
  Pipe pipes[2];
  SimStream* ends[2] = {nullptr, nullptr};
  bool redirected = false;  // to another listener than the client wanted
  bool dead = false;        // reset by a fault: nothing in flight arrives any more

 private:
  void arrive(int end, std::string bytes);
  void carry(int to, Lane& lane, size_t bytes, Schedule::Act act);
};

class SimStream final : public Stream {
 public:
  SimStream(std::shared_ptr<SimConnection> connection, int end);
  ~SimStream() override;

  void shutdown_write() override;
  void shutdown_read() override;
  void abort() override { abort_ = true; }
  const Address& peer() const override;
  std::optional<Address> original_destination() const override {
    if (end_ == 0 || !connection_->redirected) return std::nullopt;
    return connection_->route.server;
  }
  bool quiet() override { return in().arrived.empty() && !gone(); }
  // Something changed: ends what can end. May destroy the stream.
  void progress();

 private:
  bool start(Read& op) override;
  bool start(Write& op) override;
  void cancel(Read& op, Code why) override;
  void cancel(Write& op, Code why) override;
  void watch(Cancel* scope) override;

  SimConnection::Pipe& in() const { return connection_->pipes[end_]; }
  SimConnection::Pipe& out() const { return connection_->pipes[1 - end_]; }
  bool gone() const { return in().ended || in().reset; }
  const Address& own() const;
  std::optional<Error> count();
  bool try_read(Read& op);
  bool try_write(Write& op);
  void progress_soon();
  std::unexpected<Error> broken() const;

  const std::shared_ptr<SimConnection> connection_;
  const int end_;
  bool abort_ = false;
  bool write_ended_ = false;
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
  Cancel* watcher_ = nullptr;
};

}  // namespace banyan
