// H2Link: one HTTP/2 connection, whichever its role: frames in and out over one stream, with
// nghttp2 as the codec and the keeper of the protocol's rules; what the frames mean for an exchange
// is told to its H2Channel. Owner: H2Connection (server) or H2Client. Thread: its loop's. Frames
// that are made in one turn of the loop leave in one write. Bounds: 64 KiB of frames wait to be
// written, then nobody is asked for more; H2Limits for the rest. An idle link holds no buffer.
// Source: RFC 9113, RFC 7541 (HPACK), RFC 8441 (extended CONNECT).
#pragma once
#include <nghttp2/nghttp2.h>

#include <memory>
#include <optional>
#include <span>

#include "http/h2_budget.h"
#include "http/h2_limits.h"
#include "io/buffer.h"
#include "io/stream.h"
#include "task/sync.h"

namespace banyan {

class H2Channel;

class H2Link {
 public:
  enum class Role : uint8_t { client, server };

  H2Link(Role role, StreamPtr stream, Loop& loop, const H2Limits& limits);
  H2Link(const H2Link&) = delete;
  H2Link& operator=(const H2Link&) = delete;
  virtual ~H2Link();

  // Frames wait to be written: soon, together with those that follow in this turn.
  void kick() { work_.set(); }
  // The application has taken so much of the content of a stream (0: of one that is gone).
  void consumed(int32_t stream_id, size_t bytes);
  // Ends one stream; its channel hears nothing more.
  void reset(int32_t stream_id, uint32_t error_code);
  // Ends all: GOAWAY with this, then nothing more is read.
  void end(uint32_t error_code);

  nghttp2_session* session() const { return session_; }
  Stream& stream() { return *stream_; }
  Loop& loop() const { return loop_; }
  Side peer_side() const { return stream_->side(); }
  const H2Limits& limits() const { return limits_; }

 protected:
  // Tells the peer our settings. Before anything else.
  void greet(std::span<const nghttp2_settings_entry> settings);
  // Reads to the end of the connection, and writes what there is to write meanwhile. `early` was
  // read from the stream already. An error: why it ended, when it was neither the peer's end nor a
  // GOAWAY of ours without an error.
  Task<Result<>> run(std::span<const Bytes> early);
  // The next read ends as if the peer had sent its end.
  void stop_reading() { stream_->shutdown_read(); }

  // What a role does with it. Within these no coroutine is resumed, and nothing is written.
  // The peer begins a stream; false: it is refused, as if it had never been seen.
  virtual bool begin_stream(int32_t stream_id) = 0;
  // The peer's GOAWAY: streams above this were not looked at.
  virtual void told_end(int32_t last_stream_id) = 0;
  // After frames were read or written: here tasks may be started.
  virtual void between_frames() = 0;
  // Nothing more comes; before the last frames are written.
  virtual void input_over(const Result<>& how) = 0;

 private:
  friend struct H2Events;
  static constexpr Duration last_words_max = std::chrono::seconds(2);

  // For something that costs us work and a client nothing. Services are not held to it: what they
  // may reset or ask is in proportion to what we have asked of them.
  void charge(double points = 1);
  Task<Result<>> read_frames();
  Result<> feed(Bytes input);
  Task<> write_frames();
  Task<Result<>> write_all();
  Result<> fill();
  bool has_room() const;
  void append(Bytes bytes);

  const Role role_;
  StreamPtr stream_;
  Loop& loop_;
  const H2Limits limits_;
  nghttp2_session* session_ = nullptr;
  Buffer in_, out_;
  Event work_;
  H2Budget budget_;
  size_t head_bytes_ = 0;  // of the head that is being read, as it came
  std::optional<Error> broken_;
  bool closing_ = false;
};

}  // namespace banyan
