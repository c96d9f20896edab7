#include "io/native_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "io/epoll.h"
#include "io/uring.h"

namespace banyan {

namespace {

void set(int descriptor, int level, int option) {
  const int on = 1;
  ::setsockopt(descriptor, level, option, &on, sizeof on);
}

// For a socket of ours before it connects or listens; accepted ones inherit it. On the way to
// oneself there is no congestion: pacing (BBR, where it is the standard) would only cost.
void tune(int descriptor, const Address& at) {
  if (at.family == Address::Family::unix_path) return;
  set(descriptor, IPPROTO_TCP, TCP_NODELAY);
  constexpr std::string_view simplest = "reno";  // always there, for everybody
  if (is_loopback(at))
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, simplest.data(), simplest.size());
}

const char* connect_problem(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "the endpoint refused the connection";
    case EAGAIN:
      return "the endpoint's queue of connections is full";  // a Unix socket's
    case ETIMEDOUT:
      return "the endpoint did not answer in time";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "there is no route to the endpoint";
    case EADDRNOTAVAIL:
      return "no local address or port is free for the endpoint";
    case ENOENT:
      return "the endpoint's socket file does not exist";
    case EACCES:
    case EPERM:
      return "connecting to the endpoint is not permitted";
    case EMFILE:
    case ENFILE:
      return "the process has no descriptor left";
    default:
      return "the endpoint could not be reached";
  }
}

std::unexpected<Error> unreachable(int error) {
  // EADDRNOTAVAIL is about this endpoint alone: no IPv6 here, or no port left towards it.
  const bool ours = error == EMFILE || error == ENFILE;
  return fail(Code::unavailable, ours ? Side::self : Side::upstream, connect_problem(error), true);
}

const char* listen_problem(int error) {
  switch (error) {
    case EADDRINUSE:
      return "the address is in use";
    case EACCES:
    case EPERM:
      return "not permitted: a port below 1024 or a path without the right to write";
    case EADDRNOTAVAIL:
      return "no interface has this address";
    case ENOENT:
      return "the folder of the socket does not exist";
    default:
      return "cannot listen on this address";
  }
}

// A connect that waits for its answer: the socket is in the epoll set until it is writable or
// broken.
class PendingConnect final : public Pollable {
 public:
  PendingConnect(NativeEngine& engine, Connect& op, int descriptor)
      : engine_(engine), op_(op), descriptor_(descriptor) {}
  Result<> begin() { return engine_.add(descriptor_, EPOLLOUT | EPOLLONESHOT, *this); }
  void on_events(uint32_t) override {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      finish(unreachable(error));
    } else {
      engine_.remove(descriptor_, *this, true);
      op_.result = engine_.adopt(descriptor_, Side::upstream, op_.address);
    }
    Connect& op = op_;
    delete this;
    op.complete();
  }
  void cancel(Code why) {
    finish(fail(why, Side::upstream,
                why == Code::timeout ? "the endpoint did not accept in time" : "called off", true));
    Connect& op = op_;
    delete this;
    op.complete_soon();
  }

 private:
  void finish(std::unexpected<Error> error) {
    engine_.remove(descriptor_, *this, false);
    ::close(descriptor_);
    op_.result = error;
  }

  NativeEngine& engine_;
  Connect& op_;
  const int descriptor_;
};

// SYN segments are dropped, all others pass: a handshake that has begun comes to its end. The
// client asks again after a second, and is refused, or answered by whoever has the address then.
void drop_syn(int descriptor) {
  constexpr unsigned flags_byte = 13, syn_bit = 2;
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_byte),
                        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, syn_bit, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
  const sock_fprog program{.len = std::size(code), .filter = code};
  ::setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

// A name that begins with '@' is the kernel's alone.
bool has_file(const Address& at) {
  return at.family == Address::Family::unix_path && !at.path.starts_with('@');
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

class SocketListener final : public Listener, public Pollable {
 public:
  SocketListener(NativeEngine& engine, int descriptor, Address local)
      : engine_(engine), descriptor_(descriptor), local_(std::move(local)) {
    if (has_file(local_) && ::lstat(local_.path.c_str(), &file_) != 0) file_ = {};
  }
  ~SocketListener() override {
    CHECK(op_ == nullptr);
    if (registered_) engine_.remove(descriptor_, *this, false);
    ::close(descriptor_);
  }
  const Address& local() const override { return local_; }
  int descriptor() const override { return descriptor_; }
  // A path is taken away unless it is another's by now.
  void turn_away() override {
    if (local_.family != Address::Family::unix_path) return drop_syn(descriptor_);
    struct stat now;
    if (has_file(local_) && ::lstat(local_.path.c_str(), &now) == 0 && same_file(now, file_))
      ::unlink(local_.path.c_str());
  }

  void on_events(uint32_t) override {
    ready_ = true;
    if (op_ != nullptr && try_accept(*op_)) std::exchange(op_, nullptr)->complete();
  }

 private:
  bool start(Accept& op) override {
    CHECK(op_ == nullptr);
    if (try_accept(op)) return true;
    if (auto added = ensure_registered(); !added) {
      op.result = std::unexpected(added.error());
      return true;
    }
    op_ = &op;
    return false;
  }
  // Late, on the first wait: a listener that nobody accepts from is in no set. Exclusive: of
  // several workers that share a socket, one is woken for a client.
  Result<> ensure_registered() {
    if (registered_) return {};
    auto added = engine_.add(descriptor_, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE, *this);
    registered_ = added.has_value();
    return added;
  }
  void cancel(Accept& op, Code why) override {
    op_ = nullptr;
    op.result = fail(why, Side::self, "called off");
    op.complete_soon();
  }
  bool try_accept(Accept& op) {
    while (ready_) {
      sockaddr_storage peer;
      socklen_t size = sizeof peer;
      const int client = ::accept4(descriptor_, reinterpret_cast<sockaddr*>(&peer), &size,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client >= 0) {
        op.result = engine_.adopt(client, Side::client, from_sockaddr(peer, size));
        return true;
      }
      if (errno == EAGAIN) break;
      // A client that left before we came (ECONNABORTED) and the like: take the next.
      if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) continue;
      op.result = fail(Code::overloaded, Side::self, "no descriptor or memory for another client");
      return true;
    }
    return ready_ = false;
  }

  NativeEngine& engine_;
  const int descriptor_;
  bool ready_ = true;
  bool registered_ = false;
  Accept* op_ = nullptr;
  Address local_;
  struct stat file_{};  // of a path: the one we made
};

// Connects to a path, and tells why not; 0: connected, and the other end stays.
int probe_path(const sockaddr_storage& where, unsigned size, std::chrono::milliseconds patience) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return errno;
  int error = 0;
  if (::connect(probe, reinterpret_cast<const sockaddr*>(&where), size) != 0) error = errno;
  pollfd ended{.fd = probe, .events = POLLRDHUP};
  if (error == 0 && ::poll(&ended, 1, static_cast<int>(patience.count())) > 0) error = EAGAIN;
  ::close(probe);
  return error;
}

// A socket file that nobody listens on any more is in the way after a crash: take it away, but only
// then. The kernel ends the rings of a process that was killed in the background, and what they
// hold lives for a moment longer [measured: a third of the restarts came before]: who connects then
// is let in, and soon put out. One that lives costs the patience, and then the address is in use.
void remove_stale_path(const Address& at) {
  constexpr std::chrono::milliseconds patience(200);
  constexpr int probes_max = 3;
  if (!has_file(at)) return;
  struct stat info;
  if (::lstat(at.path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  sockaddr_storage where;
  unsigned size = 0;
  if (!to_sockaddr(at, where, size)) return;
  int error = EAGAIN;
  for (int i = 0; error == EAGAIN && i < probes_max; ++i) error = probe_path(where, size, patience);
  // Any other answer (a full queue, no permission, another kind of socket) leaves it possible that
  // it lives.
  if (error == ECONNREFUSED) ::unlink(at.path.c_str());
}

}  // namespace

Time NativeEngine::now() { return Time(std::chrono::steady_clock::now().time_since_epoch()); }
WallTime NativeEngine::wall() {
  return WallTime(std::chrono::system_clock::now().time_since_epoch());
}

bool NativeEngine::start(Connect& op) {
  sockaddr_storage where;
  unsigned size = 0;
  if (!to_sockaddr(op.address, where, size)) {
    op.result = fail(Code::unavailable, Side::self, "no address, or its path is too long", true);
    return true;
  }
  const int s = ::socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s < 0) {
    op.result = unreachable(errno);
    return true;
  }
  tune(s, op.address);
  if (::connect(s, reinterpret_cast<sockaddr*>(&where), size) == 0) {
    op.result = adopt(s, Side::upstream, op.address);
    return true;
  }
  if (errno != EINPROGRESS) {
    // EAGAIN is a Unix socket whose backlog is full.
    op.result = unreachable(errno);
    ::close(s);
    return true;
  }
  auto pending = std::make_unique<PendingConnect>(*this, op, s);
  if (auto begun = pending->begin(); !begun) {
    op.result = std::unexpected(begun.error());
    ::close(s);
    return true;
  }
  op.pending = pending.release();
  return false;
}

void NativeEngine::cancel(Connect& op, Code why) {
  static_cast<PendingConnect*>(op.pending)->cancel(why);
}

Result<ListenerPtr> NativeEngine::listen(const Address& at, const ListenOptions& options) {
  auto refused = [](int error) {
    return fail(Code::unavailable, Side::self, listen_problem(error));
  };
  if (options.share >= 0) {
    const int same = ::fcntl(options.share, F_DUPFD_CLOEXEC, 0);
    return same >= 0 ? std::make_unique<SocketListener>(*this, same, at)
                     : Result<ListenerPtr>(refused(errno));
  }
  remove_stale_path(at);
  sockaddr_storage where;
  unsigned size = 0;
  if (!to_sockaddr(at, where, size)) return refused(EINVAL);
  const int s = ::socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s < 0) return refused(errno);
  set(s, SOL_SOCKET, SO_REUSEADDR);
  tune(s, at);
  if (where.ss_family != AF_UNIX && options.reuse_port && !options.exclusive)
    set(s, SOL_SOCKET, SO_REUSEPORT);
  const bool bound_here = ::bind(s, reinterpret_cast<sockaddr*>(&where), size) == 0;
  // bind() has refused what others hold; from now on more of our own may join.
  if (bound_here && where.ss_family != AF_UNIX && options.reuse_port && options.exclusive)
    set(s, SOL_SOCKET, SO_REUSEPORT);
  if (!bound_here || ::listen(s, options.backlog) != 0) {
    const int error = errno;
    ::close(s);
    return refused(error);
  }
  sockaddr_storage bound;
  socklen_t bound_size = sizeof bound;
  ::getsockname(s, reinterpret_cast<sockaddr*>(&bound), &bound_size);
  return std::make_unique<SocketListener>(*this, s, from_sockaddr(bound, bound_size));
}

bool has_engine(EngineChoice choice) {
  return choice != EngineChoice::uring || UringEngine::available();
}

std::unique_ptr<NativeEngine> make_native_engine(EngineChoice choice) {
  const bool uring = choice != EngineChoice::epoll && UringEngine::available();
  if (uring) return std::make_unique<UringEngine>();
  if (choice == EngineChoice::uring) return nullptr;
  return std::make_unique<EpollEngine>();
}

}  // namespace banyan
