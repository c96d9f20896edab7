// Stream: bytes both ways with one peer: a TCP or Unix socket, TLS over one, or a pipe of the
// simulator. Owner: the connection that uses it; destroying it closes it. No operation may be
// pending then (CHECK). Thread: its loop's. One read and one write may wait at the same time, not
// two of a kind. Lifetimes: `into` and `pieces` stay alive until the awaited operation has ended,
// also when it is called off. Nothing is lost by cancelling: a read that ends early has taken no
// byte from the stream.
#pragma once
#include <memory>
#include <optional>
#include <span>

#include "base/text.h"
#include "io/address.h"
#include "io/operation.h"

namespace banyan {

class Stream;

// Result: bytes read; 0 is the end of what the peer sends. For readable(): 0, there is something to
// read.
class Read final : public Operation {
 public:
  Read(Stream& from, std::span<char> buffer, size_t next_bytes, Time until)
      : Operation(until), stream(from), into(buffer), next(next_bytes) {}
  Result<size_t> await_resume() const { return result; }
  bool only_wait() const { return into.empty(); }

  Stream& stream;
  std::span<char> into;
  const size_t next;  // so much the reader has room for, now or in the read after a wait
  Result<size_t> result{0};

 private:
  bool start() override;
  void abandon(Code why) override;
  void refuse(Code why) override;
  void describe(std::string& out, int depth) const override;
};

// Result: all of the pieces are with the kernel (or the peer's pipe), or an error.
class Write final : public Operation {
 public:
  Write(Stream& to, std::span<const Bytes> data, Time until, bool end_follows)
      : Operation(until), stream(to), pieces(data), last(end_follows) {}
  Result<> await_resume() const { return result; }
  // Engine side: marks n bytes as written, counted over all pieces. True when nothing is left.
  bool advance(size_t n);

  Stream& stream;
  std::span<const Bytes> pieces;  // what is left; the first `offset` bytes of the first are done
  size_t offset = 0;
  const bool last;
  Result<> result;

 private:
  bool start() override;
  void abandon(Code why) override;
  void refuse(Code why) override;
  void describe(std::string& out, int depth) const override;
};

// A trigger for until{}: the peer closed or reset its side. A half-close counts: the kernel cannot
// tell it from a close (http/client_watch.h decides which of them it was).
struct PeerGone {
  Stream& stream;
  void attach(Cancel& scope);
  void detach();
};

class Stream {
 public:
  // `side` is who gets the blame for errors of this stream.
  explicit Stream(Side side) : side_(side) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // Up to into.size() bytes (> 0); fewer when fewer are there.
  Read read(std::span<char> into, Time deadline = never) {
    return {*this, into, into.size(), deadline};
  }
  // Waits until a read would not wait. Takes no buffer, so an idle connection holds none. `next`:
  // what that read will have room for; 0: not known.
  Read readable(Time deadline = never, size_t next = 0) { return {*this, {}, next, deadline}; }
  // `last`: the stream, or its writing side, is closed right after, so that the end can go in one
  // packet with the bytes. Without the close they may be held back for 200 ms.
  Write write(std::span<const Bytes> pieces, Time deadline = never, bool last = false) {
    return {*this, pieces, deadline, last};
  }
  PeerGone peer_gone() { return {*this}; }
  // Nothing more will be written: FIN, or the end of the pipe.
  virtual void shutdown_write() = 0;
  // The next reads end as if the peer had sent its end, once what is here already has been read.
  virtual void shutdown_read() = 0;
  // Close with a reset instead of an orderly end: what was answered is not to be trusted.
  virtual void abort() = 0;
  virtual const Address& peer() const = 0;
  // True when no byte is waiting to be read and the peer has not closed: a pooled connection is
  // sent on only then. Bytes nobody asked for would be taken for the answer to the next request.
  virtual bool quiet() = 0;
  // The kernel's descriptor, or -1: for moving bytes without copying.
  virtual int descriptor() const { return -1; }
  // Nobody on the way can read it.
  virtual bool encrypted() const { return false; }
  // What both sides agreed on when it began (ALPN, RFC 7301); empty: nothing.
  virtual std::string_view protocol() const { return {}; }
  // Where the client wanted to go, when a packet filter has redirected it to our listener.
  virtual std::optional<Address> original_destination() const;
  Side side() const { return side_; }

 protected:
  friend class Read;
  friend class Write;
  friend struct PeerGone;
  // Engine side. start: true when the operation's result is set. cancel: sets the error and
  // completes it.
  virtual bool start(Read& op) = 0;
  virtual bool start(Write& op) = 0;
  virtual void cancel(Read& op, Code why) = 0;
  virtual void cancel(Write& op, Code why) = 0;
  // The scope to call off when the peer is gone, at once if it is; null ends the watch.
  virtual void watch(Cancel* scope) = 0;

 private:
  Side side_;
};
using StreamPtr = std::unique_ptr<Stream>;

}  // namespace banyan
