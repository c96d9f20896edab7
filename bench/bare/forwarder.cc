// A forwarder that only moves bytes: what any proxy on this machine costs before it reads a word of
// HTTP. Each client gets a connection to the origin of its own; what comes from one side is sent to
// the other as it is. It does all that is known to be cheap: io_uring with receives that stay
// armed, buffers that the kernel takes itself, fixed files, and one system call a turn for all
// sends. Usage: forwarder PORT ORIGIN_PORT. It is no server: it takes whatever connects on
// loopback.
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

constexpr unsigned sockets_max = 8192;
constexpr unsigned blocks = 4096;
constexpr unsigned block_size = 4096;
constexpr unsigned entries = 4096;

enum Kind : unsigned { accepted, received, sent };

void must(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(1);
}

int tcp_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  must(fd >= 0 && fd < static_cast<int>(sockets_max), "socket");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // What Banyan chooses on loopback: the pacing of others costs a timer for each packet.
  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
  return fd;
}

sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

class Forwarder {
 public:
  Forwarder(int port, int origin_port)
      : origin_(loopback(origin_port)), peers_(sockets_max), uses_(sockets_max) {
    open_ring();
    give_blocks();
    listen_on(port);
  }

  [[noreturn]] void run() {
    for (;;) {
      io_uring_submit_and_wait(&ring_, 1);
      io_uring_cqe* done = nullptr;
      unsigned head = 0, count = 0;
      io_uring_for_each_cqe(&ring_, head, done) {
        ++count;
        handle(*done);
      }
      io_uring_buf_ring_advance(given_, returned_);
      returned_ = 0;
      io_uring_cq_advance(&ring_, count);
    }
  }

 private:
  void open_ring() {
    io_uring_params how{};
    how.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    how.cq_entries = entries * 4;
    must(io_uring_queue_init_params(entries, &ring_, &how) == 0, "io_uring");
    must(io_uring_register_files_sparse(&ring_, sockets_max) == 0, "fixed files");
    io_uring_register_ring_fd(&ring_);
  }

  void give_blocks() {
    memory_.resize(static_cast<size_t>(blocks) * block_size);
    given_ =
        static_cast<io_uring_buf_ring*>(std::aligned_alloc(4096, blocks * sizeof(io_uring_buf)));
    io_uring_buf_reg at{};
    at.ring_addr = reinterpret_cast<uintptr_t>(given_);
    at.ring_entries = blocks;
    must(io_uring_register_buf_ring(&ring_, &at, 0) == 0, "buffers");
    io_uring_buf_ring_init(given_);
    for (unsigned i = 0; i < blocks; ++i) give(i);
    io_uring_buf_ring_advance(given_, returned_);
    returned_ = 0;
  }

  void listen_on(int port) {
    const int fd = tcp_socket();
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in at = loopback(port);
    must(bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0, "bind");
    must(listen(fd, 4096) == 0, "listen");
    io_uring_sqe* one = next();
    io_uring_prep_multishot_accept(one, fd, nullptr, nullptr, 0);
    io_uring_sqe_set_data64(one, tag(accepted, 0));
  }

  void handle(const io_uring_cqe& done) {
    const auto kind = static_cast<Kind>(done.user_data >> 56);
    const auto of = static_cast<unsigned>(done.user_data);
    const unsigned use = done.user_data >> 32 & 0xffffff;
    if (kind == accepted && done.res >= 0) connect_origin(done.res);
    // What is told of a descriptor's earlier use says nothing of this one.
    if (kind == received && use == uses_[of]) pass_on(static_cast<int>(of), done);
    if (kind == sent) give(of);
  }

  void connect_origin(int client) {
    const int origin = tcp_socket();
    must(connect(origin, reinterpret_cast<const sockaddr*>(&origin_), sizeof origin_) == 0,
         "connect");
    peers_[client] = origin;
    peers_[origin] = client;
    for (int fd : {client, origin}) {
      io_uring_register_files_update(&ring_, static_cast<unsigned>(fd), &fd, 1);
      receive(fd);
    }
  }

  void receive(int fd) {
    io_uring_sqe* one = next();
    io_uring_prep_recv_multishot(one, fd, nullptr, 0, 0);
    one->flags |= IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE;
    const uint64_t use = uses_[fd];
    io_uring_sqe_set_data64(one, tag(received, static_cast<unsigned>(fd)) | use << 32);
  }

  void pass_on(int from, const io_uring_cqe& done) {
    if (done.res == -ENOBUFS) return receive(from);
    if (done.res <= 0) return close_pair(from);
    const unsigned block = done.flags >> IORING_CQE_BUFFER_SHIFT;
    io_uring_sqe* one = next();
    io_uring_prep_send(one, peers_[from], &memory_[static_cast<size_t>(block) * block_size],
                       static_cast<size_t>(done.res), MSG_NOSIGNAL | MSG_WAITALL);
    one->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(one, tag(sent, block));
    if ((done.flags & IORING_CQE_F_MORE) == 0) receive(from);
  }

  // The first end closes both.
  void close_pair(int fd) {
    const int peer = peers_[fd];
    for (const int one : {fd, peer}) {
      int none = -1;
      uses_[one] = (uses_[one] + 1) & 0xffffff;
      shutdown(one, SHUT_RDWR);
      io_uring_register_files_update(&ring_, static_cast<unsigned>(one), &none, 1);
      close(one);
    }
  }

  io_uring_sqe* next() {
    io_uring_sqe* one = io_uring_get_sqe(&ring_);
    if (one == nullptr) {
      io_uring_submit(&ring_);
      one = io_uring_get_sqe(&ring_);
    }
    return one;
  }
  void give(unsigned block) {
    io_uring_buf_ring_add(given_, &memory_[static_cast<size_t>(block) * block_size], block_size,
                          static_cast<unsigned short>(block), io_uring_buf_ring_mask(blocks),
                          returned_++);
  }
  static uint64_t tag(Kind kind, unsigned of) { return static_cast<uint64_t>(kind) << 56 | of; }

  const sockaddr_in origin_;
  io_uring ring_{};
  io_uring_buf_ring* given_ = nullptr;
  int returned_ = 0;  // blocks, since the last advance
  std::vector<char> memory_;
  std::vector<int> peers_;      // by descriptor
  std::vector<unsigned> uses_;  // by descriptor, how often it was closed: 24 bits
};

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("usage: forwarder PORT ORIGIN_PORT\n", stderr);
    return 2;
  }
  std::make_unique<Forwarder>(std::atoi(words[1]), std::atoi(words[2]))->run();
}
