#include "http/send.h"

#include <algorithm>

#include "base/check.h"

namespace banyan {

namespace {

size_t size_of(std::span<const Bytes> pieces) {
  size_t size = 0;
  for (Bytes piece : pieces) size += piece.size();
  return size;
}

// The least that the peer has to take in one wait: a byte, or what the rate asks for.
size_t share(const SendLimits& limits) {
  const double seconds = std::chrono::duration<double>(limits.gap_max).count();
  return static_cast<size_t>(std::max(1.0, limits.rate_min * seconds));
}

}  // namespace

Task<Result<>> send_all(Stream& stream, std::span<const Bytes> pieces, SendLimits limits) {
  CHECK(pieces.size() <= SendLimits::pieces_max);
  Loop& loop = (co_await current_context()).loop;
  Bytes rest[SendLimits::pieces_max];
  for (;;) {
    const Time until = after(loop.now(), limits.gap_max);
    Write write = stream.write(pieces, until, limits.last);
    auto sent = co_await write;
    // A timeout that is not ours came from above.
    const bool in_time = sent || sent.error().code != Code::timeout || loop.now() < until;
    if (in_time) co_return sent;
    const size_t left = size_of(write.pieces) - write.offset;
    if (size_of(pieces) - left < share(limits)) co_return sent;
    std::ranges::copy(write.pieces, rest);
    rest[0].remove_prefix(write.offset);
    pieces = {rest, write.pieces.size()};
  }
}

}  // namespace banyan
