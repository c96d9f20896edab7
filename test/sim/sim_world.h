// SimWorld: simulated hosts, the network between them and its faults, all in virtual time. One seed
// replays everything: time stands still but for jumps to the next event, and ties go by sequence
// number. Owner: the test (through Sim, test/sim/run.h). It outlives loop, engine, hosts and
// streams. Thread: one. Faults are addressed by "host" or "host:port" of the server, or by "host"
// of the client. Bounds: pipes hold SimLink::pipe_bytes each way; a listener queues
// ListenOptions::backlog connections.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/engine.h"
#include "sim/link.h"
#include "sim/schedule.h"

namespace banyan {

class SimConnection;
class SimHost;
class SimListener;
struct SimDial;

// How the chosen operation fails. `reset` also breaks the connection; for a connect it means
// refused, and for an accept that the process is out of descriptors.
enum class Fault : uint8_t { reset, timeout, cancel };

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed);
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;
  ~SimWorld();

  // Virtual time. It begins at an odd value, so that confusing a duration with a time is noticed.
  Time now() const { return now_; }
  Duration elapsed() const { return now_ - begin; }
  WallTime wall() const { return WallTime(std::chrono::seconds(1'767'225'600)) + elapsed(); }
  // Runs `act` when so much time has passed since the beginning (at once, in the next turn, when it
  // has).
  void at(Duration passed, Schedule::Act act);

  // The network as the machine with this address sees it: its connections come from there.
  SimHost& host(std::string_view ip);

  // Conditions of "10.0.0.1:80", of "10.0.0.1", or (empty text) of everything else. The first call
  // for an address copies those that held for it.
  SimLink& link(std::string_view where = {});
  void hold(std::string_view where) { set_reach(where, SimLink::Reach::held); }
  void black_hole(std::string_view where) { set_reach(where, SimLink::Reach::black_hole); }
  void refuse(std::string_view where) { set_reach(where, SimLink::Reach::refused); }
  // Ends the three above. What was held goes on its way; what fell into a black hole is lost.
  void release(std::string_view where) { set_reach(where, SimLink::Reach::open); }
  // Resets every connection with this server or client, both sides at once.
  void reset(std::string_view where);

  // As a packet filter does: who connects to `wanted` gets to the listener at `to`, but for those
  // who come from the host `unless_from`.
  void redirect(std::string_view wanted, std::string_view to, std::string_view unless_from);

  // Operations started so far (read, write, connect, accept) by the hosts that count_only() chose.
  uint64_t operations() const { return operations_; }
  void count_only(std::vector<std::string> hosts);
  // The k-th operation (from 1) fails. One at a time; 0: none.
  void fail_operation(uint64_t k, Fault fault);
  // Runs `act` when the k-th operation starts, as an event: for calling a whole scenario off there.
  void at_operation(uint64_t k, Schedule::Act act);

  size_t streams() const { return streams_; }  // alive
  size_t listeners() const { return listeners_.size(); }

 private:
  friend class SimConnection;
  friend class SimEngine;
  friend class SimHost;
  friend class SimListener;
  friend class SimStream;

  static constexpr Time begin{std::chrono::seconds(1'000'003)};

  void set_reach(std::string_view where, SimLink::Reach reach);
  const SimLink& conditions(const Address& server) const;
  SimLink::Reach reach(const Route& route) const;
  // Takes `bytes` along the lane; `arrive` runs at the other end, or never.
  void carry(const Route& route, Lane& lane, size_t bytes, Duration extra,
             const std::shared_ptr<void>& lane_owner, Schedule::Act arrive);
  void depart(const Route& route, Lane& lane, size_t bytes, Duration extra, Schedule::Act arrive);
  uint64_t random_below(uint64_t bound);
  size_t cut(const SimLink& link, size_t most, size_t there);
  // Counts an operation of this host; the fault, when it is the one to fail.
  std::optional<Fault> count(const Address& host);

  bool dial(Connect& op, const Address& from);
  void cancel_dial(Connect& op, Code why);
  void handshake(const std::shared_ptr<SimDial>& dial);
  void answer(const std::shared_ptr<SimDial>& dial, Schedule::Act act);
  void finish(SimDial& dial, Result<StreamPtr> result);
  Result<ListenerPtr> listen(const Address& at, const ListenOptions& options, const Address& host);
  SimListener* listener_of(const Address& at);
  struct Redirect {
    Address wanted, to;
    std::string unless_from;
  };
  const Redirect* redirect_of(const Route& route) const;

  struct Held {
    Route route;
    Lane* lane;
    std::shared_ptr<void> lane_owner;
    size_t bytes;
    Duration extra;
    Schedule::Act arrive;
  };
  Time now_ = begin;
  Schedule schedule_;
  uint64_t random_;
  SimLink default_link_;
  std::map<std::string, SimLink, std::less<>> links_;
  std::vector<Held> held_;
  std::map<std::string, std::unique_ptr<SimHost>, std::less<>> hosts_;
  std::map<uint64_t, std::shared_ptr<SimDial>> dials_;
  std::map<uint64_t, SimConnection*> connections_;
  std::vector<Redirect> redirects_;
  std::vector<SimListener*> listeners_;  // in the order of their making
  size_t next_listener_ = 0;             // of several on one address
  uint16_t next_port_ = 40000;
  uint64_t next_id_ = 1;
  size_t streams_ = 0;
  uint64_t operations_ = 0;
  std::set<std::string, std::less<>> counted_hosts_;  // empty: all
  uint64_t fail_at_ = 0;
  Fault fault_ = Fault::reset;
  std::multimap<uint64_t, Schedule::Act> at_operation_;
};

}  // namespace banyan
