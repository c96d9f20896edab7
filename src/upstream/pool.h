// Pool: the idle connections of one worker to one endpoint, newest first, so that the extra ones of
// a burst grow old and are closed. Owner: the endpoint. Thread: its loop's. Bounds (PoolLimits):
// connections in all, idle ones, how long one may idle and live, exchanges a connection. An idle
// connection is watched: when the endpoint closes it, it leaves the pool at once; and one that has
// unread bytes is never used again (they would be taken for the next answer). Connections that are
// being made count from the start, so that a burst cannot pass the bound.
#pragma once
#include "http/h1_client.h"
#include "io/engine.h"

namespace banyan {

struct PoolLimits {
  uint32_t connections_max = 10'000;  // to one endpoint, of one worker
  uint32_t idle_max = 1024;
  Duration idle_age_max = std::chrono::seconds(60);
  Duration life_max = std::chrono::hours(1);
  uint32_t exchanges_max = 100'000;
};

class Pool final : private Timer {
 public:
  Pool(Loop& loop, const PoolLimits& limits) : loop_(loop), limits_(limits) {}
  ~Pool();

  // The right to make one more connection.
  class Place {
   public:
    explicit Place(Pool& pool) : pool_(&pool) { ++pool.connecting_; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { --pool_->connecting_; }

   private:
    Pool* pool_;
  };

  // A connection that is fit for use, or null.
  H1Client* take();
  // A new one over a stream that has just connected. Counts until it is dropped.
  H1Client& adopt(StreamPtr stream, const H1ClientLimits& limits);
  // After an exchange: keeps it if it may be used again, closes it otherwise.
  void put(H1Client& client, bool reusable);
  bool full() const { return count_ + connecting_ >= limits_.connections_max; }
  size_t idle() const { return idle_count_; }
  size_t count() const { return count_; }  // open, in use and idle
  size_t connecting() const { return connecting_; }
  // Closes all idle connections.
  void clear();

 private:
  class Connection;
  void drop(Connection& connection);
  void bury();
  void fire() noexcept override;

  Loop& loop_;
  const PoolLimits& limits_;
  List<H1Client> idle_;  // newest at the front
  List<H1Client> dead_;  // closed by the endpoint, not counted; deleted outside of the
                         // engine's events
  size_t idle_count_ = 0;
  size_t count_ = 0;
  size_t connecting_ = 0;
};

}  // namespace banyan
