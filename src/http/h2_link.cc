#include "http/h2_link.h"

#include <algorithm>
#include <cstring>

#include "http/h2_callbacks.h"
#include "http/send.h"
#include "task/nursery.h"

namespace banyan {

namespace {

// So much is made before it is written; and no more while a write is under way.
constexpr size_t batch_bytes = 32 * 1024;

struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

std::unique_ptr<nghttp2_option, FreeOption> make_options() {
  nghttp2_option* out = nullptr;
  CHECK(nghttp2_option_new(&out) == 0);
  // The window opens as the content is taken, which is the backpressure.
  nghttp2_option_set_no_auto_window_update(out, 1);
  return std::unique_ptr<nghttp2_option, FreeOption>(out);
}

const nghttp2_option* options() {
  static const auto all = make_options();
  return all.get();
}

Error fault_of(ssize_t code, Side peer) {
  switch (code) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
      return {Code::protocol, peer, false, 400, "the peer does not speak HTTP/2"};
    case NGHTTP2_ERR_NOMEM:
      return {Code::overloaded, Side::self, false, 0, "there is no memory left"};
    default:  // a bound of nghttp2's own was reached; what breaks the rules it answers itself
      return {Code::overloaded, peer, false, 0, "the peer sends too many frames that have no use"};
  }
}

}  // namespace

H2Link::H2Link(Role role, StreamPtr stream, Loop& loop, const H2Limits& limits)
    : role_(role), stream_(std::move(stream)), loop_(loop), limits_(limits) {
  const auto make =
      role == Role::server ? nghttp2_session_server_new2 : nghttp2_session_client_new2;
  CHECK(make(&session_, H2Callbacks::all(), this, options()) == 0);
}

H2Link::~H2Link() { nghttp2_session_del(session_); }

void H2Link::greet(std::span<const nghttp2_settings_entry> settings) {
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) ==
        0);
  const auto window = static_cast<int32_t>(limits_.link_window);
  CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, window) == 0);
  kick();
}

void H2Link::consumed(int32_t stream_id, size_t bytes) {
  if (stream_id == 0)
    (void)nghttp2_session_consume_connection(session_, bytes);
  else
    (void)nghttp2_session_consume(session_, stream_id, bytes);
  if (nghttp2_session_want_write(session_) != 0) kick();
}

void H2Link::reset(int32_t stream_id, uint32_t error_code) {
  (void)nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream_id, error_code);
  kick();
}

void H2Link::end(uint32_t error_code) {
  (void)nghttp2_session_terminate_session(session_, error_code);
  kick();
}

void H2Link::charge(double points) {
  const bool forgiven = role_ == Role::client && points < H2Budget::burst;
  if (broken_ || forgiven || budget_.spend(loop_.now(), points)) return;
  broken_ = Error{Code::overloaded, peer_side(), false, 0,
                  "the peer sends too much that has no use (resets, pings, settings)"};
  end(NGHTTP2_ENHANCE_YOUR_CALM);
}

Result<> H2Link::feed(Bytes input) {
  const auto n = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(input.data()),
                                          input.size());
  if (n < 0) {
    broken_ = fault_of(n, peer_side());
    end(broken_->code == Code::protocol ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_ENHANCE_YOUR_CALM);
  }
  between_frames();
  if (nghttp2_session_want_write(session_) != 0) kick();
  if (broken_) return fail(*broken_);
  return {};
}

Task<Result<>> H2Link::read_frames() {
  bool more_is_here = false;
  while (nghttp2_session_want_read(session_) != 0) {
    if (!more_is_here) {
      in_.release();
      TRY(co_await stream_->readable());
    }
    const std::span<char> space = in_.space();
    const size_t n = TRY(co_await stream_->read(space));
    if (n == 0) break;
    in_.added(n);
    more_is_here = n == space.size();
    TRY(feed(in_.data()));
    in_.consume(n);
  }
  co_return Result<>{};
}

void H2Link::append(Bytes bytes) {
  while (!bytes.empty()) {
    const std::span<char> space = out_.space();
    if (space.empty()) {
      CHECK(out_.grow());
      continue;
    }
    const size_t n = std::min(space.size(), bytes.size());
    std::memcpy(space.data(), bytes.data(), n);
    out_.added(n);
    bytes.remove_prefix(n);
  }
}

bool H2Link::has_room() const { return out_.data().size() < batch_bytes; }

Result<> H2Link::fill() {
  while (has_room()) {
    const uint8_t* data = nullptr;
    const auto n = nghttp2_session_mem_send(session_, &data);
    if (n < 0) return fail(fault_of(n, Side::self));
    if (n == 0) break;
    append({reinterpret_cast<const char*>(data), static_cast<size_t>(n)});
  }
  return {};
}

Task<Result<>> H2Link::write_all() {
  for (;;) {
    TRY(fill());
    if (out_.empty()) break;
    const Bytes piece = out_.data();
    TRY(co_await send_all(*stream_, std::span(&piece, 1),
                          {.gap_max = limits_.send_max, .rate_min = limits_.rate_min}));
    out_.consume(piece.size());
  }
  out_.release_if_empty();
  co_return Result<>{};
}

Task<> H2Link::write_frames() {
  while (co_await work_.wait()) {
    work_.reset();
    auto written = co_await write_all();
    if (!written && !broken_) broken_ = written.error();
    between_frames();
    const bool over =
        nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
    if (!written || over) stream_->shutdown_read();
    if (!written || closing_) break;
  }
}

// Ends a writer whose peer takes too long for the last of it.
class LastWords final : public Timer {
 public:
  explicit LastWords(Nursery& writer) : writer_(writer) {}
  void fire() noexcept override { writer_.cancel(Code::timeout); }

 private:
  Nursery& writer_;
};

Task<Result<>> H2Link::run(std::span<const Bytes> early) {
  Nursery writer(co_await current_context());
  writer.start([this] { return write_frames(); });
  Result<> read;
  for (Bytes piece : early)
    if (read) read = feed(piece);
  if (read) read = co_await read_frames();
  in_.release();
  input_over(read);
  // What is ready still goes, above all a GOAWAY.
  LastWords enough(writer);
  loop_.arm(enough, after(loop_.now(), last_words_max));
  closing_ = true;
  kick();
  co_await writer.join();
  if (broken_) co_return fail(*broken_);
  co_return read;
}

}  // namespace banyan
