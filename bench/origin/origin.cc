// Origin: the smallest honest HTTP/1.1 server, so that the proxy under load is never waiting for
// it. Owned by the load bench: built by bench/origin.py, pinned to the load core, ended by its pid.
// One thread, one epoll, level-triggered: it has nothing to do but to answer.
// Bounds: kConnectionsMax connections, a head of kHeadMax bytes, one answer at a time a connection.
// Source: RFC 9112 section 2 (only GET without content; anything it cannot answer closes).
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace banyan::bench {
namespace {

constexpr size_t kConnectionsMax = 19000;  // under the usual 20000 descriptors
constexpr size_t kHeadMax = 2048;
constexpr size_t kFileFrom = 64 * 1024;  // from here sendfile spares the copy out of user space
constexpr int kEventsMax = 256;

struct Answer {
  std::string_view name;  // last segment of the request target
  std::string bytes;      // head and content, ready to go
  int file = -1;          // the same bytes in memory of the kernel, for the large ones
};

struct Connection {
  std::array<char, kHeadMax> head;
  size_t used = 0;
  const Answer* answer = nullptr;  // being sent; the next request waits in `head`
  size_t sent = 0;
  bool wants_write = false;
};

Answer make_answer(std::string_view name, size_t content_bytes) {
  Answer answer{
      name, "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\nContent-Length: " +
                std::to_string(content_bytes) + "\r\n\r\n" + std::string(content_bytes, 'x')};
  if (content_bytes < kFileFrom) return answer;
  answer.file = memfd_create("answer", MFD_CLOEXEC);
  for (size_t done = 0; done < answer.bytes.size();) {
    const ssize_t n = write(answer.file, answer.bytes.data() + done, answer.bytes.size() - done);
    if (n <= 0) _exit(1);
    done += static_cast<size_t>(n);
  }
  return answer;
}

int listen_on(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return -1;
  return listen(fd, 4096) == 0 ? fd : -1;
}

class Origin final {
 public:
  explicit Origin(int listener) : listener_(listener), poll_(epoll_create1(EPOLL_CLOEXEC)) {
    answers_.push_back(make_answer("256", 256));
    answers_.push_back(make_answer("10k", 10 * 1024));
    answers_.push_back(make_answer("1m", 1024 * 1024));
    connections_.resize(kConnectionsMax);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, kEventsMax> events;
    while (true) {  // ended by a signal: SIGTERM has its default action
      const int n = epoll_wait(poll_, events.data(), kEventsMax, -1);
      for (int i = 0; i < n; ++i) serve(events[static_cast<size_t>(i)]);
    }
  }

 private:
  void serve(const epoll_event& event) {
    if (event.data.fd == listener_) return accept_all();
    Connection& c = *connections_[static_cast<size_t>(event.data.fd)];
    if (c.answer == nullptr) return receive(event.data.fd, c);
    if (flush(event.data.fd, c)) answer_next(event.data.fd, c);
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      if (static_cast<size_t>(fd) >= kConnectionsMax) {
        close(fd);
        continue;
      }
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      connections_[static_cast<size_t>(fd)] = new Connection;
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void receive(int fd, Connection& c) {
    const ssize_t n = recv(fd, c.head.data() + c.used, kHeadMax - c.used, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return drop(fd);
    c.used += static_cast<size_t>(n);
    answer_next(fd, c);
  }

  void answer_next(int fd, Connection& c) {
    while (c.answer == nullptr) {
      const std::string_view got(c.head.data(), c.used);
      const size_t end = got.find("\r\n\r\n");
      if (end == got.npos) {
        if (c.used == kHeadMax) drop(fd);
        return;
      }
      c.answer = find(got.substr(0, got.find("\r\n")));
      if (c.answer == nullptr) return drop(fd);
      c.used -= end + 4;
      std::memmove(c.head.data(), c.head.data() + end + 4, c.used);
      c.sent = 0;
      if (!flush(fd, c)) return;
    }
  }

  const Answer* find(std::string_view line) const {
    const size_t end = line.rfind(' ');
    const std::string_view target = line.substr(0, end);
    const std::string_view name = target.substr(target.rfind('/') + 1);
    for (const Answer& answer : answers_)
      if (answer.name == name) return &answer;
    return nullptr;
  }

  // True when the whole answer went out. Asks for EPOLLOUT only while the peer is slow.
  bool flush(int fd, Connection& c) {
    while (c.sent < c.answer->bytes.size()) {
      const ssize_t n = send_some(fd, c);
      if (n <= 0 && errno != EAGAIN) return drop(fd), false;
      if (n <= 0) return want_write(fd, c, true), false;
      c.sent += static_cast<size_t>(n);
    }
    c.answer = nullptr;
    want_write(fd, c, false);
    return true;
  }

  static ssize_t send_some(int fd, const Connection& c) {
    const size_t left = c.answer->bytes.size() - c.sent;
    if (c.answer->file < 0) return send(fd, c.answer->bytes.data() + c.sent, left, MSG_NOSIGNAL);
    off_t from = static_cast<off_t>(c.sent);
    return sendfile(fd, c.answer->file, &from, left);
  }

  void want_write(int fd, Connection& c, bool wanted) {
    if (c.wants_write == wanted) return;
    c.wants_write = wanted;
    watch(EPOLL_CTL_MOD, fd, wanted ? EPOLLOUT : EPOLLIN);
  }

  void watch(int change, int fd, uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(poll_, change, fd, &event);
  }

  void drop(int fd) {
    delete connections_[static_cast<size_t>(fd)];
    connections_[static_cast<size_t>(fd)] = nullptr;
    close(fd);
  }

  int listener_;
  int poll_;
  std::vector<Answer> answers_;
  std::vector<Connection*> connections_;  // by descriptor
};

}  // namespace
}  // namespace banyan::bench

int main(int argc, char** argv) {
  uint16_t port = 0;
  if (argc != 2 ||
      std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), port).ec != std::errc{}) {
    std::fputs("usage: origin PORT\n", stderr);
    return 2;
  }
  const int listener = banyan::bench::listen_on(port);
  if (listener < 0) {
    std::perror("origin: cannot listen");
    return 1;
  }
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no MSG_NOSIGNAL
  banyan::bench::Origin(listener).run();
}
