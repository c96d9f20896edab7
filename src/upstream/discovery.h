// Discovery: keeps the members of a cluster right: fixed addresses at once, names asked for at the
// start and again when their time (TTL) ends. Owner: the worker, beside the cluster. Thread: its
// loop's. Lifetimes: resolver and cluster outlive it; stop() is awaited before it ends.
// Every address of a name becomes an endpoint, IPv4 and IPv6 alike. Weight: the setting's, times
// that of the SRV record. Of SRV records only those of the lowest priority are used: the others are
// for when these are gone from the DNS, not for when they fail. When a question fails, the last
// known members stay, last_error() says why, and it is asked again after 1 s, doubling to 30 s.
// Every pause is up to a tenth longer, so that workers and gateways do not ask all at once.
#pragma once
#include <functional>

#include "io/resolve.h"
#include "task/nursery.h"
#include "task/sync.h"
#include "upstream/cluster.h"
#include "upstream/locate.h"

namespace banyan {

class Discovery {
 public:
  struct Source {
    Location where;
    uint32_t weight = 1;  // 1 .. 65535
  };
  // `admits`: which addresses may become endpoints; empty: all.
  using Admits = std::function<bool(const Address&)>;
  Discovery(Context& context, Resolver& resolver, Cluster& cluster, std::vector<Source> sources,
            Admits admits = {});

  // Sets the fixed members, and begins to ask for the others.
  void start();
  // Ends when every name has been asked for once, whatever the answer, or after `at_most`.
  Task<> ready(Duration at_most);
  // Ends all questions. The members stay.
  Task<> stop();

  struct Failure {
    std::string name;  // "catalog:8080"
    Error error;
    Time since{};  // of the first failure in a row
  };
  // Of the sources whose last question failed, the one that failed last.
  const Failure* last_error() const;
  // Some address was found, and may be no endpoint.
  bool kept_out() const { return kept_out_; }

 private:
  struct Followed {
    Source source;
    std::vector<Resolved::Entry> entries;  // the last known
    std::optional<Failure> failure;
    Time failed_at{};
    uint32_t failures = 0;  // in a row
    bool asked = false;
  };
  Task<> follow(Followed& followed);
  Task<Result<>> wait_for_all();
  Task<Result<Resolved>> ask(const Location& where);
  // What the answer means; how long until the next question.
  Duration note(Followed& followed, const Result<Resolved>& answer);
  void publish();
  Duration jittered(Duration pause);

  Loop& loop_;
  Resolver& resolver_;
  Cluster& cluster_;
  std::vector<Followed> followed_;  // as many as there were at the start
  const Admits admits_;
  bool kept_out_ = false;
  std::vector<Cluster::Member> published_;
  size_t unasked_ = 0;
  Event all_asked_;
  Nursery nursery_;
};

}  // namespace banyan
