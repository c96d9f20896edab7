// Server: one listener on one worker: takes clients in, runs a connection task for each, and lets
// them finish when the process drains. Owner: the worker. Thread: its loop's. Bounds: `connections`
// is counted exactly over all workers; a client too many is closed at once and counted. Reload:
// handler() gives the newest version; exchanges under way keep the one they began with.
#pragma once
#include <memory>

#include "base/shared_limit.h"
#include "http/h1_connection.h"
#include "io/engine.h"

namespace banyan {

struct ServerCounts {
  uint64_t accepted = 0;
  uint64_t refused = 0;  // over the limit of connections
  uint64_t active = 0;

  ServerCounts& operator+=(const ServerCounts& more) {
    accepted += more.accepted;
    refused += more.refused;
    active += more.active;
    return *this;
  }
};

class Server final : private HandlerSource {
 public:
  Server(Context& context, ListenerPtr listener, std::shared_ptr<Handler> first,
         SharedLimit& connections);

  // Takes clients from now on.
  void start();
  void set_handler(std::shared_ptr<Handler> next) { handler_ = std::move(next); }
  std::shared_ptr<Handler> handler() override { return handler_; }
  const Address& local() const { return local_; }

  // No new clients, but those the kernel has accepted; answers from now on say Connection: close.
  void drain();
  // Ends the connections that are between two requests.
  void close_idle();
  // Calls every exchange off.
  void abort();
  // Ends when the last connection has; after drain().
  Task<> join();
  bool idle() const { return connections_.size() == 0; }
  const ServerCounts& counts() const { return counts_; }

 private:
  Task<> accept_clients();
  Task<> stop_accepting();
  Task<> serve(StreamPtr stream);
  Task<Result<StreamPtr>> secured(StreamPtr stream);
  Task<> serve_raw(Stream& stream, Handler& handler);
  Task<> serve(ServerConnection& connection);
  Task<> serve_http1(StreamPtr stream);
  bool draining() const override { return draining_; }
  std::string_view http_date() override;

  Loop& loop_;
  ListenerPtr listener_;
  const Address local_;
  std::shared_ptr<Handler> handler_;
  SharedLimit& limit_;
  Nursery accepting_;
  Nursery closing_;
  Nursery connections_;
  List<ServerConnection> open_;
  ServerCounts counts_;
  bool draining_ = false;
  int64_t date_second_ = -1;
  char date_[30];
};

}  // namespace banyan
