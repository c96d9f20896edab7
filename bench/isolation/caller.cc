// Caller: the clients of the isolation bench, all in one thread, each group with a temper.
//   caller SECONDS PORT GROUP...
//   GROUP  steady:NAME:TARGET:TENANT:RATE          so many requests a second, whatever comes back
//          flood:NAME:TARGET:TENANT:CLIENTS:PAUSE  each asks again at once; after anything but a
//          200
//                                                  it waits PAUSE ms
// Prints a line a group: "NAME sent N ok N p50_us N p99_us N", of requests that were answered with
// 200 within kPatience. The time of a steady request counts from when it was due, not from when it
// was sent: a caller that is held up does not hide it. Bounds: kClientsMax connections a group.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace banyan::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using namespace std::chrono_literals;
constexpr size_t kClientsMax = 2000;
constexpr auto kPatience = 5s;

struct Group {
  std::string name, request;
  bool steady = false;
  uint64_t rate = 0;
  size_t clients = 0;
  std::chrono::milliseconds pause{};
  uint64_t sent = 0, ok = 0;
  std::vector<int64_t> took_us;
  Time next_due;
  std::vector<int> idle;  // clients of a steady group that wait for work
};

struct Client {
  Group* group = nullptr;
  Time due;  // of the request that is under way
  bool busy = false;
  std::string answer;
};

class Caller {
 public:
  Caller(int port, std::vector<std::unique_ptr<Group>> groups)
      : groups_(std::move(groups)), port_(port) {}

  void run(std::chrono::seconds length) {
    const Time start = Clock::now();
    end_ = start + length;
    for (const auto& group : groups_) {
      group->next_due = start;
      // Not all at once: nobody arrives in step.
      for (size_t i = 0; i < group->clients; ++i) wake_.push({start + i * 1ms, -1, group.get()});
    }
    while (Clock::now() < end_ || busy_ != 0) {
      if (Clock::now() > end_ + kPatience) break;
      turn();
    }
  }
  void tell() {
    for (const auto& group : groups_) {
      auto& took = group->took_us;
      std::ranges::sort(took);
      const auto at = [&](double part) {
        return took.empty() ? 0 : took[static_cast<size_t>(part * (took.size() - 1))];
      };
      std::printf("%s sent %llu ok %llu p50_us %lld p99_us %lld\n", group->name.c_str(),
                  static_cast<unsigned long long>(group->sent),
                  static_cast<unsigned long long>(group->ok), static_cast<long long>(at(0.5)),
                  static_cast<long long>(at(0.99)));
    }
  }

 private:
  struct Wake {
    Time at;
    int descriptor;  // -1: a new client
    Group* group;
    bool operator<(const Wake& other) const { return at > other.at; }
  };

  void turn() {
    Time next = Clock::now() + 50ms;
    if (!wake_.empty()) next = std::min(next, wake_.top().at);
    for (const auto& group : groups_)
      if (group->steady && group->next_due < end_) next = std::min(next, group->next_due);
    const auto left = std::max<Clock::duration>(next - Clock::now(), {});
    const timespec wait{.tv_sec = 0, .tv_nsec = left.count()};
    std::array<epoll_event, 256> events;
    const int n = epoll_pwait2(poll_, events.data(), events.size(), &wait, nullptr);
    for (int i = 0; i < n; ++i) read(events[i].data.fd);
    const Time now = Clock::now();
    if (now >= end_) return;
    for (const auto& group : groups_)
      for (; group->steady && group->next_due <= now;
           group->next_due += 1'000'000'000ns / group->rate)
        ask_steady(*group);
    while (!wake_.empty() && wake_.top().at <= now) {
      const Wake wake = wake_.top();
      wake_.pop();
      ask(wake.descriptor < 0 ? connect_one(*wake.group) : wake.descriptor, *wake.group, now);
    }
  }

  void ask_steady(Group& group) {
    int descriptor = -1;
    if (!group.idle.empty()) {
      descriptor = group.idle.back();
      group.idle.pop_back();
    } else {
      descriptor = connect_one(group);
    }
    ask(descriptor, group, group.next_due);
  }

  // The handshake is part of the first request's time, as it is for a client.
  int connect_one(Group& group) {
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    where.sin_port = htons(static_cast<uint16_t>(port_));
    if (connect(s, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) {
      std::perror("caller");
      std::exit(1);
    }
    if (clients_.size() <= static_cast<size_t>(s)) clients_.resize(s + 1);
    clients_[s] = {.group = &group};
    epoll_event event{.events = EPOLLIN, .data = {.fd = s}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, s, &event);
    return s;
  }

  void ask(int descriptor, Group& group, Time due) {
    Client& client = clients_[descriptor];
    client.due = due;
    client.busy = true;
    client.answer.clear();
    ++busy_;
    ++group.sent;
    (void)send(descriptor, group.request.data(), group.request.size(), MSG_NOSIGNAL);
  }

  void read(int descriptor) {
    Client& client = clients_[descriptor];
    std::array<char, 16384> bytes;
    const ssize_t n = recv(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return gone(descriptor);
    client.answer.append(bytes.data(), static_cast<size_t>(n));
    if (whole(client.answer)) answered(descriptor);
  }

  // The proxy has closed: after an answer that said so, or instead of one.
  void gone(int descriptor) {
    Client& client = clients_[descriptor];
    Group& group = *client.group;
    const bool owed = std::exchange(client.busy, false);
    close(descriptor);
    std::erase(group.idle, descriptor);
    if (owed) --busy_;
    if (!group.steady) wake_.push({Clock::now() + group.pause, -1, &group});
  }

  static bool whole(const std::string& answer) {
    const size_t head = answer.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    for (std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "})
      if (const size_t at = answer.find(name); at < head)
        return answer.size() >=
               head + 4 + std::strtoul(answer.c_str() + at + name.size(), nullptr, 10);
    return false;  // its end is that of the connection
  }

  void answered(int descriptor) {
    Client& client = clients_[descriptor];
    Group& group = *client.group;
    const auto took = Clock::now() - client.due;
    const bool ok = client.answer.starts_with("HTTP/1.1 200 ") && took < kPatience;
    const bool closes = client.answer.find("onnection: close") != std::string::npos;
    client.busy = false;
    --busy_;
    if (ok) {
      ++group.ok;
      group.took_us.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    }
    if (closes) {
      close(descriptor);
      if (!group.steady) wake_.push({Clock::now() + (ok ? 0ms : group.pause), -1, &group});
      return;
    }
    if (group.steady) return group.idle.push_back(descriptor);
    if (ok && Clock::now() < end_) return ask(descriptor, group, Clock::now());
    // A pause on a connection that may be closed meanwhile: it begins anew on another.
    close(descriptor);
    wake_.push({Clock::now() + group.pause, -1, &group});
  }

  const int poll_ = epoll_create1(0);
  const std::vector<std::unique_ptr<Group>> groups_;
  const int port_;
  std::vector<Client> clients_;  // by descriptor
  std::priority_queue<Wake> wake_;
  Time end_;
  size_t busy_ = 0;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at; (at = text.find(':')) != text.npos; text.remove_prefix(at + 1))
    out.emplace_back(text.substr(0, at));
  out.emplace_back(text);
  return out;
}

std::unique_ptr<Group> parse(std::string_view text) {
  const auto part = split(text);
  auto group = std::make_unique<Group>();
  group->steady = part[0] == "steady";
  if (part.size() != (group->steady ? 5u : 6u)) std::exit(2);
  group->name = part[1];
  group->request =
      "GET " + part[2] + " HTTP/1.1\r\nHost: bench\r\nX-Tenant: " + part[3] + "\r\n\r\n";
  if (group->steady) {
    group->rate = std::strtoull(part[4].c_str(), nullptr, 10);
    if (group->rate == 0) std::exit(2);
  } else {
    group->clients = std::min<size_t>(std::strtoull(part[4].c_str(), nullptr, 10), kClientsMax);
    group->pause = std::chrono::milliseconds(std::strtoull(part[5].c_str(), nullptr, 10));
  }
  return group;
}

}  // namespace
}  // namespace banyan::bench

int main(int argc, char** argv) {
  using namespace banyan::bench;
  if (argc < 4) return 2;
  std::vector<std::unique_ptr<Group>> groups;
  for (int i = 3; i < argc; ++i) groups.push_back(parse(argv[i]));
  Caller caller(std::atoi(argv[2]), std::move(groups));
  caller.run(std::chrono::seconds(std::atoi(argv[1])));
  caller.tell();
}
