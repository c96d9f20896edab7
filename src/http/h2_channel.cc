#include "http/h2_channel.h"

#include <algorithm>
#include <cstring>

#include "http/h2_fields.h"
#include "task/combine.h"

namespace banyan {

H2Channel::~H2Channel() { detach(); }

void H2Channel::attach(int32_t id) {
  id_ = id;
  open_ = true;
  CHECK(nghttp2_session_set_stream_user_data(link_.session(), id, this) == 0);
}

void H2Channel::opened(int32_t id) {
  id_ = id;
  open_ = true;
}

void H2Channel::detach() {
  // The window of the connection must not shrink by what nobody will take.
  const size_t left = owed_ + in_.data().size();
  owed_ = 0;
  in_.release();
  given_.release();
  if (open_) (void)nghttp2_session_set_stream_user_data(link_.session(), id_, nullptr);
  open_ = false;
  if (left != 0) link_.consumed(0, left);
}

void H2Channel::reset(uint32_t error_code) {
  if (open_) link_.reset(id_, error_code);
}

void H2Channel::received(Bytes piece) {
  while (!piece.empty()) {
    const std::span<char> space = in_.space();
    if (space.empty()) {
      CHECK(in_.grow());  // the window is smaller than the largest buffer
      continue;
    }
    const size_t n = std::min(space.size(), piece.size());
    std::memcpy(space.data(), piece.data(), n);
    in_.added(n);
    piece.remove_prefix(n);
  }
  arrived_.set();
  if (ends_ != nullptr) ends_->input_came();
}

void H2Channel::ended_input() {
  input_ended_ = true;
  on_input_end();
  arrived_.set();
  if (ends_ != nullptr) ends_->input_came();
}

bool H2Channel::fields_ended() {
  if (std::exchange(head_done_, true)) return true;
  return on_head();
}

void H2Channel::break_off(const Error& why) {
  if (broken_) return;
  broken_ = why;
  piece_ = {};
  arrived_.set();
  taken_.set();
  if (ends_ == nullptr) return;
  ends_->input_came();
  ends_->output_taken();
}

void H2Channel::closed(uint32_t error_code) {
  const Side peer = link_.peer_side();
  open_ = false;
  if (!input_ended_) {
    // What has come of it is not whole, so it is nothing.
    const size_t left = std::exchange(owed_, 0) + in_.data().size();
    in_.release();
    if (left != 0) link_.consumed(0, left);
  }
  if (!input_ended_ || !output_done_) {
    if (error_code == NGHTTP2_REFUSED_STREAM)
      break_off({Code::unavailable, peer, true, 0, "the peer refused the stream"});
    else if (error_code == NGHTTP2_PROTOCOL_ERROR)
      break_off({Code::protocol, peer, false, 400, "the message breaks the rules of HTTP/2"});
    else
      break_off({Code::reset, peer, false, 0, "the stream was reset"});
  }
  on_closed();
}

void H2Channel::give_back() {
  const size_t bytes = std::exchange(owed_, 0);
  if (bytes == 0) return;
  given_.consume(bytes);
  taken_bytes_ += bytes;
  link_.consumed(open_ ? id_ : 0, bytes);
}

Bytes H2Channel::ready() {
  give_back();
  if (in_.empty() || (broken_ && !input_ended_)) return {};
  std::swap(in_, given_);
  owed_ = given_.data().size();
  return given_.data();
}

Task<Result<>> H2Channel::arrival() {
  TRY(co_await arrived_.wait());
  co_return Result<>{};
}

// A sender has `gap_max` for each piece; and over all, time that nobody waited for it not counted,
// as much as its bytes take at the slowest rate.
Task<Result<Bytes>> H2Channel::read(Duration gap_max, uint32_t rate_min) {
  Loop& loop = link_.loop();
  for (;;) {
    if (broken_ && !input_ended_) co_return fail(*broken_);
    const Bytes piece = ready();
    if (!piece.empty() || input_ended_) co_return piece;
    given_.release();
    Duration limit = gap_max;
    if (rate_min != 0) {
      const auto earned = std::chrono::nanoseconds(std::chrono::seconds(1)) *
                          static_cast<int64_t>(taken_bytes_ / rate_min);
      limit = std::min(limit, gap_max + earned - waited_);
    }
    arrived_.reset();
    const Time began = loop.now();
    auto came = co_await within{std::max(limit, Duration{}), arrival()};
    waited_ += loop.now() - began;
    if (came || broken_) continue;
    if (came.error().code == Code::timeout && loop.now() >= after(began, limit))
      co_return fail({Code::timeout, link_.peer_side(), false, 0, "the content came too slowly"});
    co_return std::unexpected(came.error());
  }
}

void H2Channel::offer(Bytes piece, bool last, const Headers* trailers) {
  piece_ = piece;
  last_ = last;
  trailers_ = trailers;
  taken_.reset();
  if (std::exchange(waiting_, false)) (void)nghttp2_session_resume_data(link_.session(), id_);
  link_.kick();
}

void H2Channel::withdraw() {
  piece_ = {};
  last_ = false;
  output_done_ = false;
}

Task<Result<>> H2Channel::taking() {
  TRY(co_await taken_.wait());
  co_return Result<>{};
}

Task<Result<>> H2Channel::write(Bytes piece, bool last, const Headers* trailers) {
  if (broken_) co_return fail(*broken_);
  if (piece.empty() && !last) co_return Result<>{};
  offer(piece, last, trailers);
  co_return co_await settle();
}

// The peer need not take all of it in `send_max`; but a byte, or what the slowest rate asks for.
Task<Result<>> H2Channel::settle() {
  const H2Limits& limits = link_.limits();
  Loop& loop = link_.loop();
  const auto share = static_cast<size_t>(
      std::max(1.0, limits.rate_min * std::chrono::duration<double>(limits.send_max).count()));
  for (;;) {
    const size_t before = piece_.size();
    const Time until = after(loop.now(), limits.send_max);
    auto taken = co_await within{limits.send_max, taking()};
    if (broken_ && !output_done_) co_return fail(*broken_);
    if (taken) co_return Result<>{};
    const bool ours = taken.error().code == Code::timeout && loop.now() >= until;
    if (ours && before - piece_.size() >= share) continue;
    withdraw();
    if (!ours) co_return std::unexpected(taken.error());
    co_return fail(
        {Code::timeout, link_.peer_side(), false, 0, "the peer does not take what it asked for"});
  }
}

ssize_t H2Channel::give(size_t most, uint32_t& flags) {
  if (piece_.empty() && !last_) {
    waiting_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const size_t n = std::min(most, piece_.size());
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!last_ || n != piece_.size()) return static_cast<ssize_t>(n);
  flags |= NGHTTP2_DATA_FLAG_EOF;
  output_done_ = true;
  if (trailers_ == nullptr || trailers_->empty()) return static_cast<ssize_t>(n);
  flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
  // Of a frame with nothing in it that does not end the stream nghttp2 makes none, and tells
  // nobody.
  if (n == 0) framed(0);
  return static_cast<ssize_t>(n);
}

void H2Channel::framed(size_t bytes) {
  piece_.remove_prefix(bytes);
  if (!piece_.empty()) return;
  if (output_done_ && trailers_ != nullptr && !trailers_->empty()) {
    // A reset before they are with the link would take them back.
    const auto fields = h2_fields({}, *std::exchange(trailers_, nullptr));
    (void)nghttp2_submit_trailer(link_.session(), id_, fields.data(), fields.size());
    return;
  }
  output_framed();
}

void H2Channel::output_framed() {
  taken_.set();
  if (ends_ != nullptr) ends_->output_taken();
}

nghttp2_data_provider H2Channel::source() {
  nghttp2_data_provider out{};
  out.source.ptr = this;
  out.read_callback = [](nghttp2_session* session, int32_t id, uint8_t*, size_t most,
                         uint32_t* flags, nghttp2_data_source*, void*) -> ssize_t {
    auto* const self = static_cast<H2Channel*>(nghttp2_session_get_stream_user_data(session, id));
    return self != nullptr ? self->give(most, *flags) : NGHTTP2_ERR_DEFERRED;
  };
  return out;
}

}  // namespace banyan
