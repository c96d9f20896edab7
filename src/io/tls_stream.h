// TlsStream: a Stream over another one, with TLS between them (OpenSSL). Owner: the connection.
// Thread: its loop's. It starts operations of the stream below itself (Operation::Above), so
// nothing is allocated to read or write. Bounds: at most one block of the peer's bytes and 64 KiB
// of ours at a time; an idle stream holds neither, and OpenSSL gives its own buffers back too. An
// end without TLS's own end (close_notify) is a reset: what came before may have been cut off (RFC
// 8446, section 6.1). Ours goes with the last write; else the next shutdown or close tells it, if
// the peer takes it without waiting. A write that was called off leaves half a record behind: later
// ones fail.
#pragma once
#include <optional>

#include "io/buffer.h"
#include "io/stream.h"
#include "io/tls_context.h"
#include "task/task.h"

namespace banyan {

class TlsStream final : public Stream, private Operation::Above, public Pooled {
 public:
  using Pooled::operator new;
  using Pooled::operator delete;

  enum class Role : uint8_t { client, server };
  // `sessions` may be null.
  TlsStream(StreamPtr below, std::shared_ptr<const TlsContext> context, Role role, Loop& loop,
            std::shared_ptr<TlsSessions> sessions);
  ~TlsStream() override;

  // Client: the name that the server must have, and is told: a host name or an IP address. Before
  // the handshake.
  void set_server_name(const std::string& name);
  // Before anything else. Errors: Code::unavailable of the peer's side, with what was wrong;
  // nothing was sent.
  Task<Result<>> handshake(Time deadline);
  bool resumed() const;
  // That both agreed on (ALPN); empty: none.
  std::string_view protocol() const override;

  void shutdown_write() override;
  void shutdown_read() override { below_->shutdown_read(); }
  void abort() override;
  const Address& peer() const override { return below_->peer(); }
  bool quiet() override;
  bool encrypted() const override { return true; }

  // For SSL_CTX_sess_set_new_cb.
  static int keep_session(ssl_st* ssl, ssl_session_st* session);

 private:
  struct Bio;  // OpenSSL's way to our buffers
  enum class Waiting : uint8_t { nothing, readable, bytes };

  bool start(Read& op) override;
  bool start(Write& op) override;
  void cancel(Read& op, Code why) override;
  void cancel(Write& op, Code why) override;
  void watch(Cancel* scope) override;
  void below_ended(Operation& ended, bool now) override;
  void read_ended(bool now);
  void write_ended(bool now);

  bool progress_read();
  bool decrypt(Read& op);
  bool start_reading(Waiting what);
  void took_bytes();
  Error read_fault();
  bool progress_write();
  bool encrypt(Write& op);
  bool start_flush();
  void note_flushed();
  void flush_own();
  Error handshake_fault(int ssl_error);

  StreamPtr below_;
  Loop& loop_;
  const std::shared_ptr<const TlsContext> context_;
  ssl_st* const ssl_;
  const std::shared_ptr<TlsSessions> sessions_;
  Buffer in_, out_;  // encrypted: not read by OpenSSL yet; not written yet
  std::optional<Read> below_read_;
  std::optional<Write> below_write_;
  Bytes flushing_;  // what below_write_ writes
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
  Waiting waiting_ = Waiting::nothing;  // what below_read_ is under way for
  bool writing_ = false;                // below_write_ is under way
  bool shaken_ = false;
  bool below_ended_ = false;  // nothing more comes from below
  bool aborted_ = false;
  bool told_end_ = false;   // close_notify is written, or in out_
  bool shut_down_ = false;  // and the stream below is to be, when out_ is empty
  std::optional<Error> read_error_, write_error_;  // of the stream below
  std::optional<Error> fault_;                     // what every later read gets
};

// A stream with TLS over `below`, which is connected. `name`: see set_server_name(). Errors: as
// handshake(); the stream below is closed.
Task<Result<StreamPtr>> tls_connect(StreamPtr below, std::shared_ptr<const TlsContext> context,
                                    std::string name, std::shared_ptr<TlsSessions> sessions,
                                    Time deadline);
// The server's side of it.
Task<Result<StreamPtr>> tls_accept(StreamPtr below, std::shared_ptr<const TlsContext> context,
                                   Time deadline);

}  // namespace banyan
