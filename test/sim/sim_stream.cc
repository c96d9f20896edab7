#include "sim/sim_stream.h"

#include <algorithm>
#include <utility>

namespace banyan {

SimConnection::SimConnection(SimWorld& w, Route r)
    : world(w), route(std::move(r)), id(w.next_id_++) {
  world.connections_.emplace(id, this);
}

SimConnection::~SimConnection() { world.connections_.erase(id); }

void SimConnection::carry(int to, Lane& lane, size_t bytes, Schedule::Act act) {
  auto self = shared_from_this();
  world.carry(route, lane, bytes, {}, self, [this, self, to, act = std::move(act)]() mutable {
    if (dead) return;
    act();
    if (ends[to] != nullptr) ends[to]->progress();
  });
}

void SimConnection::send(int to, std::string bytes) {
  pipes[to].unacked += bytes.size();
  const size_t n = bytes.size();
  carry(to, pipes[to].lane, n,
        [this, to, b = std::move(bytes)]() mutable { arrive(to, std::move(b)); });
}

void SimConnection::arrive(int end, std::string bytes) {
  // Nobody is there any more to take them: the sender is told by a reset.
  if (ends[end] == nullptr) return send_reset(1 - end);
  pipes[end].arrived += bytes;
}

void SimConnection::send_end(int to) {
  carry(to, pipes[to].lane, 0, [this, to] { pipes[to].ended = true; });
}

void SimConnection::send_reset(int to) {
  carry(to, pipes[to].lane, 0, [this, to] { pipes[to].reset = true; });
}

void SimConnection::arrive_reset(int end) {
  pipes[end].reset = true;
  if (ends[end] != nullptr) ends[end]->progress();
}

void SimConnection::acknowledge(int reader, size_t bytes) {
  carry(1 - reader, pipes[reader].acks, 0,
        [this, reader, bytes] { pipes[reader].unacked -= bytes; });
}

SimStream::SimStream(std::shared_ptr<SimConnection> connection, int end)
    : Stream(end == 0 ? Side::upstream : Side::client),
      connection_(std::move(connection)),
      end_(end) {
  connection_->ends[end_] = this;
  ++connection_->world.streams_;
}

SimStream::~SimStream() {
  CHECK(reader_ == nullptr && writer_ == nullptr);
  connection_->ends[end_] = nullptr;
  --connection_->world.streams_;
  if (in().reset || connection_->dead) return;
  if (abort_ || !in().arrived.empty())
    connection_->send_reset(1 - end_);
  else if (!write_ended_)
    connection_->send_end(1 - end_);
}

const Address& SimStream::own() const {
  return end_ == 0 ? connection_->route.client : connection_->route.server;
}

const Address& SimStream::peer() const {
  return end_ == 0 ? connection_->route.server : connection_->route.client;
}

void SimStream::shutdown_write() {
  if (std::exchange(write_ended_, true)) return;
  connection_->send_end(1 - end_);
}

// As the kernel does it: the end of what the peer sends is here, and that is an event.
void SimStream::shutdown_read() {
  in().ended = true;
  progress_soon();
}

void SimStream::progress_soon() {
  connection_->world.schedule_.at(connection_->world.now(), [c = connection_, end = end_] {
    if (c->ends[end] != nullptr) c->ends[end]->progress();
  });
}

std::unexpected<Error> SimStream::broken() const {
  return fail(Code::reset, side(), "the connection was reset");
}

std::optional<Error> SimStream::count() {
  const auto fault = connection_->world.count(own());
  if (!fault) return std::nullopt;
  if (*fault == Fault::timeout) return Error{Code::timeout, side(), false, 0, "simulated timeout"};
  if (*fault == Fault::cancel) return Error{Code::cancelled, side(), false, 0, "simulated cancel"};
  // The other operation of this stream, if one waits, must learn of it as an event of its own.
  in().reset = true;
  connection_->send_reset(1 - end_);
  progress_soon();
  return broken().error();
}

bool SimStream::try_read(Read& op) {
  auto& pipe = in();
  if (pipe.arrived.empty() && !gone()) return false;
  if (op.only_wait()) {
    op.result = 0;
    return true;
  }
  const SimLink& link = connection_->link();
  const size_t there = std::min(op.into.size(), pipe.arrived.size());
  const size_t n = connection_->world.cut(link, link.read_max, there);
  if (n == 0 && pipe.reset) {
    op.result = broken();
    return true;
  }
  std::copy_n(pipe.arrived.data(), n, op.into.data());
  pipe.arrived.erase(0, n);
  if (n != 0) connection_->acknowledge(end_, n);
  op.result = n;
  return true;
}

bool SimStream::try_write(Write& op) {
  if (in().reset || write_ended_) {
    op.result = broken();
    return true;
  }
  const SimLink& link = connection_->link();
  const size_t held = out().unacked;
  const size_t room = held < link.pipe_bytes ? link.pipe_bytes - held : 0;
  size_t wanted = 0;
  for (const Bytes& piece : op.pieces) wanted += piece.size();
  wanted -= op.offset;
  // No crumbs: a writer waits until a fair part of the pipe is free (RFC 9293, section 3.8.6.2.1).
  if (room < std::min(wanted, link.pipe_bytes / 4)) return false;
  const size_t n = connection_->world.cut(link, link.write_max, std::min(room, wanted));
  std::string bytes;
  bytes.reserve(n);
  for (size_t i = 0, skip = op.offset; bytes.size() < n; ++i, skip = 0)
    bytes += op.pieces[i].substr(skip, n - bytes.size());
  connection_->send(1 - end_, std::move(bytes));
  if (op.advance(n)) return true;
  // Cut, though there is room: the rest goes with the next event.
  if (n < room) progress_soon();
  return false;
}

bool SimStream::start(Read& op) {
  CHECK(reader_ == nullptr);
  if (auto error = count()) {
    op.result = std::unexpected(*error);
    return true;
  }
  if (try_read(op)) return true;
  reader_ = &op;
  return false;
}

bool SimStream::start(Write& op) {
  CHECK(writer_ == nullptr);
  if (auto error = count()) {
    op.result = std::unexpected(*error);
    return true;
  }
  if (op.advance(0) || try_write(op)) return true;
  writer_ = &op;
  return false;
}

void SimStream::cancel(Read& op, Code why) {
  reader_ = nullptr;
  op.result =
      fail(why, side(), why == Code::timeout ? "the peer sent nothing in time" : "called off");
  op.complete_soon();
}

void SimStream::cancel(Write& op, Code why) {
  writer_ = nullptr;
  op.result =
      fail(why, side(), why == Code::timeout ? "the peer took nothing in time" : "called off");
  op.complete_soon();
}

void SimStream::watch(Cancel* scope) {
  watcher_ = scope;
  if (scope != nullptr && gone()) std::exchange(watcher_, nullptr)->request(Code::cancelled);
}

void SimStream::progress() {
  if (gone() && watcher_ != nullptr) std::exchange(watcher_, nullptr)->request(Code::cancelled);
  Read* read_done = nullptr;
  if (reader_ != nullptr && try_read(*reader_)) read_done = std::exchange(reader_, nullptr);
  Write* write_done = nullptr;
  if (writer_ != nullptr && try_write(*writer_)) write_done = std::exchange(writer_, nullptr);
  // Resuming may destroy this stream: nothing of it is touched after.
  if (write_done != nullptr && read_done != nullptr) write_done->complete_soon();
  if (read_done != nullptr) return read_done->complete();
  if (write_done != nullptr) write_done->complete();
}

}  // namespace banyan
