#include "http/h1_body.h"

#include <algorithm>

namespace banyan {

namespace {

// Large contents are read in large pieces: fewer system calls, and the memory is given back at the
// end.
constexpr size_t large_read_bytes = 256 * 1024;
constexpr size_t join_max_bytes = 16 * 1024;

}  // namespace

H1BodyReader::H1BodyReader(Stream& stream, Buffer& buffer, Framing framing,
                           const BodyLimits& limits, Arena& arena)
    : stream_(stream),
      buffer_(buffer),
      framing_(framing),
      limits_(limits),
      ended_(framing.kind == Framing::Kind::none ||
             (framing.kind == Framing::Kind::length && framing.length == 0)),
      decoder_(arena, stream.side()) {}

std::optional<uint64_t> H1BodyReader::length() const {
  if (framing_.kind == Framing::Kind::length) return framing_.length;
  if (framing_.kind == Framing::Kind::none) return 0;
  return std::nullopt;
}

std::optional<uint64_t> H1BodyReader::left() const {
  if (ended_) return 0;
  if (framing_.kind == Framing::Kind::length) return framing_.length - taken_;
  return std::nullopt;
}

bool H1BodyReader::rest_is_here() const {
  if (ended_ || error_) return ended_;
  if (const auto more = left()) return *more <= buffer_.data().size();
  if (framing_.kind != Framing::Kind::chunked) return false;
  // On a copy of the decoder: the content itself may still be wanted.
  ChunkDecoder trial(decoder_);
  uint64_t size = taken_;
  for (Bytes bytes = buffer_.data(); !bytes.empty();) {
    const auto step = trial.step(bytes);
    if (!step || (size += step->data.size()) > limits_.limit_bytes) return false;
    if (step->done) return true;
    bytes.remove_prefix(step->consumed);
  }
  return false;
}

bool H1BodyReader::drop_rest() {
  while (!ready().empty()) {
  }
  return ended();
}

Bytes H1BodyReader::took(Bytes piece) {
  taken_ += piece.size();
  if (framing_.kind == Framing::Kind::length && taken_ == framing_.length) ended_ = true;
  if (taken_ <= limits_.limit_bytes) return piece;
  error_ = Error{Code::too_large, stream_.side(), false,
                 static_cast<uint16_t>(stream_.side() == Side::client ? 413 : 0),
                 "the content is longer than the limit"};
  return {};
}

Bytes H1BodyReader::step_chunked() {
  while (!ended_ && !error_ && !buffer_.empty()) {
    auto step = decoder_.step(buffer_.data());
    if (!step) {
      error_ = step.error();
      break;
    }
    buffer_.consume(step->consumed);
    ended_ = step->done;
    if (!step->data.empty()) return took(step->data);
    if (step->consumed == 0) break;
  }
  return {};
}

// Looks one piece ahead, so that the end is known together with the last piece and both go out in
// one write. Chunks that are here together are put together: a write for each would cost far more
// than the move, and let a sender of tiny chunks multiply our work.
Bytes H1BodyReader::ready_chunked() {
  Bytes piece = next_.empty() ? step_chunked() : std::exchange(next_, {});
  if (piece.empty()) return piece;
  while (!(next_ = step_chunked()).empty() && next_.size() <= join_max_bytes)
    piece = buffer_.join(piece, next_);
  return piece;
}

Bytes H1BodyReader::ready() {
  if (framing_.kind == Framing::Kind::chunked) return ready_chunked();
  if (ended_ || error_ || buffer_.empty()) return {};
  Bytes piece = buffer_.data();
  if (framing_.kind == Framing::Kind::length)
    piece = piece.substr(0, std::min<uint64_t>(piece.size(), framing_.length - taken_));
  buffer_.consume(piece.size());
  return took(piece);
}

Time H1BodyReader::fill_deadline(Time now) const {
  if (limits_.rate_min == 0) return after(now, limits_.gap_max);
  const auto earned = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(
      static_cast<double>(taken_) / static_cast<double>(limits_.rate_min)));
  const Duration allowance = limits_.gap_max + earned - waited_;
  return after(now, std::clamp(allowance, Duration{}, limits_.gap_max));
}

Task<Result<>> H1BodyReader::fill() {
  Loop& loop = (co_await current_context()).loop;
  size_t want = Buffer::small_bytes;
  if (left().value_or(0) > Buffer::small_bytes || taken_ > 4 * Buffer::small_bytes) {
    want = large_read_bytes;
    if (buffer_.capacity() < want) buffer_.release_if_empty();
  }
  const Time began = loop.now();
  const Time deadline = fill_deadline(began);
  // The wait may be long, and contents that trickle may be many: none holds a block meanwhile.
  if (buffer_.empty() && !more_is_here_) {
    buffer_.release();
    TRY(co_await stream_.readable(deadline, want));
  }
  const std::span<char> space = buffer_.space(want);
  const size_t n = TRY(co_await stream_.read(space, deadline));
  more_is_here_ = n == space.size();
  waited_ += loop.now() - began;
  buffer_.added(n);
  if (n > 0) co_return Result<>{};
  if (framing_.kind != Framing::Kind::until_close)
    co_return fail(Code::reset, stream_.side(), "the content ended before its length was reached");
  ended_ = true;
  co_return Result<>{};
}

Task<Result<Bytes>> H1BodyReader::read() {
  for (;;) {
    const Bytes piece = ready();
    // What came before the fault is still given out; the fault follows.
    if (!piece.empty() || ended()) co_return piece;
    if (error_) co_return std::unexpected(*error_);
    if (auto filled = co_await fill(); !filled) {
      error_ = filled.error();
      if (error_->code == Code::timeout) {
        error_->what = "the content did not arrive in time";
        if (stream_.side() == Side::client) error_->status = 408;
      }
    }
  }
}

}  // namespace banyan
