// Cluster: the endpoints of one upstream service, as one worker sees them, and the Service that
// sends requests to them (Forward, the innermost of every stack). Owner: the worker; unchanged
// clusters survive a reload with their connections. Thread: its loop's. Lifetimes: the network and
// the loop outlive it. Names are resolved in the background and again when their TTL ends;
// endpoints that leave finish what they have in flight.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "io/tls_context.h"
#include "service/service.h"
#include "upstream/balance.h"
#include "upstream/outlier.h"

namespace banyan {

struct ClusterLimits {
  Duration connect_max = std::chrono::milliseconds(500);
  Duration answer_max =
      std::chrono::seconds(30);  // from the end of the request to the head of its answer
  H1ClientLimits h1;             // h1.body.gap_max: silence within an answer's content
  PoolLimits pool;
  EndpointRules use;  // which endpoints may be used
};

class Cluster {
 public:
  Cluster(std::string name, Network& network, Loop& loop, Balance balance,
          const ClusterLimits& limits)
      : name_(std::move(name)),
        network_(network),
        loop_(loop),
        limits_(bounded(limits)),
        balancer_(balance, limits_.use) {
    if (limits_.use.eject) outliers_.emplace(*limits_.use.eject, loop.now());
  }

  const std::string& name() const { return name_; }
  Network& network() { return network_; }
  Loop& loop() { return loop_; }
  const ClusterLimits& limits() const { return limits_; }
  const std::vector<EndpointPtr>& endpoints() const { return endpoints_; }

  // How its endpoints are spoken to.
  struct Tls {
    std::shared_ptr<const TlsContext> context;  // null: in the clear
    std::string name;  // that their certificates must have; empty: the endpoint's own
  };
  void use_tls(Tls tls) { tls_ = std::move(tls); }
  // It is spoken to in HTTP/2: over TLS where the endpoint chooses it, else always. `tasks` serve
  // the connections, and end after all exchanges have.
  void use_http2(Nursery& tasks) { http2_tasks_ = &tasks; }
  Nursery* http2_tasks() const { return http2_tasks_; }
  // Whether this connection is one of HTTP/2.
  bool speaks_http2(const Stream& stream) const {
    return http2_tasks_ != nullptr && (!stream.encrypted() || stream.protocol() == "h2");
  }
  // No new exchanges on the connections that are shared; they end with those that are.
  void retire();
  // A connection of one's own, ready for the first byte.
  Task<Result<StreamPtr>> connect(Endpoint& endpoint, Time deadline);

  struct Member {
    std::string name;
    Address address;
    uint32_t weight = 1;
    std::string host_header = {};  // of requests of Banyan's own
    std::string tls_name = {};     // that its certificate must have
    friend bool operator==(const Member&, const Member&) = default;
  };
  // The endpoints from now on. Those that stay (same name and address) keep their connections;
  // members with the same address are one endpoint, with their weights added.
  void set_members(const std::vector<Member>& members);
  // Who is told when the members have changed; null: nobody.
  class Observer {
   public:
    virtual void members_changed() = 0;

   protected:
    ~Observer() = default;
  };
  void observe(Observer* observer) { observer_ = observer; }

  // What decides the place of a request.
  PickKey key_of(const Request& request) const;
  // Null when every endpoint that may be used, but `except`, is gone.
  Endpoint* pick(std::span<const EndpointPtr> except, const PickKey& key = {}) {
    return balancer_.pick(loop_, endpoints_, except, key);
  }
  const Balancer& balancer() const { return balancer_; }
  // What came of an exchange that `pass` was for: endpoints are judged by it, now and when the
  // answer's body ends.
  void judge(Endpoint& endpoint, Circuit::Pass pass, Reply& reply);

 private:
  class Verdict;
  void note(Endpoint& endpoint, Outcome outcome);
  // An endpoint that takes nothing of a request is as good as one that does not answer.
  static ClusterLimits bounded(ClusterLimits limits) {
    limits.h1.send_max = std::min(limits.h1.send_max, limits.answer_max);
    return limits;
  }

  const std::string name_;
  Network& network_;
  Loop& loop_;
  const ClusterLimits limits_;
  Tls tls_;
  Nursery* http2_tasks_ = nullptr;
  Balancer balancer_;
  std::optional<OutlierDetector> outliers_;
  Observer* observer_ = nullptr;
  std::vector<EndpointPtr> endpoints_;
};
using ClusterPtr = std::shared_ptr<Cluster>;

}  // namespace banyan
