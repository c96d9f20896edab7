// Worker: a thread with an engine and a loop of its own: its listeners, its pools, its stacks.
// Workers share nothing but the model and the counts that must be exact over all of them (decision
// 8 of the architecture).
// Owner: the process. Thread: made and ended by the process's; what is marked [worker] runs on its
// own, through on_thread().
// A new version is built whole before anything changes (prepare), then taken into use between two
// requests (commit) or forgotten (discard).
#pragma once
#include <map>
#include <thread>

#include "app/call_layers.h"
#include "app/clusters.h"
#include "app/connection_limits.h"
#include "app/edge.h"
#include "app/server.h"
#include "app/worker_plan.h"
#include "io/epoll.h"
#include "io/native_engine.h"
#include "task/sync.h"

namespace banyan {

// What all workers share, for the life of the process.
struct Shared {
  ConnectionLimits& limits;
  CallShares& calls;
  Observers& observers;
  const WorkerPlan& plan;
  EngineChoice engine = EngineChoice::automatic;
};

// Where the listeners of a version are, in its order: a port 0 was made real by the first worker,
// and a path is shared by its descriptor.
struct BoundAddress {
  Address address;
  int descriptor = -1;
};

class Worker {
 public:
  Worker(unsigned index, Shared& shared, uint64_t seed);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  Loop& loop() { return loop_; }
  unsigned index() const { return index_; }
  std::string_view engine_name() const { return engine_.name(); }
  // Runs the thread. `drained` is called on it when nothing is left to serve; the loop turns on, so
  // that calls from other threads are answered, until finish().
  void start(std::function<void()> drained);
  // [any] After it was drained, and when no call to it is under way.
  void finish();
  // For task_on_thread().
  Nursery& tasks() { return tasks_; }

  // [worker] Builds the version and opens the listeners it does not have yet. Error: what went
  // wrong, for people.
  Task<std::expected<void, std::string>> prepare(ModelPtr model, std::vector<BoundAddress>& bound);
  // [worker] Waits a while for the addresses of the names that are new in it.
  Task<Result<>> settle();
  // [worker] Takes the prepared version into use, unless the end has begun meanwhile.
  void commit();
  // [worker] Forgets it.
  void discard();

  // [worker] No new clients; drained when the last exchange has ended, or at `grace`.
  void drain(Duration grace);
  // [worker] Calls off all exchanges.
  void abort();

  struct Sample {
    // Totals since the start, of every listener there has been: a counter never goes back, and one
    // that is gone shows no open connections.
    std::map<std::string, ServerCounts> listeners;
    Duration longest_turn{};
  };
  // [worker] For metrics.
  Sample sample();
  // [worker] The endpoints of each upstream service, as it sees them.
  std::map<std::string, ClusterStatus> services() const;
  // [worker] Where clients find it: each listener's name, and its address with the real port.
  std::map<std::string, std::string> listening() const;

 private:
  struct Version;
  struct Open {
    std::string name;
    std::unique_ptr<Server> server;
    ServerCounts before;  // what it counted under other names

    ServerCounts since_named() const;
  };

  void run();
  Task<> main();
  Task<> wind_down();
  Task<> hurry(Duration grace);
  void name(Open& open, const std::string& name);
  void remember(const std::string& name, const ServerCounts& counts);
  void retire(Open& open);
  Task<> retire_open(Open old);
  Task<> retire_version(std::unique_ptr<Version> old);
  std::expected<void, std::string> open_listeners(Version& version,
                                                  std::vector<BoundAddress>& bound);
  std::expected<void, std::string> open_listener(Version& version, size_t index,
                                                 BoundAddress& bound);
  bool port_is_ours(const Version& version, const Address& address) const;
  void retire_others();
  template <class F>
  void each_server(F f);

  const unsigned index_;
  Shared& shared_;
  const std::unique_ptr<NativeEngine> made_engine_;
  NativeEngine& engine_ = *made_engine_;
  Loop loop_;
  Cancel cancel_;
  Context context_{loop_, cancel_};
  Nursery tasks_{context_};
  Nursery retirement_{context_};  // of listeners
  std::unique_ptr<Resolver> resolver_;
  std::thread thread_;
  std::function<void()> drained_;
  Event stop_;
  Duration grace_{};
  std::unique_ptr<Version> now_;
  std::unique_ptr<Version> next_;
  // By place_of(): a listener that gets another name goes on, and two may swap their places.
  std::map<std::string, Open> open_;
  std::vector<Open*> retiring_;
  std::map<std::string, ServerCounts> past_;  // of servers that have ended, by listener
};

}  // namespace banyan
