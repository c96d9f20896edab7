// H1BodyReader: takes the content of one HTTP/1 message out of a connection, for both roles. The
// connection owns the buffer, so what was read too far (the next message) stays there and nothing
// is copied. Owner: the exchange. Thread: its loop's. Lifetime: stream and buffer outlive it.
// Bounds: a content longer than `limit_bytes` ends with 413; a sender that is silent for `gap_max`,
// or slower over all than `rate_min` bytes a second, ends with 408 (time that nobody asked it to
// send is not counted). No buffer is held while it waits. Source: RFC 9112, sections 6 and 7.
#pragma once
#include "http/chunked.h"
#include "http/framing.h"
#include "io/buffer.h"
#include "io/stream.h"

namespace banyan {

struct BodyLimits {
  uint64_t limit_bytes = UINT64_MAX;
  Duration gap_max = std::chrono::seconds(60);
  uint32_t rate_min = 0;  // bytes a second; 0: any
};

class H1BodyReader {
 public:
  H1BodyReader(Stream& stream, Buffer& buffer, Framing framing, const BodyLimits& limits,
               Arena& arena);

  Bytes ready();
  Task<Result<Bytes>> read();
  bool ended() const { return ended_ && next_.empty(); }
  std::optional<uint64_t> length() const;
  // How much is still to come, if that is known.
  std::optional<uint64_t> left() const;
  // Whether everything up to the end is in the buffer already. Takes nothing.
  bool rest_is_here() const;
  // Drops what is in the buffer of the content: true when that was the rest of it.
  bool drop_rest();
  const Headers* trailers() const { return ended_ ? decoder_.trailers() : nullptr; }
  // Content bytes taken so far.
  uint64_t taken() const { return taken_; }

 private:
  Bytes ready_chunked();
  Bytes step_chunked();
  Task<Result<>> fill();
  Time fill_deadline(Time now) const;
  Bytes took(Bytes piece);

  Stream& stream_;
  Buffer& buffer_;
  const Framing framing_;
  const BodyLimits& limits_;
  bool ended_;
  bool more_is_here_ = false;  // the last read was not short: the next one will not wait
  Bytes next_;  // a chunk's piece found while looking for the end; still in the buffer's block
  std::optional<Error> error_;
  uint64_t taken_ = 0;
  Duration waited_{};
  ChunkDecoder decoder_;
};

}  // namespace banyan
