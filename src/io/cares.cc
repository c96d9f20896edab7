#include "io/cares.h"

#include <ares.h>
#include <ares_nameser.h>

#include <algorithm>
#include <tuple>

#include "task/combine.h"
#include "task/sync.h"

namespace banyan {

namespace {

// The largest UDP answer that passes everywhere without being cut (DNS flag day 2020).
constexpr int udp_bytes = 1232;
// c-ares reads its own clock, a little later than the loop's: no spinning on the difference.
constexpr Duration timer_least = std::chrono::milliseconds(1);
constexpr const char* no_such_name = "the name has no address";

Error problem(int status) {
  // c-ares tells a server that fails (SERVFAIL, REFUSED) and one that is not there alike.
  const char* what = "the name servers failed or cannot be reached";
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
      what = no_such_name;
      break;
    case ARES_ETIMEOUT:
      what = "no name server answered in time";
      break;
    case ARES_EBADNAME:
      what = "this cannot be a name";
      break;
    default:
      break;
  }
  return {Code::unavailable, Side::upstream, true, 0, what};
}

bool is_absent(const Error& error) { return std::string_view(error.what) == no_such_name; }

Resolved with_port(const std::vector<Address>& addresses, uint16_t port, Duration ttl) {
  std::vector<Resolved::Entry> entries;
  for (const Address& a : addresses) {
    entries.push_back({.address = a});
    entries.back().address.port = port;
  }
  return in_order(std::move(entries), ttl);
}

auto order_of(const DnsAnswer::Target& t) { return std::tie(t.priority, t.host, t.port, t.weight); }

// One answer of two. A kind that has no record says nothing; one that failed shortens the time
// that the other holds.
Result<DnsAnswer> merge(Result<DnsAnswer>& one, Result<DnsAnswer>& other) {
  if (!one) std::swap(one, other);
  if (!one) return is_absent(one.error()) ? other : one;
  if (other) {
    one->addresses.insert(one->addresses.end(), other->addresses.begin(), other->addresses.end());
    one->ttl = std::min(one->ttl, other->ttl);
  } else if (!is_absent(other.error())) {
    one->ttl = std::min(one->ttl, partial_ttl_max);
  }
  return one;
}

}  // namespace

// A question that is with c-ares. It lives until its answer, whoever has stopped waiting for it.
struct CaresResolver::Question {
  Question(CaresResolver& resolver, std::string what, DnsType kind)
      : home(resolver), name(std::move(what)), type(kind) {}

  CaresResolver& home;
  const std::string name;
  const DnsType type;
  Result<DnsAnswer> answer;
  Event answered;
};

// A socket of c-ares in the engine's set.
class CaresResolver::Socket final : public Pollable {
 public:
  Socket(CaresResolver& home, int descriptor) : home_(home), descriptor_(descriptor) {}
  ~Socket() {
    if (added_) home_.engine_.remove(descriptor_, *this, true);
  }
  // A socket that cannot be watched is as good as silent: its questions time out.
  void wait_for(uint32_t events) {
    if (added_)
      (void)home_.engine_.modify(descriptor_, events, *this);
    else
      added_ = home_.engine_.add(descriptor_, events, *this).has_value();
  }
  void on_events(uint32_t events) override {
    const int socket = descriptor_;
    const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    const bool readable = broken || (events & EPOLLIN) != 0;
    const bool writable = broken || (events & EPOLLOUT) != 0;
    home_.process(readable ? socket : ARES_SOCKET_BAD, writable ? socket : ARES_SOCKET_BAD);
  }
  int descriptor() const { return descriptor_; }

 private:
  CaresResolver& home_;
  const int descriptor_;
  bool added_ = false;
};

void CaresResolver::Free::operator()(ares_channeldata* channel) const { ares_destroy(channel); }

CaresResolver::CaresResolver(EpollEngine& engine, Loop& loop, const CaresOptions& options)
    : engine_(engine), loop_(loop), hosts_(HostsFile::read(options.hosts_path)) {}

Result<std::unique_ptr<CaresResolver>> CaresResolver::make(EpollEngine& engine, Loop& loop,
                                                           const CaresOptions& options) {
  std::unique_ptr<CaresResolver> made(new CaresResolver(engine, loop, options));
  TRY_RETURN(made->open(options));
  return made;
}

// Every open question is answered (with ARES_EDESTRUCTION) while the channel ends.
CaresResolver::~CaresResolver() {
  channel_.reset();
  CHECK(open_.empty() && sockets_.empty());
}

Result<> CaresResolver::open(const CaresOptions& options) {
  char only_dns[] = "b";  // the hosts file is ours: c-ares would read it at each question
  ares_options with{};
  with.flags = ARES_FLAG_EDNS;
  with.ednspsz = udp_bytes;
  with.timeout = static_cast<int>(std::max<int64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count(), 1));
  with.tries = options.tries;
  with.lookups = only_dns;
  with.sock_state_cb = &CaresResolver::on_socket;
  with.sock_state_cb_data = this;
  ares_channel channel = nullptr;
  const int made =
      ares_init_options(&channel, &with,
                        ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                            ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  if (made != ARES_SUCCESS)
    return fail(Code::bug, Side::self,
                "the resolver cannot be made: no memory, or a broken resolv.conf");
  channel_.reset(channel);
  std::string servers;
  for (const auto& s : options.servers) servers += (servers.empty() ? "" : ",") + s;
  if (!servers.empty() && ares_set_servers_ports_csv(channel, servers.c_str()) != ARES_SUCCESS)
    return fail(Code::bug, Side::self, "a name server is no address");
  domains_ = options.domains;
  if (!options.search || !domains_.empty()) return {};
  ares_options found{};
  int mask = 0;
  if (ares_save_options(channel, &found, &mask) != ARES_SUCCESS) return {};
  domains_.assign(found.domains, found.domains + found.ndomains);
  dots_min_ = static_cast<size_t>(std::max(found.ndots, 0));
  ares_destroy_options(&found);
  return {};
}

std::vector<std::string> CaresResolver::candidates(const std::string& name) const {
  if (name.ends_with('.')) return {name};
  std::vector<std::string> out;
  for (const auto& domain : domains_) out.push_back(name + "." + domain);
  const bool first = static_cast<size_t>(std::ranges::count(name, '.')) >= dots_min_;
  out.insert(first ? out.begin() : out.end(), name);
  return out;
}

Task<Result<Resolved>> CaresResolver::addresses(std::string name, uint16_t port) {
  if (auto known = without_asking(name, port)) co_return std::move(*known);
  if (const auto* local = hosts_.find(name)) co_return with_port(*local, port, ttl_max);
  Error error = problem(ARES_ENOTFOUND);
  for (const std::string& candidate : candidates(name)) {
    auto answer = co_await both_families(candidate);
    if (answer) co_return with_port(answer->addresses, port, answer->ttl);
    error = answer.error();
    // A server that does not answer must not make us look for another name.
    if (!is_absent(error)) break;
  }
  co_return std::unexpected(error);
}

Task<Result<DnsAnswer>> CaresResolver::both_families(const std::string& name) {
  auto answers =
      co_await gather(2, [&](size_t i) { return ask(name, i == 0 ? DnsType::a : DnsType::aaaa); });
  co_return merge(answers[0], answers[1]);
}

Task<Result<Resolved>> CaresResolver::services(std::string name) {
  auto answer = TRY(co_await ask(name, DnsType::srv));
  auto& targets = answer.targets;
  // One target that is the root says that there is no such service (RFC 2782).
  std::erase_if(targets,
                [](const DnsAnswer::Target& t) { return t.host.empty() || t.host == "."; });
  if (targets.empty())
    co_return fail(Code::unavailable, Side::upstream, "the domain does not offer the service",
                   true);
  std::ranges::sort(targets, {}, order_of);
  if (targets.size() > resolved_max) targets.resize(resolved_max);
  auto found =
      co_await gather(targets.size(), [&](size_t i) { return target_addresses(targets[i]); });
  std::vector<Resolved::Entry> entries;
  Duration ttl = answer.ttl;
  for (size_t i = 0; i < targets.size(); ++i) {
    ttl = std::min(ttl, found[i] ? found[i]->ttl : partial_ttl_max);
    if (!found[i]) continue;
    for (const auto& e : found[i]->entries)
      entries.push_back({e.address, targets[i].priority, std::max<uint16_t>(targets[i].weight, 1)});
  }
  if (entries.empty()) co_return std::unexpected(found[0].error());
  co_return in_order(std::move(entries), ttl);
}

// The host of a record is a full name: no search.
Task<Result<Resolved>> CaresResolver::target_addresses(const DnsAnswer::Target& target) {
  co_return co_await addresses(target.host + (target.host.ends_with('.') ? "" : "."), target.port);
}

Task<Result<DnsAnswer>> CaresResolver::ask(const std::string& name, DnsType type) {
  const auto asked = question(name, type);
  TRY(co_await asked->answered.wait());
  co_return asked->answer;
}

// c-ares keeps a bare pointer to the question, and calls back exactly once: until then open_ owns
// it.
std::shared_ptr<CaresResolver::Question> CaresResolver::question(const std::string& name,
                                                                 DnsType type) {
  auto& place = open_[{name, type}];
  if (place != nullptr) return place;
  place = std::make_shared<Question>(*this, name, type);
  const auto asked = place;
  ares_query(channel_.get(), name.c_str(), ns_c_in, static_cast<int>(type),
             &CaresResolver::on_answer, asked.get());
  rearm();
  return asked;
}

void CaresResolver::on_answer(void* question, int status, int, unsigned char* message, int size) {
  auto& q = *static_cast<Question*>(question);
  const auto keep = q.home.open_.extract({q.name, q.type});
  if (status == ARES_SUCCESS)
    q.answer = read_dns_answer({message, static_cast<size_t>(size)}, q.type);
  else
    q.answer = fail(problem(status));
  // An alias that leads to nothing.
  if (q.answer && q.answer->empty()) q.answer = fail(problem(ARES_ENODATA));
  q.answered.set();
}

void CaresResolver::on_socket(void* self, int descriptor, int readable, int writable) {
  const uint32_t events = (readable != 0 ? EPOLLIN : 0u) | (writable != 0 ? EPOLLOUT : 0u);
  static_cast<CaresResolver*>(self)->watch(descriptor, events);
}

void CaresResolver::watch(int descriptor, uint32_t events) {
  auto at = std::ranges::find(sockets_, descriptor, [](auto& s) { return s->descriptor(); });
  if (events == 0) {
    if (at != sockets_.end()) sockets_.erase(at);
    return;
  }
  if (at == sockets_.end())
    at = sockets_.insert(sockets_.end(), std::make_unique<Socket>(*this, descriptor));
  (*at)->wait_for(events);
}

void CaresResolver::process(int readable, int writable) {
  ares_process_fd(channel_.get(), readable, writable);
  rearm();
}

void CaresResolver::fire() noexcept { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

void CaresResolver::rearm() {
  timeval left{};
  if (ares_timeout(channel_.get(), nullptr, &left) == nullptr) return disarm();
  const Duration wait = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
  loop_.arm(*this, after(loop_.now(), std::max(wait, timer_least)));
}

}  // namespace banyan
