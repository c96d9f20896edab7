// H2Pool: the HTTP/2 connections of one worker to one endpoint. Each is shared by many exchanges,
// so there are few: a new one is made when no other has room, and while one is being made nobody
// makes another. Owner: the endpoint. Thread: its loop's. Lifetime: a connection is served by a
// task in a nursery of the worker, which keeps the endpoint alive. Bounds: `connections_max` of
// PoolLimits, whose other words hold for these connections, too.
#pragma once
#include <memory>
#include <vector>

#include "http/h2_client.h"
#include "upstream/pool.h"

namespace banyan {

class H2Pool {
 public:
  H2Pool(Loop& loop, const PoolLimits& limits) : loop_(loop), limits_(limits) {}
  H2Pool(const H2Pool&) = delete;
  H2Pool& operator=(const H2Pool&) = delete;
  ~H2Pool();

  // A connection with room for one more exchange, or null.
  H2Client* take() const;
  bool full() const { return clients_.size() >= limits_.connections_max; }
  size_t count() const { return clients_.size(); }

  // Of who makes a connection: others wait for it, and share what becomes of it.
  struct Dial {
    Event done;
    std::optional<Error> error;
  };
  // Null when nobody does.
  std::shared_ptr<Dial> dial() const { return dial_; }
  std::shared_ptr<Dial> begin_dial();
  void end_dial(const std::shared_ptr<Dial>& dial, std::optional<Error> error);

  // A new one over a stream that has just connected, for the caller's exchange and those that
  // follow. `keep` lives as long as it does. Null when the worker ends.
  H2Client* adopt(StreamPtr stream, const H1ClientLimits& limits, Nursery& tasks,
                  std::shared_ptr<void> keep);
  // The endpoint has left its service: no new exchanges, idle connections end.
  void retire();

  // It has chosen HTTP/1.1 when it could have HTTP/2 (ALPN): the pool of that has its connections.
  bool http1_only = false;

 private:
  Task<> serve(H2Client& client, std::shared_ptr<void> keep);

  Loop& loop_;
  const PoolLimits& limits_;
  std::vector<std::unique_ptr<H2Client>> clients_;
  std::shared_ptr<Dial> dial_;
  bool retired_ = false;
};

}  // namespace banyan
