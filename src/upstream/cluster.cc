#include "upstream/cluster.h"

#include <algorithm>

#include "io/tls_stream.h"
#include "upstream/placement.h"
#include "upstream/watched_body.h"

namespace banyan {

void Cluster::set_members(const std::vector<Member>& members) {
  std::vector<EndpointPtr> now;
  now.reserve(members.size());
  for (const Member& m : members) {
    const auto is_it = [&](const EndpointPtr& e) { return e->address() == m.address; };
    const auto twice = std::ranges::find_if(now, is_it);
    if (twice != now.end()) {
      (*twice)->add_weight(m.weight);
      continue;
    }
    auto same = std::ranges::find_if(
        endpoints_, [&](const EndpointPtr& e) { return is_it(e) && e->name() == m.name; });
    if (same != endpoints_.end()) {
      (*same)->set_weight(m.weight);
      now.push_back(*same);
    } else {
      now.push_back(std::make_shared<Endpoint>(loop_, m.name, m.address, m.weight, limits_.pool,
                                               limits_.use));
    }
    now.back()->set_host_header(m.host_header);
    now.back()->set_tls_name(m.tls_name);
  }
  for (const EndpointPtr& old : endpoints_)
    if (std::ranges::find(now, old) == now.end()) old->h2().retire();
  endpoints_ = std::move(now);
  if (outliers_) outliers_->members_changed(endpoints_, loop_.now());
  if (observer_ != nullptr) observer_->members_changed();
}

void Cluster::retire() {
  for (const EndpointPtr& endpoint : endpoints_) endpoint->h2().retire();
}

Task<Result<StreamPtr>> Cluster::connect(Endpoint& endpoint, Time deadline) {
  auto stream = co_await network_.connect(endpoint.address(), deadline);
  if (!stream || tls_.context == nullptr) co_return stream;
  co_return co_await tls_connect(std::move(*stream), tls_.context,
                                 tls_.name.empty() ? endpoint.tls_name() : tls_.name,
                                 endpoint.tls_sessions(), deadline);
}

PickKey Cluster::key_of(const Request& request) const {
  PickKey out;
  const EndpointRules& rules = limits_.use;
  if (rules.hash)
    if (const auto key = rules.hash->key.of(request); !key.empty()) out.hash = key_hash(key);
  if (rules.shard) out.tenant = key_hash(rules.shard->by.of(request));
  return out;
}

// Waits in an answer's body for what its end adds to the verdict. The cluster and the endpoint are
// alive until then: the service that made the answer shares the one, and the body's connection
// belongs to the other.
class Cluster::Verdict {
 public:
  Verdict(Cluster& cluster, Endpoint& endpoint, Circuit::Pass pass)
      : cluster_(cluster), endpoint_(endpoint.shared_from_this()), pass_(std::move(pass)) {}
  void operator()(Outcome outcome) {
    const Time now = cluster_.loop().now();
    if (pass_.note(outcome, now)) endpoint_->health().recovered(now);
    cluster_.note(*endpoint_, outcome);
  }

 private:
  Cluster& cluster_;
  EndpointPtr endpoint_;
  Circuit::Pass pass_;
};

void Cluster::judge(Endpoint& endpoint, Circuit::Pass pass, Reply& reply) {
  const EndpointRules& rules = limits_.use;
  if (!rules.eject && !rules.breaker) return;
  const auto conduct = outcome_of(reply, rules.eject ? rules.eject->status : StatusRange{});
  const auto circuit = outcome_of(reply, rules.breaker ? rules.breaker->status : StatusRange{});
  if (!conduct || !circuit) return;  // it was not the endpoint's fault
  const Time now = loop_.now();
  if (pass.note(*circuit, now)) endpoint.health().recovered(now);
  note(endpoint, *conduct);
  if (reply) watch_body(*reply, Verdict(*this, endpoint, std::move(pass)));
}

void Cluster::note(Endpoint& endpoint, Outcome outcome) {
  if (outliers_) outliers_->note(endpoints_, endpoint, outcome, loop_.now());
}

}  // namespace banyan
