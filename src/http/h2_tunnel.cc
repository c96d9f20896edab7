#include "http/h2_tunnel.h"

#include <algorithm>
#include <cstring>

namespace banyan {

H2Tunnel::H2Tunnel(H2Channel& channel) : Stream(channel.link().peer_side()), channel_(channel) {
  channel_.set_ends(this);
}

H2Tunnel::~H2Tunnel() {
  CHECK(reader_ == nullptr && writer_ == nullptr);
  channel_.set_ends(nullptr);
}

// True when its result is set.
bool H2Tunnel::progress(Read& op) {
  if (channel_.broken() && !channel_.input_ended()) {
    op.result = std::unexpected(*channel_.broken());
    return true;
  }
  if (left_.empty()) left_ = channel_.ready();
  if (left_.empty() && !channel_.input_ended() && !read_shut_) return false;
  const size_t n = std::min(left_.size(), op.into.size());
  if (n != 0) std::memcpy(op.into.data(), left_.data(), n);
  left_.remove_prefix(n);
  op.result = n;
  return true;
}

bool H2Tunnel::start(Read& op) {
  if (progress(op)) return true;
  reader_ = &op;
  return false;
}

void H2Tunnel::cancel(Read& op, Code why) {
  reader_ = nullptr;
  op.result = fail(why, side(), "called off while reading");
  op.complete_soon();
}

void H2Tunnel::input_came() {
  if (channel_.broken() && watcher_ != nullptr)
    std::exchange(watcher_, nullptr)->request(Code::cancelled);
  if (reader_ == nullptr || !progress(*reader_)) return;
  std::exchange(reader_, nullptr)->complete_soon();
}

bool H2Tunnel::progress(Write& op) {
  if (channel_.broken() || ended_) {
    op.result = std::unexpected(channel_.broken().value_or(
        Error{Code::bug, Side::self, false, 0, "written after its end"}));
    return true;
  }
  if (offered_ != 0 && op.advance(std::exchange(offered_, 0))) return true;
  while (op.pieces.front().size() == op.offset)
    if (op.advance(0)) return true;
  const Bytes piece = op.pieces.front().substr(op.offset);
  offered_ = piece.size();
  channel_.offer(piece, false);
  return false;
}

bool H2Tunnel::start(Write& op) {
  offered_ = 0;
  const bool nothing =
      std::ranges::all_of(op.pieces, [](const Bytes& piece) { return piece.empty(); });
  if (nothing || progress(op)) return true;
  writer_ = &op;
  return false;
}

void H2Tunnel::cancel(Write& op, Code why) {
  writer_ = nullptr;
  offered_ = 0;
  channel_.withdraw();
  op.result = fail(why, side(), "called off while writing");
  op.complete_soon();
}

void H2Tunnel::output_taken() {
  if (writer_ == nullptr || !progress(*writer_)) return;
  std::exchange(writer_, nullptr)->complete_soon();
}

void H2Tunnel::shutdown_write() {
  if (std::exchange(ended_, true) || channel_.broken()) return;
  channel_.offer({}, true);
}

void H2Tunnel::shutdown_read() {
  read_shut_ = true;
  input_came();
}

void H2Tunnel::abort() { channel_.abort(); }

bool H2Tunnel::quiet() { return left_.empty() && !channel_.input_ended() && !channel_.broken(); }

void H2Tunnel::watch(Cancel* scope) {
  watcher_ = scope;
  if (scope != nullptr && channel_.broken())
    std::exchange(watcher_, nullptr)->request(Code::cancelled);
}

}  // namespace banyan
