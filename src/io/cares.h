// CaresResolver: names to addresses over DNS, by c-ares on the epoll engine. It never blocks: its
// sockets are Pollables, its time-outs a timer of the loop; files (/etc/resolv.conf, /etc/hosts)
// are read once, when it is made. Owner: a worker; it outlives every call. Thread: its loop's.
// A and AAAA are asked side by side, SRV first and then its targets. Of two kinds of addresses the
// one that came is taken when the other's question failed; that answer holds for `partial_ttl_max`.
// The same holds for the targets of an SRV record. Equal questions under way at the same time are
// asked once. Bounds: `tries` questions of growing `timeout` a name and search domain;
// `resolved_max` targets.
#pragma once
#include <map>
#include <memory>

#include "io/dns_answer.h"
#include "io/epoll.h"
#include "io/hosts_file.h"
#include "io/resolve.h"

struct ares_channeldata;

namespace banyan {

inline constexpr Duration partial_ttl_max = std::chrono::seconds(10);

struct CaresOptions {
  std::vector<std::string> servers;  // "127.0.0.1:53", "[::1]:53"; empty: those of resolv.conf
  Duration timeout = std::chrono::seconds(2);  // of the first try, 1 ms at least; it doubles
  int tries = 3;
  bool search = true;  // short names are looked for in the domains of resolv.conf, too
  std::vector<std::string> domains;  // instead of those
  std::string hosts_path = "/etc/hosts";
};

class CaresResolver final : public Resolver, private Timer {
 public:
  // Code::bug with the reason: no memory, or a server that is no address. At start-up.
  static Result<std::unique_ptr<CaresResolver>> make(EpollEngine& engine, Loop& loop,
                                                     const CaresOptions& options);
  ~CaresResolver() override;

  Task<Result<Resolved>> addresses(std::string name, uint16_t port) override;
  Task<Result<Resolved>> services(std::string name) override;

 private:
  class Socket;
  struct Question;
  struct Free {
    void operator()(ares_channeldata* channel) const;
  };

  CaresResolver(EpollEngine& engine, Loop& loop, const CaresOptions& options);
  Result<> open(const CaresOptions& options);
  // The names to ask for, in their order (resolv.conf(5): search, ndots).
  std::vector<std::string> candidates(const std::string& name) const;
  Task<Result<DnsAnswer>> both_families(const std::string& name);
  Task<Result<DnsAnswer>> ask(const std::string& name, DnsType type);
  std::shared_ptr<Question> question(const std::string& name, DnsType type);
  Task<Result<Resolved>> target_addresses(const DnsAnswer::Target& target);

  static void on_answer(void* question, int status, int timeouts, unsigned char* message, int size);
  static void on_socket(void* self, int descriptor, int readable, int writable);
  void watch(int descriptor, uint32_t events);
  void process(int readable, int writable);
  void fire() noexcept override;
  void rearm();

  EpollEngine& engine_;
  Loop& loop_;
  const HostsFile hosts_;
  std::vector<std::string> domains_;
  size_t dots_min_ = 1;  // a name with fewer is looked for in the domains first
  std::map<std::pair<std::string, DnsType>, std::shared_ptr<Question>> open_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::unique_ptr<ares_channeldata, Free> channel_;  // last: it calls back while it ends
};

}  // namespace banyan
