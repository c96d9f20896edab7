// Endpoint: one address of a service, with its pool of connections and what is known of its speed
// and health. Owner: the cluster; while exchanges are in flight an endpoint keeps itself alive, so
// that one that left the service (DNS, reload) finishes its work. Thread: its loop's. Speed is a
// peak-sensitive moving average (EWMA, 10 s) of the time to the head of the answer: it jumps up
// with a slow answer and decays with time. Source: Finagle's P2C peak EWMA. After a failed connect
// the endpoint is skipped for 1 s, doubling to 30 s; a success clears it. Connects that fail while
// it is skipped already were under way together with the first: they count as one. Whether it may
// be used at all is told by its EndpointHealth.
#pragma once
#include <algorithm>
#include <memory>
#include <string>

#include "base/hash.h"
#include "io/tls_context.h"
#include "upstream/endpoint_health.h"
#include "upstream/h2_pool.h"
#include "upstream/pool.h"

namespace banyan {

class Endpoint final : public H1Home, public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(Loop& loop, std::string name, Address address, uint32_t weight, const PoolLimits& limits,
           const EndpointRules& rules)
      : name_(std::move(name)),
        name_hash_(hash_text(name_)),
        address_(std::move(address)),
        weight_(weight),
        loop_(loop),
        pool_(loop, limits),
        h2_(loop, limits),
        health_(rules, loop.now()) {}

  const std::string& name() const { return name_; }
  uint64_t name_hash() const { return name_hash_; }
  const Address& address() const { return address_; }
  uint32_t weight() const { return weight_; }  // 1 and more
  void set_weight(uint32_t weight) { weight_ = weight; }
  void add_weight(uint32_t more) { weight_ += std::min(more, UINT32_MAX - weight_); }
  // Its weight as far as it has warmed up; above 0.
  double weight_at(Time now) const { return weight_ * health_.ramp(now); }
  Pool& pool() { return pool_; }
  const Pool& pool() const { return pool_; }
  // Used where the service is spoken to in HTTP/2.
  H2Pool& h2() { return h2_; }
  EndpointHealth& health() { return health_; }
  const EndpointHealth& health() const { return health_; }
  // The Host of requests of Banyan's own.
  const std::string& host_header() const { return host_header_; }
  void set_host_header(std::string host) { host_header_ = std::move(host); }
  // That its certificate must have, where it is spoken to with TLS.
  const std::string& tls_name() const { return tls_name_; }
  void set_tls_name(std::string name) { tls_name_ = std::move(name); }
  const std::shared_ptr<TlsSessions>& tls_sessions() {
    if (tls_sessions_ == nullptr) tls_sessions_ = std::make_shared<TlsSessions>();
    return tls_sessions_;
  }

  // Exchanges in flight, to the end of their answers' bodies.
  uint32_t in_flight() const { return in_flight_; }
  // And those that wait for their connection: what one more would stand behind.
  size_t load() const { return in_flight_ + pool_.connecting(); }
  // Lends a connection of its pool: one more exchange in flight until the lease ends.
  H1Lease lend(H1Client& client);
  void give_back(H1Client& client, bool reusable) noexcept override;
  // One more in flight, as long as it lives, that has a connection of its own.
  class Guest {
   public:
    explicit Guest(Endpoint& endpoint) : endpoint_(endpoint) { endpoint.enter(); }
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;
    ~Guest() { endpoint_.leave(); }

   private:
    Endpoint& endpoint_;
  };

  void connect_failed();
  void connected() { failures_ = 0; }
  bool skipped() const { return failures_ != 0 && loop_.now() < skip_until_; }
  void answered_in(Duration latency);
  // Expected cost of one more exchange: latency times the queue. Lower is better.
  double cost() const;

  // For smooth weighted round robin (upstream/balance).
  int64_t turn = 0;

 private:
  void enter();
  void leave() noexcept;

  const std::string name_;
  const uint64_t name_hash_;
  const Address address_;
  uint32_t weight_;
  Loop& loop_;
  Pool pool_;
  H2Pool h2_;
  EndpointHealth health_;
  std::string host_header_, tls_name_;
  std::shared_ptr<TlsSessions> tls_sessions_;
  uint32_t in_flight_ = 0;
  uint32_t failures_ = 0;
  Time skip_until_{};
  double latency_ns_ = 0;
  Time latency_at_{};
  std::shared_ptr<Endpoint> self_;  // while in flight
};
using EndpointPtr = std::shared_ptr<Endpoint>;

}  // namespace banyan
