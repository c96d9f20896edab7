// Peer: the other side of a test's conversation, as a script: it says what it expects and sends,
// byte for byte. Usable as a client (dial) and as a server (Sim::serve). A mismatch fails the test
// and says what came. Owner: the script's frame. Thread: its loop's. Works on every engine. Bound:
// what it holds is what came and was not expected yet; read_until stops at 1 MiB. Pauses are
// `co_await sleep_for(5ms)`.
#pragma once
#include <string>
#include <string_view>

#include "io/engine.h"
#include "task/combine.h"

namespace banyan {

class Peer {
 public:
  explicit Peer(StreamPtr stream) : stream_(std::move(stream)) {}

  // The next bytes are exactly these. False (and a failure of the test) when they are not.
  Task<bool> expect(std::string_view text);
  // The peer sends nothing more, and has sent nothing else.
  Task<bool> expect_end();
  // The connection is reset; what came before is dropped.
  Task<bool> expect_reset();
  // Everything up to and including `mark`; empty when the connection ends before it.
  Task<std::string> read_until(std::string_view mark);
  // A request or response head, with its empty line.
  Task<std::string> read_head() { return read_until("\r\n\r\n"); }
  // Everything until the end. A reset is a failure of the test.
  Task<std::string> read_all();
  // `n` bytes each `pause`, until the end; gives how many there were.
  Task<size_t> read_slowly(size_t n, Duration pause);

  // False when the connection was reset meanwhile: the script decides whether that matters.
  Task<bool> send(std::string_view text);
  void shutdown_write() { stream_->shutdown_write(); }
  void close() { stream_.reset(); }
  void reset();

  Stream& stream() { return *stream_; }
  bool open() const { return stream_ != nullptr; }
  // For who puts another stream over it.
  StreamPtr give_up() { return std::move(stream_); }

 private:
  // One more read into `held_`: how much came.
  Task<Result<size_t>> fill();

  StreamPtr stream_;
  std::string held_;
};

// Connects as a client; fails the test when that does not work.
Task<Peer> dial(Network& network, std::string_view address);

}  // namespace banyan
