// Destinations: the hosts that clients of a forward proxy have asked for, each a cluster of its own
// with its addresses, connections and failures. Owner: the worker's version of the configuration;
// stop() is awaited before it ends. Thread: its loop's. Lifetime: network, resolver and loop
// outlive it. A host is asked for when it is first wanted, again when its time (TTL) ends, and
// forgotten when nobody wanted it for `forgotten_after`. Addresses that are not allowed never
// become endpoints, whatever the DNS says and whenever it says so. Bound: `destinations`; the one
// that was not wanted for the longest time makes room.
#pragma once
#include <map>

#include "patterns/ambassador/forward_settings.h"
#include "upstream/discovery.h"

namespace banyan {

class Destinations {
 public:
  static constexpr Duration forgotten_after = std::chrono::minutes(1);

  // `name` is what logs and metrics call all of them: what clients ask for must not make these
  // grow.
  Destinations(Context& context, Network& network, Resolver& resolver, std::string name,
               const ForwardProxySettings& settings);

  const ForwardProxySettings& settings() const { return settings_; }
  // The cluster of the host, which `settings` allow: in lower case, brackets around an IPv6
  // address. Waits for its addresses when it is new, for as long as a connection may take. Errors:
  // it has no address (502), none that is allowed (403), or there are too many (503).
  Task<Result<ClusterPtr>> find(std::string_view host, uint16_t port);
  // Ends all questions. What is known stays, for requests that are under way.
  Task<> stop();
  size_t size() const { return all_.size(); }

 private:
  struct Destination;
  using DestinationPtr = std::shared_ptr<Destination>;

  Result<DestinationPtr> known_or_new(std::string_view host, uint16_t port);
  DestinationPtr make(std::string_view host, uint16_t port);
  bool make_room();
  void forget(std::map<std::string, DestinationPtr, std::less<>>::iterator one);
  Task<> forget_unused();

  Context& context_;
  Network& network_;
  Resolver& resolver_;
  const std::string name_;
  const ForwardProxySettings settings_;
  const ClusterLimits limits_;
  std::map<std::string, DestinationPtr, std::less<>> all_;
  Nursery nursery_;
  bool looking_ = false;  // forget_unused() runs
  bool stopped_ = false;
};

}  // namespace banyan
