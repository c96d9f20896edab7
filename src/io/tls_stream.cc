#include "io/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include <algorithm>

namespace banyan {

namespace {

constexpr size_t record_bytes = 16 * 1024;  // RFC 8446, section 5.1
constexpr size_t batch_bytes = 64 * 1024;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

bool is_ip(const std::string& name) {
  if (ASN1_OCTET_STRING* const ip = a2i_IPADDRESS(name.c_str())) {
    ASN1_OCTET_STRING_free(ip);
    return true;
  }
  ERR_clear_error();
  return false;
}

// What a certificate was refused for.
const char* verify_text(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the peer's certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the peer's certificate is not valid yet";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the peer's certificate is for another name";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the peer's certificate is of nobody who is trusted";
    default:
      return "the peer's certificate cannot be trusted";
  }
}

// What the peer's alert, or our own look at what it sent, says.
const char* reason_text() {
  const unsigned long error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return "the TLS handshake failed";
  switch (ERR_GET_REASON(error)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "the TLS handshake failed: a client certificate is wanted";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return "the TLS handshake failed: the peer refused our certificate";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
      return "the TLS handshake failed: no version in common (TLS 1.2 and 1.3 are spoken)";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
      return "the TLS handshake failed: the peer does not speak TLS";
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return "the TLS handshake failed: no application protocol in common (ALPN)";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return "the TLS handshake failed: the peer does not know the name";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_NO_SHARED_CIPHER:
      return "the TLS handshake failed: nothing in common";
    default:
      return "the TLS handshake failed";
  }
}

}  // namespace

// OpenSSL reads from in_ and writes to out_; it never touches the stream below.
struct TlsStream::Bio {
  static TlsStream& of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }
  static int read(BIO* bio, char* into, int size) {
    TlsStream& s = of(bio);
    BIO_clear_retry_flags(bio);
    const Bytes there = s.in_.data();
    if (there.empty()) {
      if (!s.below_ended_) BIO_set_retry_read(bio);
      return s.below_ended_ ? 0 : -1;
    }
    const size_t n = std::min(there.size(), static_cast<size_t>(size));
    memcpy(into, there.data(), n);
    s.in_.consume(n);
    s.in_.release_if_empty();
    return static_cast<int>(n);
  }
  static int write(BIO* bio, const char* from, int size) {
    TlsStream& s = of(bio);
    BIO_clear_retry_flags(bio);
    const auto n = static_cast<size_t>(size);
    std::span<char> room = s.out_.space(n);
    while (room.size() < n && s.out_.grow()) room = s.out_.space(n);
    if (room.size() < n) return -1;
    memcpy(room.data(), from, n);
    s.out_.added(n);
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* const m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "stream");
      BIO_meth_set_read(m, &Bio::read);
      BIO_meth_set_write(m, &Bio::write);
      BIO_meth_set_ctrl(m, &Bio::control);
      return m;
    }();
    return made;
  }
};

TlsStream::TlsStream(StreamPtr below, std::shared_ptr<const TlsContext> context, Role role,
                     Loop& loop, std::shared_ptr<TlsSessions> sessions)
    : Stream(below->side()),
      below_(std::move(below)),
      loop_(loop),
      context_(std::move(context)),
      ssl_(SSL_new(context_->get())),
      sessions_(std::move(sessions)) {
  CHECK(ssl_ != nullptr);
  BIO* const bio = BIO_new(Bio::method());
  CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
  if (role == Role::server)
    SSL_set_accept_state(ssl_);
  else
    SSL_set_connect_state(ssl_);
}

TlsStream::~TlsStream() {
  CHECK(reader_ == nullptr && writer_ == nullptr);
  // The peer learns that nothing was cut off, if it can be told without waiting.
  if (shaken_ && !aborted_) shutdown_write();
  if (writing_) below_write_->call_off(Code::cancelled);
  SSL_free(ssl_);
}

void TlsStream::set_server_name(const std::string& name) {
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl_);
  if (is_ip(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl_, name.c_str());
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size());
  }
  if (SSL_SESSION* const session = sessions_ != nullptr ? sessions_->take() : nullptr) {
    SSL_set_session(ssl_, session);
    SSL_SESSION_free(session);
  }
}

int TlsStream::keep_session(SSL* ssl, SSL_SESSION* session) {
  const auto* const stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (stream->sessions_ == nullptr) return 0;
  stream->sessions_->put(session);
  return 1;
}

bool TlsStream::resumed() const { return SSL_session_reused(ssl_) == 1; }

std::string_view TlsStream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

// ---- The handshake.

Error TlsStream::handshake_fault(int ssl_error) {
  const long verified = SSL_get_verify_result(ssl_);
  const char* what = reason_text();
  if (ssl_error != SSL_ERROR_SSL) what = "the peer closed in the middle of the TLS handshake";
  if (verified != X509_V_OK && context_->verifies()) what = verify_text(verified);
  ERR_clear_error();
  return {Code::unavailable, side(), true, 502, what};
}

Task<Result<>> TlsStream::handshake(Time deadline) {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_);
    const int state = SSL_get_error(ssl_, done);
    std::optional<Error> fault;
    if (done != 1 && state != SSL_ERROR_WANT_READ) fault = handshake_fault(state);
    if (!out_.empty()) {
      // An alert tells the peer why; whether it arrives changes nothing.
      const Bytes piece = out_.data();
      const auto sent = co_await below_->write(std::span(&piece, 1), deadline);
      out_.release();
      if (!sent && !fault) co_return sent;
    }
    if (fault) co_return std::unexpected(*fault);
    if (done == 1) break;
    const size_t n = TRY(co_await below_->read(in_.space(), deadline));
    if (n == 0) below_ended_ = true;
    in_.added(n);
  }
  shaken_ = true;
  in_.release_if_empty();
  co_return Result<>{};
}

// ---- Reading.

// The queue of errors is the thread's, not the connection's.
Error TlsStream::read_fault() {
  const bool refused =
      ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED;
  ERR_clear_error();
  if (read_error_) return *read_error_;
  if (refused) return {Code::protocol, side(), false, 0, "the peer wants a client certificate"};
  if (below_ended_)
    return {Code::reset, side(), false, 0, "the connection ended without the end of TLS: cut off"};
  return {Code::protocol, side(), false, 0,
          "what the peer sent is not TLS, or was changed on its way"};
}

// True: the operation has its result.
bool TlsStream::decrypt(Read& op) {
  op.result = 0;
  if (fault_) {
    // OpenSSL would call it an orderly end from now on.
    if (!op.only_wait()) op.result = std::unexpected(*fault_);
    return true;
  }
  ERR_clear_error();
  char byte;
  const int n = op.only_wait()
                    ? SSL_peek(ssl_, &byte, 1)
                    : SSL_read(ssl_, op.into.data(),
                               static_cast<int>(std::min<size_t>(op.into.size(), INT32_MAX)));
  if (n > 0) {
    if (!op.only_wait()) op.result = static_cast<size_t>(n);
    return true;
  }
  const int state = SSL_get_error(ssl_, n);
  if (state == SSL_ERROR_WANT_READ && !read_error_) return false;
  if (state == SSL_ERROR_ZERO_RETURN) return true;
  fault_ = read_fault();
  // Whoever waits for something to read finds the fault when it reads.
  if (!op.only_wait()) op.result = std::unexpected(*fault_);
  return true;
}

bool TlsStream::progress_read() {
  for (;;) {
    const bool done = decrypt(*reader_);
    flush_own();  // an answer to the peer's change of keys
    if (done) return true;
    // While nothing is here an idle stream waits without a block.
    const bool idle = reader_->only_wait() && waiting_ == Waiting::nothing && in_.empty();
    if (!start_reading(idle ? Waiting::readable : Waiting::bytes)) return false;
    took_bytes();
  }
}

// True: its end is here already.
bool TlsStream::start_reading(Waiting what) {
  waiting_ = what;
  if (what == Waiting::readable)
    below_read_.emplace(*below_, std::span<char>{}, Buffer::small_bytes, never);
  else
    below_read_.emplace(*below_, in_.space(), Buffer::small_bytes, never);
  return below_read_->start_below(loop_, *this);
}

// What the ended below_read_ brought. After a wait the bytes are read at once.
void TlsStream::took_bytes() {
  const Waiting was = std::exchange(waiting_, Waiting::nothing);
  const Result<size_t> result = below_read_->result;
  if (!result) {
    read_error_ = result.error();
    in_.release_if_empty();
    return;
  }
  if (was == Waiting::readable) {
    if (start_reading(Waiting::bytes)) took_bytes();
    return;
  }
  if (*result == 0) below_ended_ = true;
  in_.added(*result);
  in_.release_if_empty();
}

bool TlsStream::start(Read& op) {
  CHECK(reader_ == nullptr);
  reader_ = &op;
  if (!progress_read()) return false;
  reader_ = nullptr;
  return true;
}

void TlsStream::read_ended(bool now) {
  took_bytes();
  if (waiting_ != Waiting::nothing || reader_ == nullptr) return;
  if (!progress_read()) return;
  Read* const done = std::exchange(reader_, nullptr);
  return now ? done->complete() : done->complete_soon();
}

void TlsStream::cancel(Read& op, Code why) {
  reader_ = nullptr;
  if (waiting_ != Waiting::nothing) below_read_->call_off(why);
  // That it was called off is no fault of the stream's.
  read_error_.reset();
  op.result =
      fail(why, side(), why == Code::timeout ? "the peer sent nothing in time" : "called off");
  op.complete_soon();
}

bool TlsStream::quiet() {
  return in_.empty() && !below_ended_ && !fault_ && SSL_has_pending(ssl_) == 0 && below_->quiet();
}

// ---- Writing.

// One record of the pieces, small ones together. False: OpenSSL does not take it.
bool TlsStream::encrypt(Write& op) {
  thread_local char gathered[record_bytes];
  Bytes record = op.pieces.front().substr(op.offset);
  if (record.size() < record_bytes && op.pieces.size() > 1) {
    size_t n = 0, skip = op.offset;
    for (const Bytes& piece : op.pieces) {
      const Bytes part = piece.substr(skip, record_bytes - n);
      if (!part.empty()) memcpy(gathered + n, part.data(), part.size());
      n += part.size();
      skip = 0;
      if (n == record_bytes) break;
    }
    record = {gathered, n};
  }
  ERR_clear_error();
  const int n =
      SSL_write(ssl_, record.data(), static_cast<int>(std::min(record.size(), record_bytes)));
  if (n <= 0) return false;
  op.advance(static_cast<size_t>(n));
  return true;
}

// True: the writer has its result.
bool TlsStream::progress_write() {
  Write& op = *writer_;
  while (!writing_) {
    if (write_error_) {
      op.result = std::unexpected(*write_error_);
      return true;
    }
    while (!op.advance(0) && out_.data().size() < batch_bytes) {
      if (encrypt(op)) continue;
      write_error_ = Error{Code::reset, side(), false, 0, "TLS takes nothing more"};
      break;
    }
    const bool all = op.advance(0);
    if (all && op.last && !told_end_) {
      told_end_ = true;
      SSL_shutdown(ssl_);
    }
    if (all && out_.empty()) return true;
    if (!out_.empty() && start_flush()) note_flushed();
  }
  return false;
}

// True: its end is here already.
bool TlsStream::start_flush() {
  writing_ = true;
  flushing_ = out_.data();
  const bool last = told_end_ && (writer_ == nullptr || writer_->last);
  below_write_.emplace(*below_, std::span(&flushing_, 1), never, last);
  return below_write_->start_below(loop_, *this);
}

void TlsStream::note_flushed() {
  writing_ = false;
  if (!below_write_->result) {
    write_error_ = below_write_->result.error();
    out_.release();
    return;
  }
  out_.consume(flushing_.size());
  out_.release_if_empty();
  if (shut_down_ && out_.empty()) below_->shutdown_write();
}

bool TlsStream::start(Write& op) {
  CHECK(writer_ == nullptr);
  if (op.advance(0)) return true;
  writer_ = &op;
  if (!progress_write()) return false;
  writer_ = nullptr;
  return true;
}

void TlsStream::write_ended(bool now) {
  note_flushed();
  if (writer_ == nullptr) return flush_own();
  if (!progress_write()) return;
  Write* const done = std::exchange(writer_, nullptr);
  return now ? done->complete() : done->complete_soon();
}

void TlsStream::cancel(Write& op, Code why) {
  writer_ = nullptr;
  if (writing_) below_write_->call_off(why);
  // Nobody knows how much of the record has gone.
  write_error_ = Error{Code::reset, side(), false, 0, "a write before this one was broken off"};
  out_.release();
  op.result =
      fail(why, side(), why == Code::timeout ? "the peer took nothing in time" : "called off");
  op.complete_soon();
}

// What nobody waits for.
void TlsStream::flush_own() {
  if (writer_ != nullptr) return;
  while (!writing_ && !out_.empty() && !write_error_)
    if (start_flush()) note_flushed();
}

void TlsStream::shutdown_write() {
  shut_down_ = true;
  if (!told_end_ && !write_error_) {
    told_end_ = true;
    ERR_clear_error();
    SSL_shutdown(ssl_);
    ERR_clear_error();
  }
  flush_own();
  if (!writing_ && out_.empty()) below_->shutdown_write();
}

void TlsStream::abort() {
  aborted_ = true;
  below_->abort();
}

void TlsStream::watch(Cancel* scope) {
  PeerGone gone{*below_};
  if (scope != nullptr)
    gone.attach(*scope);
  else
    gone.detach();
}

void TlsStream::below_ended(Operation& ended, bool now) {
  if (below_read_ && &ended == &*below_read_) return read_ended(now);
  write_ended(now);
}

// ---- From the outside.

Task<Result<StreamPtr>> tls_connect(StreamPtr below, std::shared_ptr<const TlsContext> context,
                                    std::string name, std::shared_ptr<TlsSessions> sessions,
                                    Time deadline) {
  Loop& loop = (co_await current_context()).loop;
  auto stream = std::make_unique<TlsStream>(std::move(below), std::move(context),
                                            TlsStream::Role::client, loop, std::move(sessions));
  if (!name.empty()) stream->set_server_name(name);
  TRY(co_await stream->handshake(deadline));
  co_return StreamPtr(std::move(stream));
}

Task<Result<StreamPtr>> tls_accept(StreamPtr below, std::shared_ptr<const TlsContext> context,
                                   Time deadline) {
  Loop& loop = (co_await current_context()).loop;
  auto stream = std::make_unique<TlsStream>(std::move(below), std::move(context),
                                            TlsStream::Role::server, loop, nullptr);
  TRY(co_await stream->handshake(deadline));
  co_return StreamPtr(std::move(stream));
}

}  // namespace banyan
