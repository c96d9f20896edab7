#include "http/h2_connection.h"

#include <algorithm>

#include "http/h2_exchange.h"
#include "http/linger.h"

namespace banyan {

namespace {

// Between the word that no more streams are wanted and their refusal: those that are on their way
// meanwhile are still served (RFC 9113, section 6.8).
constexpr Duration farewell = std::chrono::seconds(1);

H2Limits h2_limits(const H1Limits& all) {
  H2Limits out = all.h2;
  out.head_bytes = all.head.head_bytes;
  out.send_max = all.send_max;
  out.rate_min = all.body.rate_min;
  return out;
}

}  // namespace

H2Connection::H2Connection(StreamPtr stream, HandlerSource& source, Loop& loop)
    : H2Link(Role::server, std::move(stream), loop, h2_limits(source.handler()->limits())),
      source_(source),
      preface_taken_(false) {}

H2Connection::H2Connection(StreamPtr stream, Buffer early, HandlerSource& source, Loop& loop)
    : H2Link(Role::server, std::move(stream), loop, h2_limits(source.handler()->limits())),
      source_(source),
      early_(std::move(early)),
      preface_taken_(true) {}

H2Connection::~H2Connection() { CHECK(count_ == 0); }

Task<> H2Connection::serve() {
  Nursery exchanges(co_await current_context());
  exchanges_ = &exchanges;
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits().streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits().window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits().head_bytes},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}};
  greet(settings);
  const Time began = idle_since_ = loop().now();
  watch();
  if (source_.draining()) drain();
  const Bytes early[] = {preface_taken_ ? Bytes(preface_head) : Bytes{}, early_.data()};
  const auto how = co_await run(early);
  early_.release();
  Timer::disarm();
  exchanges.cancel();
  co_await exchanges.join();
  exchanges_ = nullptr;
  if (!how) co_await close(how.error(), began);
}

// A client that broke the rules is told to the log, and may still be sending.
Task<> H2Connection::close(const Error& why, Time began) {
  if (why.code != Code::protocol && why.code != Code::overloaded) co_return;
  const auto handler = source_.handler();
  Record record;
  record.started = began;
  record.ended = loop().now();
  record.blame(why);
  handler->finished(nullptr, stream().peer(), record);
  co_await linger(stream(), after(loop().now(), handler->limits().linger_max));
}

bool H2Connection::begin_stream(int32_t stream_id) {
  if (count_ >= limits().streams_max) return false;
  auto* const exchange = new H2Exchange(*this, stream_id);
  ++count_;
  reading_.push_back(*exchange);
  if (++requests_ >= source_.handler()->limits().requests_max && !draining_) drain();
  return true;
}

void H2Connection::head_complete(H2Exchange& exchange) {
  static_cast<H2Channel&>(exchange).unlink();
  ready_.push_back(exchange);
}

void H2Connection::between_frames() {
  while (H2Exchange* exchange = ready_.pop_front()) start(*exchange);
  if (!reading_.empty()) watch();
}

void H2Connection::start(H2Exchange& exchange) {
  running_.push_back(exchange);
  if (!exchanges_->start([this, e = &exchange] { return run_one(*e); })) remove(exchange);
}

Task<> H2Connection::run_one(H2Exchange& exchange) {
  co_await exchange.run();
  remove(exchange);
}

void H2Connection::remove(H2Exchange& exchange) {
  delete &exchange;
  if (--count_ != 0) return;
  idle_since_ = loop().now();
  if (!armed()) watch();
}

void H2Connection::input_over(const Result<>& how) {
  const Error why =
      how ? Error{Code::cancelled, Side::client, false, 0, "the client left"} : how.error();
  while (H2Exchange* exchange = reading_.pop_front()) ready_.push_back(*exchange);
  for (H2Exchange* e = ready_.front(); e != nullptr; e = ready_.after(*e)) e->client_left(why);
  for (H2Exchange* e = running_.front(); e != nullptr; e = running_.after(*e)) e->client_left(why);
  between_frames();
}

Time H2Connection::head_deadline() const {
  if (reading_.empty()) return never;
  return after(reading_.front()->began(), source_.handler()->limits().head_max);
}

void H2Connection::watch() {
  Time at = head_deadline();
  if (count_ == 0) at = after(idle_since_, source_.handler()->limits().idle_max);
  if (draining_ && !farewell_over_) at = std::min(at, after(loop().now(), farewell));
  if (at != never && (!armed() || at < Timer::at())) loop().arm(*this, at);
}

void H2Connection::fire() noexcept {
  const Time now = loop().now();
  if (draining_ && !std::exchange(farewell_over_, true)) {
    (void)nghttp2_submit_goaway(session(), NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(session()),
                                NGHTTP2_NO_ERROR, nullptr, 0);
    kick();
  }
  if (now >= head_deadline()) {
    reading_.front()->too_late();
    end(NGHTTP2_ENHANCE_YOUR_CALM);
  }
  if (count_ == 0 && now >= after(idle_since_, source_.handler()->limits().idle_max))
    end(NGHTTP2_NO_ERROR);
  else
    watch();
}

void H2Connection::drain() {
  if (std::exchange(draining_, true)) return;
  (void)nghttp2_submit_shutdown_notice(session());
  kick();
  Timer::disarm();
  watch();
}

void H2Connection::close_if_idle() {
  if (count_ == 0) end(NGHTTP2_NO_ERROR);
}

}  // namespace banyan
