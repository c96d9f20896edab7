// Pinger: asks one thing after the other on one connection, and tells how long each took: what a
// hop adds is the difference between two of its runs. It knows Unix sockets, which wrk does not.
//   pinger unix:/path|PORT TARGET SECONDS
// Prints "requests N p50_ns N p99_ns N mean_ns N". Exit 1, with the reason, when anything but a 200
// with a Content-Length came back. Owned by the bench: pinned to the load core, ends by itself.
// Bounds: an answer of kAnswerMax bytes; kSamplesMax requests; nobody is waited for longer than 5
// s.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace banyan::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kAnswerMax = 64 * 1024;
constexpr size_t kSamplesMax = 4'000'000;
constexpr int kWarmUp = 1000;

[[noreturn]] void give_up(std::string_view why) {
  std::fprintf(stderr, "pinger: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

int connect_unix(std::string_view path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof where.sun_path) give_up("the path is too long");
  path.copy(where.sun_path, path.size());
  const int s = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(s, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) give_up("no connection");
  return s;
}

int connect_port(std::string_view text) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(static_cast<uint16_t>(std::atoi(std::string(text).c_str())));
  const int s = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(s, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) give_up("no connection");
  return s;
}

int connect_to(std::string_view address) {
  constexpr std::string_view unix_scheme = "unix:";
  const int s = address.starts_with(unix_scheme) ? connect_unix(address.substr(unix_scheme.size()))
                                                 : connect_port(address);
  const timeval limit{.tv_sec = 5, .tv_usec = 0};
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return s;
}

// Of the whole answer; 0 while its head is not complete.
size_t answer_bytes(std::string_view got) {
  const size_t head = got.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  if (!got.starts_with("HTTP/1.1 200 ")) give_up(got.substr(0, got.find('\r')));
  for (std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
    const size_t at = got.find(name);
    if (at > head) continue;
    size_t content = 0;
    const char* from = got.data() + at + name.size();
    std::from_chars(from, got.data() + head, content);
    return head + 4 + content;
  }
  give_up("an answer without Content-Length");
}

void ask(int s, std::string_view request, std::vector<char>& buffer) {
  if (send(s, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    give_up("the request could not be sent");
  for (size_t used = 0, whole = 0; whole == 0 || used < whole;) {
    const ssize_t n = recv(s, buffer.data() + used, buffer.size() - used, 0);
    if (n <= 0) give_up("the connection ended, or nothing came for 5 s");
    used += static_cast<size_t>(n);
    if (whole == 0) whole = answer_bytes({buffer.data(), used});
    if (whole > buffer.size()) give_up("the answer is too long");
  }
}

void tell(std::vector<uint32_t>& ns) {
  if (ns.empty()) give_up("nothing was measured");
  std::sort(ns.begin(), ns.end());
  const double sum = std::accumulate(ns.begin(), ns.end(), 0.0);
  std::printf("requests %zu p50_ns %u p99_ns %u mean_ns %.0f\n", ns.size(), ns[ns.size() / 2],
              ns[ns.size() * 99 / 100], sum / static_cast<double>(ns.size()));
}

int run(std::string_view address, std::string_view target, int seconds) {
  const int s = connect_to(address);
  const std::string request = "GET " + std::string(target) + " HTTP/1.1\r\nHost: bench\r\n\r\n";
  std::vector<char> buffer(kAnswerMax);
  std::vector<uint32_t> ns;
  ns.reserve(kSamplesMax);
  for (int i = 0; i < kWarmUp; ++i) ask(s, request, buffer);
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  for (auto now = Clock::now(); now < end && ns.size() < kSamplesMax;) {
    ask(s, request, buffer);
    const auto after = Clock::now();
    ns.push_back(static_cast<uint32_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(after - now).count()));
    now = after;
  }
  close(s);
  tell(ns);
  return 0;
}

}  // namespace
}  // namespace banyan::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: pinger unix:/path|PORT TARGET SECONDS\n");
    return 2;
  }
  return banyan::bench::run(argv[1], argv[2], std::clamp(std::atoi(argv[3]), 1, 60));
}
