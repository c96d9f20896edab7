// DnsServer: a name server for tests, on loopback UDP and TCP with the same port, on the test's own
// loop. It answers from a table, counts the questions, and can be slow, silent or broken. Owner:
// the test; it outlives the resolver. Thread: its loop's. Unknown names get NXDOMAIN.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/dns_message.h"
#include "io/epoll.h"
#include "task/nursery.h"

namespace banyan {

class DnsServer final : private Pollable {
 public:
  struct Answer {
    std::vector<std::string> records = {};
    unsigned code = 0;      // 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED
    bool silent = false;    // no answer until release()
    size_t lost = 0;        // so many questions never arrive
    bool noise = false;     // a few bytes of nonsense first
    std::string junk = {};  // instead of the records, behind a good header
    unsigned id_error = 0;  // the answer belongs to another question
  };
  static constexpr unsigned no_such_name = 3, server_failure = 2;

  explicit DnsServer(EpollEngine& engine) : engine_(engine) {
    for (int tries = 0; udp_ < 0 && tries < 10; ++tries) bind_both();
    CHECK(udp_ >= 0 && engine_.add(udp_, EPOLLIN, *this));
  }
  ~DnsServer() {
    engine_.remove(udp_, *this, true);
    ::close(udp_);
  }

  std::string address() const { return to_string(tcp_->local()); }
  Answer& at(std::string_view name, DnsType type) { return table_[{std::string(name), type}]; }
  // A and AAAA records of a name, from numeric hosts.
  void set(std::string_view name, const std::vector<std::string>& ips, uint32_t ttl) {
    at(name, DnsType::a) = {};
    at(name, DnsType::aaaa) = {};
    for (const auto& ip : ips) {
      const bool v6 = ip.find(':') != std::string::npos;
      at(name, v6 ? DnsType::aaaa : DnsType::a).records.push_back(dns::address(name, ip, ttl));
    }
  }
  // Questions that came for it, over UDP and TCP.
  size_t asked(std::string_view name, DnsType type) const {
    const auto found = asked_.find({std::string(name), type});
    return found == asked_.end() ? 0 : found->second;
  }
  size_t asked() const { return asked_all_; }
  size_t asked_over_tcp() const { return asked_tcp_; }
  // Sends what silence held back, as if it had been on the way.
  void release() {
    for (auto& [to, message] : std::exchange(held_, {})) send(to, message);
  }

  // Serves TCP, until called off; run it in a nursery.
  Task<> serve_tcp() {
    for (;;) {
      auto client = co_await tcp_->accept();
      if (!client) co_return;
      co_await converse(**client);
    }
  }

 private:
  using Key = std::pair<std::string, DnsType>;
  static constexpr size_t udp_max = 1232;

  void bind_both() {
    auto listener = engine_.listen(*parse_address("127.0.0.1:0"), {});
    CHECK(listener.has_value());
    tcp_ = std::move(*listener);
    sockaddr_storage where;
    unsigned size = 0;
    CHECK(to_sockaddr(tcp_->local(), where, size));
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (::bind(udp_, reinterpret_cast<sockaddr*>(&where), size) == 0) return;
    ::close(std::exchange(udp_, -1));
  }

  void on_events(uint32_t) override {
    char buffer[1500];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t n =
        ::recvfrom(udp_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 12) return;
    const auto [key, answer] = find({buffer, static_cast<size_t>(n)});
    if (asked_[key] <= answer.lost) return;
    std::string message = answer_to({buffer, static_cast<size_t>(n)}, key, answer);
    if (message.size() > udp_max)
      message = dns::message(id_of(message), 0x8380, dns::question(key.first, key.second), {});
    if (answer.silent) return held_.emplace_back(from, message), void();
    if (answer.noise) send(from, "noise");
    send(from, message);
  }
  Task<> converse(Stream& client) {
    char buffer[1500];
    size_t have = 0;
    while (have < 2 || have < 2 + length_of(buffer)) {
      const auto n = co_await client.read(std::span(buffer).subspan(have));
      if (!n || *n == 0) co_return;
      have += *n;
    }
    ++asked_tcp_;
    const std::string_view query(buffer + 2, length_of(buffer));
    const auto [key, answer] = find(query);
    const std::string message = answer_to(query, key, answer);
    const std::string framed = dns::u16(static_cast<unsigned>(message.size())) + message;
    const Bytes piece[] = {framed};
    (void)co_await client.write(piece);
    (void)co_await client.read(buffer);  // the other side closes when it has read it
  }

  std::pair<Key, Answer> find(std::string_view query) {
    Key key;
    size_t at = 12;
    while (query[at] != 0) {
      if (!key.first.empty()) key.first += '.';
      key.first += query.substr(at + 1, static_cast<size_t>(query[at]));
      at += static_cast<size_t>(query[at]) + 1;
    }
    key.second = static_cast<DnsType>(length_of(query.data() + at + 1));
    ++asked_[key];
    ++asked_all_;
    const auto found = table_.find(key);
    return {key, found == table_.end() ? Answer{.code = no_such_name} : found->second};
  }
  static std::string answer_to(std::string_view query, const Key& key, const Answer& answer) {
    const std::string asked = dns::question(key.first, key.second);
    const unsigned id = id_of(query) ^ answer.id_error;
    if (answer.junk.empty()) return dns::message(id, 0x8180 | answer.code, asked, answer.records);
    return dns::message(id, 0x8180, asked, {answer.junk});
  }
  static unsigned id_of(std::string_view message) { return length_of(message.data()); }
  static unsigned length_of(const char* two) {
    return static_cast<unsigned>(static_cast<unsigned char>(two[0]) << 8 |
                                 static_cast<unsigned char>(two[1]));
  }
  void send(const sockaddr_in& to, std::string_view message) {
    ::sendto(udp_, message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&to),
             sizeof to);
  }

  EpollEngine& engine_;
  ListenerPtr tcp_;
  int udp_ = -1;
  std::map<Key, Answer> table_;
  std::map<Key, size_t> asked_;
  std::vector<std::pair<sockaddr_in, std::string>> held_;
  size_t asked_all_ = 0;
  size_t asked_tcp_ = 0;
};

}  // namespace banyan
