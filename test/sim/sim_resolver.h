// SimResolver: the resolver of the simulator: a table of names that a test fills and changes, with
// a way to be slow, to fail and to be silent, all in virtual time. Owner: the test; it outlives
// every call. Thread: one. It keeps the contract of io/resolve.h: order, bounds, numeric names.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/resolve.h"
#include "task/sync.h"

namespace banyan {

class SimResolver final : public Resolver {
 public:
  struct Service {
    std::string address;  // "10.0.0.1:80"
    uint16_t priority = 0;
    uint16_t weight = 1;
  };
  // What is answered from now on, whatever was said before. `ips` are numeric hosts.
  void set(std::string_view name, const std::vector<std::string>& ips, Duration ttl);
  void set_services(std::string_view name, const std::vector<Service>& services, Duration ttl);
  void fail(std::string_view name, const char* what = "no name server answered in time");
  // Questions for it are not answered any more: they end when they are called off.
  void silence(std::string_view name);
  // How long each answer takes; it is looked up when that time has passed.
  void set_latency(Duration latency) { latency_ = latency; }
  // When it was asked for so far, questions under way included.
  const std::vector<Time>& asked_at(std::string_view name) const;
  size_t asked(std::string_view name) const { return asked_at(name).size(); }
  // Ends at the next question, for whatever name.
  Event::Wait next_question() { return question_.wait(); }
  size_t waiting() const { return waiting_; }

  Task<Result<Resolved>> addresses(std::string name, uint16_t port) override;
  Task<Result<Resolved>> services(std::string name) override;

 private:
  struct Known {
    Result<Resolved> answer;
    bool silent = false;
  };
  Task<Result<Resolved>> look_up(std::string_view name);

  std::map<std::string, Known, std::less<>> known_;
  std::map<std::string, std::vector<Time>, std::less<>> asked_;
  Event question_;
  Duration latency_{};
  size_t waiting_ = 0;
};

}  // namespace banyan
