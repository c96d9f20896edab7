// Service: what stands behind the gateways of the isolation bench. Three ports, three tempers:
//   service GOOD_PORT SHARED_PORT HANG_PORT
// GOOD answers after 5 ms, whatever comes. SHARED answers after 20 ms, but works on 8 requests at a
// time; the others wait in its queue, as in a pool of threads. HANG reads, and never answers.
// One thread, one epoll; it ends by the signal of the bench. Bounds: kConnectionsMax connections, a
// head of kHeadMax bytes, no content. A request comes alone on its connection, never pipelined.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <queue>
#include <string_view>
#include <vector>

namespace banyan::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
constexpr size_t kConnectionsMax = 10000;
constexpr size_t kHeadMax = 4096;
constexpr unsigned kSharedAtOnce = 8;
constexpr auto kGoodTakes = 5ms;
constexpr auto kSharedTakes = 20ms;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

enum class Temper : uint8_t { good, shared, hang };

struct Connection {
  Temper temper;
  std::array<char, kHeadMax> head;
  size_t used = 0;
  uint64_t number = 0;  // a descriptor is used again, a number is not
};

struct Due {
  Clock::time_point at;
  int descriptor;
  uint64_t number;
  bool shared;
  bool operator<(const Due& other) const { return at > other.at; }  // the earliest first
};

class Service {
 public:
  void listen_on(int port, Temper temper) {
    const int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    where.sin_port = htons(static_cast<uint16_t>(port));
    if (bind(s, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 || listen(s, 1024) != 0) {
      std::perror("service");
      std::exit(1);
    }
    add(s, temper, true);
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const timespec until = wait_time();
      const int n = epoll_pwait2(poll_, events.data(), events.size(),
                                 due_.empty() ? nullptr : &until, nullptr);
      for (int i = 0; i < n; ++i) on_event(static_cast<int>(events[i].data.fd));
      while (!due_.empty() && due_.top().at <= Clock::now()) answer(due_.top());
    }
  }

 private:
  struct Slot {
    bool listener = false;
    std::unique_ptr<Connection> connection;
    Temper temper = Temper::good;
  };

  void add(int descriptor, Temper temper, bool listener) {
    if (slots_.size() <= static_cast<size_t>(descriptor)) slots_.resize(descriptor + 1);
    Slot& slot = slots_[descriptor];
    slot = {listener, nullptr, temper};
    if (!listener) {
      slot.connection = std::make_unique<Connection>();
      slot.connection->temper = temper;
      slot.connection->number = ++numbers_;
    }
    epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  timespec wait_time() const {
    if (due_.empty()) return {};
    const auto left = std::max<Clock::duration>(due_.top().at - Clock::now(), {});
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  }

  void on_event(int descriptor) {
    Slot& slot = slots_[descriptor];
    if (!slot.listener) return read(descriptor);
    const Temper temper = slot.temper;  // add() may move the slots
    for (int client; (client = accept4(descriptor, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int on = 1;
      setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (static_cast<size_t>(client) > kConnectionsMax)
        close(client);
      else
        add(client, temper, false);
    }
  }

  void read(int descriptor) {
    Connection& c = *slots_[descriptor].connection;
    const ssize_t n = recv(descriptor, c.head.data() + c.used, c.head.size() - c.used, 0);
    if (n <= 0) {
      if (n < 0 && errno == EAGAIN) return;
      close(descriptor);
      slots_[descriptor].connection.reset();
      return;
    }
    c.used += static_cast<size_t>(n);
    if (!std::string_view(c.head.data(), c.used).ends_with("\r\n\r\n")) return;
    c.used = 0;
    if (c.temper == Temper::good)
      due_.push({Clock::now() + kGoodTakes, descriptor, c.number, false});
    else if (c.temper == Temper::shared)
      begin_shared(descriptor, c.number);
  }

  void begin_shared(int descriptor, uint64_t number) {
    if (at_work_ == kSharedAtOnce) return waiting_.push_back({{}, descriptor, number, true});
    ++at_work_;
    due_.push({Clock::now() + kSharedTakes, descriptor, number, true});
  }

  // Work goes on for clients that have left, as it does in most services.
  void answer(Due due) {
    due_.pop();
    const auto& connection = slots_[due.descriptor].connection;
    if (connection != nullptr && connection->number == due.number)
      (void)send(due.descriptor, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    if (!due.shared) return;
    --at_work_;
    if (waiting_.empty()) return;
    const Due next = waiting_.front();
    waiting_.pop_front();
    begin_shared(next.descriptor, next.number);
  }

  const int poll_ = epoll_create1(0);
  std::vector<Slot> slots_;
  std::priority_queue<Due> due_;
  std::deque<Due> waiting_;
  unsigned at_work_ = 0;
  uint64_t numbers_ = 0;
};

}  // namespace
}  // namespace banyan::bench

int main(int argc, char** argv) {
  using namespace banyan::bench;
  if (argc != 4) return 2;
  Service service;
  service.listen_on(std::atoi(argv[1]), Temper::good);
  service.listen_on(std::atoi(argv[2]), Temper::shared);
  service.listen_on(std::atoi(argv[3]), Temper::hang);
  service.run();
}
