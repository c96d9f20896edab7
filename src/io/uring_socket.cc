#include "io/uring_socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace banyan {

namespace {

void close_with_reset(int descriptor) {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

// The kernel keeps the last bytes until the end comes, and sends both together.
int send_flags(bool last) { return MSG_NOSIGNAL | (last ? MSG_MORE : 0); }

}  // namespace

UringSocket::UringSocket(UringEngine& engine, int descriptor, Side side, Address peer)
    : Stream(side),
      core_(new UringCore(engine, descriptor, side, peer.family == Address::Family::unix_path)),
      peer_(std::move(peer)) {}

void UringSocket::shutdown_write() { core_->shutdown_write(); }

void UringSocket::shutdown_read() { ::shutdown(descriptor(), SHUT_RD); }

void UringSocket::abort() { core_->abort(); }

UringCore::~UringCore() {
  // As the kernel does with bytes that it still has: the peer learns that they were not read.
  if (!kept().empty()) close_with_reset(descriptor_);
  if (slot_ != UringEngine::no_slot) engine_.forget(slot_);
  if (held_ != no_buffer) engine_.give_back(static_cast<unsigned>(held_));
  if (block_ != nullptr) engine_.give_send_block(block_);
  ::close(descriptor_);
}

void UringCore::close() {
  CHECK(reader_ == nullptr && writer_ == nullptr);
  if (pending_ == 0) {
    delete this;
    return;
  }
  closing_ = true;
  watcher_ = nullptr;
  unlink();
  move_out();  // the kernel's block is wanted before the last operation has ended
  for (const Tag tag : {receiving, until_readable, until_writable, until_gone}) call_off(tag);
  // What was told to be written is, if the peer takes it.
  if (aborted_ || !told_) call_off(sending);
  engine_.linger(*this);
}

void UringCore::shutdown_write() {
  fin_ = true;
  if (!pending(sending)) ::shutdown(descriptor_, SHUT_WR);
}

void UringCore::abort() {
  aborted_ = true;
  close_with_reset(descriptor_);
}

io_uring_sqe& UringCore::begin(Tag tag) {
  pending_ |= static_cast<uint8_t>(1u << tag);
  return engine_.prepare(*this, tag);
}

void UringCore::call_off(Tag tag) {
  const auto bit = static_cast<uint8_t>(1u << tag);
  if ((pending_ & bit) == 0 || (called_off_ & bit) != 0) return;
  called_off_ |= bit;
  engine_.call_off(*this, tag);
}

void UringCore::await_events(Tag tag, unsigned events) {
  if (!pending(tag)) io_uring_prep_poll_add(&begin(tag), descriptor_, events);
}

void UringCore::receive_more() {
  if (pending(receiving)) return;
  io_uring_sqe& entry = begin(receiving);
  io_uring_prep_recv_multishot(&entry, descriptor_, nullptr, 0, 0);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = UringEngine::buffer_group;
}

std::unexpected<Error> UringCore::broken(int error) {
  if (error == ENOBUFS || error == ENOMEM)
    return fail(Code::overloaded, Side::self, "the kernel has no memory for the socket");
  // EPIPE says nothing about what the peer sent: after its orderly end, or ours, the rest may still
  // be read.
  if (error != EPIPE) reset_ = true;
  return fail(Code::reset, side_, "the connection was reset");
}

// --- completions

void UringCore::on_completion(unsigned tag, int result, unsigned flags) {
  if ((flags & IORING_CQE_F_MORE) == 0) {
    const auto bit = static_cast<uint8_t>(1u << tag);
    pending_ &= static_cast<uint8_t>(~bit);
    called_off_ &= static_cast<uint8_t>(~bit);
  }
  if (tag == receiving) on_received(result, flags);
  if (tag == sending) on_sent(result);
  if (tag == until_readable && result > 0) readable_ = true;
  if (tag == until_gone && result > 0) gone_ = true;
  if (!closing_) return engine_.settle_later(*this);
  // A tag that is none stands for all: the ring has ended.
  if (pending_ == 0 || tag > until_gone) delete this;
}

void UringCore::on_received(int result, unsigned flags) {
  const bool has_buffer = (flags & IORING_CQE_F_BUFFER) != 0;
  const unsigned buffer = flags >> IORING_CQE_BUFFER_SHIFT;
  if (result > 0) return take(buffer, static_cast<size_t>(result));
  if (has_buffer) engine_.give_back(buffer);
  if (result == 0) end_ = true;
  // Not the socket's: called off, out of blocks, interrupted. It is armed again when it is wanted.
  if (result == -ECANCELED || result == -ENOBUFS || result == -EINTR || result == -EAGAIN) return;
  if (result < 0) receive_error_ = -result;
}

// To the reader as far as it goes; the rest is kept, at first where it is.
void UringCore::take(unsigned buffer, size_t n) {
  const char* bytes = engine_.buffer(buffer);
  size_t copied = 0;
  if (closing_) copied = n;
  if (reader_ != nullptr && !reader_->only_wait() && kept().empty()) {
    copied = std::min(n, reader_->into.size() - filled_);
    memcpy(reader_->into.data() + filled_, bytes, copied);
    filled_ += copied;
  }
  if (copied < n && kept().empty()) {
    held_ = static_cast<int>(buffer);
    held_begin_ = static_cast<uint16_t>(copied);
    held_end_ = static_cast<uint16_t>(n);
    return;
  }
  if (copied < n) keep({bytes + copied, n - copied});
  engine_.give_back(buffer);
}

void UringCore::keep(Bytes bytes) {
  move_out();
  kept_.insert(kept_.end(), bytes.begin(), bytes.end());
}

void UringCore::move_out() {
  if (held_ == no_buffer) return;
  const Bytes held = kept();
  kept_.assign(held.begin(), held.end());
  kept_begin_ = 0;
  engine_.give_back(static_cast<unsigned>(std::exchange(held_, no_buffer)));
}

Bytes UringCore::kept() const {
  if (held_ == no_buffer) return {kept_.data() + kept_begin_, kept_.size() - kept_begin_};
  return {engine_.buffer(static_cast<unsigned>(held_)) + held_begin_,
          size_t{held_end_} - held_begin_};
}

void UringCore::drop_kept(size_t n) {
  if (held_ != no_buffer) {
    held_begin_ = static_cast<uint16_t>(held_begin_ + n);
    if (held_begin_ != held_end_) return;
    engine_.give_back(static_cast<unsigned>(std::exchange(held_, no_buffer)));
    return;
  }
  kept_begin_ += static_cast<uint32_t>(n);
  if (kept_begin_ != kept_.size()) return;
  kept_begin_ = 0;
  std::vector<char>().swap(kept_);  // an idle connection holds nothing
}

void UringCore::settle() {
  settle_watcher();
  const bool read_done = reader_ != nullptr && settle_reader();
  Write* written = writer_ != nullptr && write_ended() ? std::exchange(writer_, nullptr) : nullptr;
  Read* read = read_done ? std::exchange(reader_, nullptr) : nullptr;
  // Resuming may destroy this core: nothing of it is touched after the last line.
  if (written != nullptr && read != nullptr) written->complete_soon();
  if (read != nullptr) return read->complete();
  if (written != nullptr) written->complete();
}

// Nobody took it: the kernel gets its block back, and brings no more until somebody reads.
void UringCore::rest() {
  if (kept().empty()) return;
  move_out();
  call_off(receiving);
  if (watcher_ != nullptr) await_events(until_gone, POLLRDHUP);
}

// --- reading

Result<size_t> UringCore::end_of_stream() {
  if (receive_error_ != 0) return broken(receive_error_);
  if (reset_) return broken(ECONNRESET);
  return size_t{0};
}

bool UringCore::try_read(Read& op) {
  const Bytes ready = kept();
  if (op.only_wait() && readable_) return true;
  if (ready.empty() && !ended()) return false;
  if (op.only_wait()) return true;
  if (ready.empty()) {
    op.result = end_of_stream();
    return true;
  }
  const size_t n = std::min(ready.size(), op.into.size());
  memcpy(op.into.data(), ready.data(), n);
  drop_kept(n);
  op.result = n;
  return true;
}

// Bodies: no copy, and no completion for each block of the kernel's.
bool UringCore::read_directly(Read& op) {
  readable_ = false;
  bulky_ = op.next >= bulk_bytes;
  ssize_t n;
  do n = ::recv(descriptor_, op.into.data(), op.into.size(), 0);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) return false;
  if (n == 0) end_ = true;
  if (n < 0) receive_error_ = errno;
  op.result = n > 0 ? static_cast<size_t>(n) : end_of_stream();
  return true;
}

bool UringCore::start(Read& op) {
  CHECK(reader_ == nullptr);
  filled_ = 0;
  op.result = 0;
  if (try_read(op) || (reads_directly(op) && read_directly(op))) return true;
  reader_ = &op;
  trail_.follow(op.frame());
  wait_to_read();
  return false;
}

bool UringCore::wants_directly(const Read& op) const {
  return directly_ || bulky_ || op.next >= bulk_bytes;
}

// An armed receive has to end first: what it has taken comes before what is still there.
bool UringCore::reads_directly(const Read& op) const {
  return !op.only_wait() && wants_directly(op) && !pending(receiving);
}

void UringCore::wait_to_read() {
  if (!wants_directly(*reader_)) return receive_more();
  if (pending(receiving)) return call_off(receiving);
  await_events(until_readable, POLLIN | POLLRDHUP);
}

bool UringCore::settle_reader() {
  if (filled_ != 0) {
    reader_->result = filled_;
    return true;
  }
  if (try_read(*reader_) || (reads_directly(*reader_) && read_directly(*reader_))) return true;
  wait_to_read();
  return false;
}

void UringCore::cancel(Read& op, Code why) {
  reader_ = nullptr;
  // It has its bytes already, and was about to be told.
  if (filled_ != 0)
    op.result = filled_;
  else
    op.result =
        fail(why, side_, why == Code::timeout ? "the peer sent nothing in time" : "called off");
  op.complete_soon();
}

bool UringCore::quiet() {
  if (!kept().empty() || ended() || gone_) return false;
  if (readable_) return false;
  if (pending(receiving) || pending(until_readable)) return true;
  char byte;
  ssize_t n;
  do n = ::recv(descriptor_, &byte, 1, MSG_PEEK);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN) receive_error_ = errno;
  return n < 0 && errno == EAGAIN;
}

void UringCore::settle_watcher() {
  if (watcher_ == nullptr) return;
  if (ended() || gone_) return std::exchange(watcher_, nullptr)->request(Code::cancelled);
  if (directly_) return await_events(until_gone, POLLRDHUP);
  if (kept().empty() && reader_ == nullptr) receive_more();
}

void UringCore::watch(Cancel* scope) {
  watcher_ = scope;
  if (scope == nullptr) return;
  if (ended() || gone_) return std::exchange(watcher_, nullptr)->request(Code::cancelled);
  if (pending(receiving) && kept().empty()) return;  // it brings the end too
  if (!directly_ && kept().empty() && reader_ == nullptr)
    receive_more();
  else
    await_events(until_gone, POLLRDHUP);
}

// --- writing

bool UringCore::start(Write& op) {
  CHECK(writer_ == nullptr);
  if (op.advance(0)) return true;
  if (!pending(sending) && !pending(until_writable) && begin_write(op)) return true;
  writer_ = &op;
  return false;
}

bool UringCore::begin_write(Write& op) {
  if (fin_ || send_error_ != 0) {
    op.result = broken(fin_ ? EPIPE : send_error_);
    return true;
  }
  size_t bytes = 0;
  for (const Bytes& piece : op.pieces) bytes += piece.size();
  bytes -= op.offset;
  return bytes > UringEngine::send_bytes ? send_now(op) : send_block(op, bytes);
}

// True when the writer may go on: then the stream shows no sign of a peer that takes nothing or is
// gone, and an armed receive would tell of one.
bool UringCore::send_block(Write& op, size_t bytes) {
  block_ = engine_.take_send_block();
  block_begin_ = 0;
  block_end_ = static_cast<uint16_t>(bytes);
  size_t skip = op.offset, n = 0;
  for (const Bytes& piece : op.pieces) {
    memcpy(block_ + n, piece.data() + skip, piece.size() - skip);
    n += piece.size() - skip;
    skip = 0;
  }
  block_is_last_ = op.last;
  submit_block();
  told_ = pending(receiving) && !ended() && !slow_;
  waits_for_block_ = !told_;
  return told_;
}

void UringCore::submit_block() {
  if (++uses_ == used_often) slot_ = engine_.remember(descriptor_);
  const bool known = slot_ != UringEngine::no_slot;
  io_uring_sqe& entry = begin(sending);
  io_uring_prep_send(&entry, known ? slot_ : descriptor_, block_ + block_begin_,
                     size_t{block_end_} - block_begin_, send_flags(block_is_last_) | MSG_WAITALL);
  if (known) entry.flags |= IOSQE_FIXED_FILE;
}

void UringCore::on_sent(int result) {
  if (result > 0) block_begin_ = static_cast<uint16_t>(block_begin_ + result);
  if (result < 0 && result != -ECANCELED && result != -EINTR) send_error_ = -result;
  const bool more = block_begin_ != block_end_ && send_error_ == 0 && result != -ECANCELED;
  if (more) return submit_block();
  engine_.give_send_block(std::exchange(block_, nullptr));
  if (fin_) ::shutdown(descriptor_, SHUT_WR);
}

// Of the one that waits: for its own block, for that of an earlier write, or for room.
bool UringCore::write_ended() {
  if (pending(sending) || pending(until_writable)) return false;
  const bool own_block = std::exchange(waits_for_block_, false);
  if (own_block && send_error_ == 0) return true;
  return begin_write(*writer_);
}

bool UringCore::send_now(Write& op) {
  constexpr size_t batch_max = 64;
  for (;;) {
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
    const ssize_t sent = ::sendmsg(descriptor_, &message, send_flags(op.last));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) {
      op.result = broken(errno);
      return true;
    }
    if (sent >= 0 && op.advance(static_cast<size_t>(sent))) return true;
    if (sent < static_cast<ssize_t>(bytes)) break;
  }
  slow_ = true;
  await_events(until_writable, POLLOUT);
  return false;
}

void UringCore::cancel(Write& op, Code why) {
  writer_ = nullptr;
  if (std::exchange(waits_for_block_, false)) call_off(sending);
  op.result =
      fail(why, side_, why == Code::timeout ? "the peer took nothing in time" : "called off");
  op.complete_soon();
}

}  // namespace banyan
