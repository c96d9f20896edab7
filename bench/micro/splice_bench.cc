// What moving a large content through a proxy costs: recv + send through a buffer, against splice
// through a pipe (no copy to user space). One thread moves; a sender and a receiver are at its ends
// over loopback TCP. Counted is the mover's own CPU time. Result: docs/performance.md.
// Owner: the benchmark. Bounds: 1 MiB a round; it ends by itself.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

namespace {

constexpr size_t content_bytes = 1 << 20;

struct Pair {
  int one = -1, other = -1;
};

Pair connected() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  Pair out{.one = ::socket(AF_INET, SOCK_STREAM, 0)};
  if (::bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0 ||
      ::connect(out.one, reinterpret_cast<sockaddr*>(&at), size) != 0)
    std::abort();
  out.other = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  return out;
}

double thread_cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The ends: a sender that always has more, a receiver that takes all there is.
class Ends {
 public:
  Ends() {
    sender_ = std::thread([fd = in_.one] {
      const std::vector<char> bytes(256 * 1024, 'x');
      while (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
      }
    });
    receiver_ = std::thread([fd = out_.other] {
      std::vector<char> bytes(1 << 20);
      while (::recv(fd, bytes.data(), bytes.size(), 0) > 0) {
      }
    });
  }
  ~Ends() {
    for (const int fd : {in_.one, in_.other, out_.one, out_.other}) ::shutdown(fd, SHUT_RDWR);
    sender_.join();
    receiver_.join();
    for (const int fd : {in_.one, in_.other, out_.one, out_.other}) ::close(fd);
  }
  int from() const { return in_.other; }
  int to() const { return out_.one; }

 private:
  Pair in_ = connected(), out_ = connected();
  std::thread sender_, receiver_;
};

void send_all(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (n <= 0) std::abort();
    bytes += n;
    size -= static_cast<size_t>(n);
  }
}

void copy(benchmark::State& state) {
  Ends ends;
  std::vector<char> buffer(static_cast<size_t>(state.range(0)));
  for (auto round : state) {
    const double begin = thread_cpu_seconds();
    for (size_t left = content_bytes; left > 0;) {
      const ssize_t n = ::recv(ends.from(), buffer.data(), std::min(left, buffer.size()), 0);
      if (n <= 0) std::abort();
      send_all(ends.to(), buffer.data(), static_cast<size_t>(n));
      left -= static_cast<size_t>(n);
    }
    state.SetIterationTime(thread_cpu_seconds() - begin);
  }
}

void splice(benchmark::State& state) {
  Ends ends;
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) std::abort();
  (void)::fcntl(pipe[1], F_SETPIPE_SZ, static_cast<int>(state.range(0)));
  for (auto round : state) {
    const double begin = thread_cpu_seconds();
    for (size_t left = content_bytes; left > 0;) {
      ssize_t n = ::splice(ends.from(), nullptr, pipe[1], nullptr, left, SPLICE_F_MOVE);
      if (n <= 0) std::abort();
      left -= static_cast<size_t>(n);
      while (n > 0) {
        const ssize_t sent = ::splice(pipe[0], nullptr, ends.to(), nullptr, static_cast<size_t>(n),
                                      SPLICE_F_MOVE | SPLICE_F_MORE);
        if (sent <= 0) std::abort();
        n -= sent;
      }
    }
    state.SetIterationTime(thread_cpu_seconds() - begin);
  }
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace

BENCHMARK(copy)->Arg(64 << 10)->Arg(256 << 10)->Arg(1 << 20)->UseManualTime();
BENCHMARK(splice)->Arg(64 << 10)->Arg(256 << 10)->Arg(1 << 20)->UseManualTime();

BENCHMARK_MAIN();
