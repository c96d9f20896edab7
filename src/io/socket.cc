#include "io/socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace banyan {

Socket::Socket(EpollEngine& engine, int descriptor, Side side, Address peer)
    : Stream(side), engine_(engine), descriptor_(descriptor), peer_(std::move(peer)) {}

Socket::~Socket() {
  CHECK(reader_ == nullptr && writer_ == nullptr);
  if (registered_) engine_.remove(descriptor_, *this, false);
  ::close(descriptor_);
}

void Socket::shutdown_write() { ::shutdown(descriptor_, SHUT_WR); }

void Socket::shutdown_read() { ::shutdown(descriptor_, SHUT_RD); }

void Socket::abort() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

// Late, on the first wait: a short connection may end without ever being in the set.
Result<> Socket::ensure_registered() {
  if (registered_) return {};
  auto added = engine_.add(descriptor_, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
  registered_ = added.has_value();
  return added;
}

std::unexpected<Error> Socket::broken(int error) {
  if (error == ENOBUFS || error == ENOMEM)
    return fail(Code::overloaded, Side::self, "the kernel has no memory for the socket");
  // The kernel tells an error once and then says "end": only we can remember that it was none.
  // EPIPE says nothing about what the peer sent: after its orderly end, or ours, the rest may still
  // be read.
  if (error != EPIPE) reset_ = true;
  return fail(Code::reset, side(), "the connection was reset");
}

// A signal is no reason to wait for an event: with edges none may come.
ssize_t Socket::receive(char* into, size_t bytes, int flags) {
  ssize_t n;
  do n = ::recv(descriptor_, into, bytes, flags);
  while (n < 0 && errno == EINTR);
  return n;
}

bool Socket::try_read(Read& op) {
  if (!readable_) return false;
  if (op.only_wait()) {
    // Whether there is something can only be known from an event; before the first one, ask.
    char byte;
    if (receive(&byte, 1, MSG_PEEK) < 0) {
      if (errno == EAGAIN) return readable_ = false;
      (void)broken(errno);  // for the read that follows
    }
    op.result = 0;
    return true;
  }
  const ssize_t n = receive(op.into.data(), op.into.size(), 0);
  if (n == 0 && reset_) {
    op.result = broken(ECONNRESET);
    return true;
  }
  if (n >= 0) {
    // A short read has emptied the socket: no second recv to be told EAGAIN.
    if (static_cast<size_t>(n) < op.into.size() && !peer_closed_) readable_ = false;
    op.result = static_cast<size_t>(n);
    return true;
  }
  if (errno == EAGAIN) return readable_ = false;
  op.result = broken(errno);
  return true;
}

bool Socket::quiet() {
  if (peer_closed_) return false;
  // Without the set no event would tell that something has come: then the kernel is asked each
  // time.
  if (!readable_ && registered_) return true;
  char byte;
  if (receive(&byte, 1, MSG_PEEK) >= 0) return false;
  if (errno != EAGAIN) {
    (void)broken(errno);
    return false;
  }
  if (registered_) readable_ = false;
  return true;
}

bool Socket::try_write(Write& op) {
  constexpr size_t batch_max = 64;
  const int flags = MSG_NOSIGNAL | (op.last ? MSG_MORE : 0);
  while (writable_) {
    iovec batch[batch_max];
    size_t n = 0, bytes = 0;
    for (const Bytes& piece : op.pieces) {
      if (n == batch_max) break;
      const size_t skip = n == 0 ? op.offset : 0;
      batch[n++] = {const_cast<char*>(piece.data()) + skip, piece.size() - skip};
      bytes += piece.size() - skip;
    }
    msghdr message{};
    message.msg_iov = batch;
    message.msg_iovlen = n;
    const ssize_t sent = ::sendmsg(descriptor_, &message, flags);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) break;
      op.result = broken(errno);
      return true;
    }
    if (op.advance(static_cast<size_t>(sent))) return true;
    if (static_cast<size_t>(sent) < bytes) break;
  }
  writable_ = false;
  return false;
}

bool Socket::start(Read& op) {
  CHECK(reader_ == nullptr);
  if (try_read(op)) return true;
  if (auto added = ensure_registered(); !added) {
    op.result = std::unexpected(added.error());
    return true;
  }
  reader_ = &op;
  return false;
}

bool Socket::start(Write& op) {
  CHECK(writer_ == nullptr);
  if (op.advance(0) || try_write(op)) return true;
  if (auto added = ensure_registered(); !added) {
    op.result = std::unexpected(added.error());
    return true;
  }
  writer_ = &op;
  return false;
}

void Socket::cancel(Read& op, Code why) {
  reader_ = nullptr;
  op.result =
      fail(why, side(), why == Code::timeout ? "the peer sent nothing in time" : "called off");
  op.complete_soon();
}

void Socket::cancel(Write& op, Code why) {
  writer_ = nullptr;
  op.result =
      fail(why, side(), why == Code::timeout ? "the peer took nothing in time" : "called off");
  op.complete_soon();
}

void Socket::watch(Cancel* scope) {
  watcher_ = scope;
  if (scope == nullptr) return;
  // A socket that cannot be watched would never tell: the work is called off at once.
  if (!ensure_registered() || peer_closed_)
    std::exchange(watcher_, nullptr)->request(Code::cancelled);
}

void Socket::on_events(uint32_t events) {
  const bool broken_now = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (broken_now || (events & EPOLLRDHUP) != 0) peer_closed_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0 || broken_now) readable_ = true;
  if ((events & EPOLLOUT) != 0 || broken_now) writable_ = true;
  if (peer_closed_ && watcher_ != nullptr)
    std::exchange(watcher_, nullptr)->request(Code::cancelled);

  Read* read_done = nullptr;
  if (reader_ != nullptr && try_read(*reader_)) read_done = std::exchange(reader_, nullptr);
  Write* write_done = nullptr;
  if (writer_ != nullptr && try_write(*writer_)) write_done = std::exchange(writer_, nullptr);
  // Resuming may destroy this socket: nothing of it is touched after the last line.
  if (write_done != nullptr && read_done != nullptr) write_done->complete_soon();
  if (read_done != nullptr) return read_done->complete();
  if (write_done != nullptr) write_done->complete();
}

}  // namespace banyan
