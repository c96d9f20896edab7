#include "http/h2_exchange.h"

#include <algorithm>

#include "http/grammar.h"
#include "http/h2_fields.h"
#include "http/h2_tunnel.h"
#include "http/tunnel.h"
#include "http/websocket.h"
#include "task/combine.h"

namespace banyan {

namespace {

// Of a head that is too large anyway: so much is read for the answer that says so.
constexpr size_t too_large_max = 4;

std::unexpected<Error> bad(const char* what, uint16_t status = 400) {
  return fail({Code::protocol, Side::client, false, status, what});
}

}  // namespace

// The request's content. The client that waits for 100 gets it when somebody first asks.
class H2Exchange::Content final : public Body {
 public:
  explicit Content(H2Exchange& exchange) : exchange_(exchange) {}
  Bytes ready() override {
    if (exchange_.owes_continue_ || over_) return {};
    return counted(exchange_.H2Channel::ready());
  }
  Task<Result<Bytes>> read() override {
    exchange_.request_->expects_continue = false;
    if (std::exchange(exchange_.owes_continue_, false) && !exchange_.head_sent_)
      TRY(exchange_.send_interim(100, Headers(exchange_.arena_)));
    const BodyLimits& limits = exchange_.limits_.body;
    if (over_) co_return too_long();
    auto piece = co_await exchange_.H2Channel::read(limits.gap_max, limits.rate_min);
    if (!piece) {
      if (piece.error().code == Code::timeout) piece.error().status = 408;
      co_return piece;
    }
    const Bytes whole = counted(*piece);
    if (over_) co_return too_long();
    co_return whole;
  }
  bool ended() const override { return !over_ && exchange_.input_done(); }
  std::optional<uint64_t> length() const override { return exchange_.length_; }
  const Headers* trailers() const override {
    return ended() && !exchange_.trailers_.empty() ? &exchange_.trailers_ : nullptr;
  }

 private:
  Bytes counted(Bytes piece) {
    exchange_.record_.bytes_in += piece.size();
    over_ = exchange_.record_.bytes_in > exchange_.limits_.body.limit_bytes;
    return over_ ? Bytes{} : piece;
  }
  static std::unexpected<Error> too_long() {
    return fail(
        {Code::too_large, Side::client, false, 413, "the content is longer than the limit"});
  }
  H2Exchange& exchange_;
  bool over_ = false;
};

// `co_await until{...}`: called off when the client has reset the stream, or is gone.
struct H2Exchange::Trigger {
  H2Exchange& exchange;
  void attach(Cancel& scope) {
    exchange.scope_ = &scope;
    if (exchange.left_) scope.request(Code::cancelled);
  }
  void detach() { exchange.scope_ = nullptr; }
};

H2Exchange::H2Exchange(H2Connection& connection, int32_t stream_id)
    : H2Channel(connection),
      connection_(connection),
      handler_(connection.source_.handler()),
      limits_(handler_->limits()) {
  record_.started = connection.loop().now();
  attach(stream_id);
}

H2Exchange::~H2Exchange() = default;

bool H2Exchange::on_field(std::string_view name, std::string_view value, bool trailers) {
  const H2Limits& limits = link().limits();
  Headers& to = trailers ? trailers_ : headers_;
  head_bytes_ += name.size() + value.size() + 32;
  if (head_bytes_ > limits.head_bytes || to.size() >= limits_.head.fields) too_large_ = true;
  if (too_large_) return !trailers && head_bytes_ <= too_large_max * limits.head_bytes;
  if (name.starts_with(':'))
    take_pseudo(name, arena_.copy(value));
  else if (!is_field_value(value))
    return false;
  else
    add_h2_field(to, name, value);
  return true;
}

void H2Exchange::take_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") method_ = value;
  if (name == ":path") path_ = value;
  if (name == ":authority") authority_ = value;
  if (name == ":protocol") protocol_ = value;
}

bool H2Exchange::on_head() {
  record_.head_read = link().loop().now();
  connection_.head_complete(*this);
  return true;
}

void H2Exchange::on_input_end() { record_.received = link().loop().now(); }

void H2Exchange::on_closed() {
  // Of a head that was never complete nobody would hear otherwise.
  if (record_.head_read == Time{}) connection_.head_complete(*this);
  if (output_done()) return;
  left_ = true;
  if (scope_ != nullptr) scope_->request(Code::cancelled);
}

void H2Exchange::client_left(const Error& why) {
  break_off(why);
  left_ = true;
  if (scope_ != nullptr) scope_->request(Code::cancelled);
}

void H2Exchange::too_late() {
  break_off({Code::timeout, Side::client, false, 408, "the request's head did not arrive in time"});
}

// Host and :authority are two words for one thing (RFC 9113, section 8.3.1).
Result<> H2Exchange::check_authority() {
  if (headers_.count(Name::host) > 1) return bad("there is more than one Host field");
  const std::string_view host = headers_.get(Name::host);
  if (authority_.empty())
    authority_ = host;
  else if (headers_.has(Name::host) && !iequal(host, authority_))
    return bad("Host and :authority name different hosts");
  if (!parse_authority(authority_)) return bad("the request names no host");
  headers_.set(Name::host, authority_);
  return {};
}

Result<Target> H2Exchange::target() {
  if (!is_token(method_)) return bad("the method is not a token");
  const bool connect = method_ == "CONNECT" && protocol_.empty();
  const Bytes raw = connect ? authority_ : path_;
  if (raw.size() > limits_.head.target_bytes)
    return fail({Code::too_large, Side::client, false, 414, "the target is longer than the limit"});
  if (!is_target(raw)) return bad("the target has a byte that may not stand there");
  if (!connect && !raw.starts_with('/') && raw != "*") return bad("the target is no path");
  // What extended CONNECT asks for is a GET in HTTP/1.
  const Method method = !protocol_.empty() ? Method::get : parse_method(method_);
  return parse_target(method, raw, limits_.path, arena_);
}

Result<> H2Exchange::check_content() {
  if (headers_.has(Name::content_length)) {
    length_ = parse_u64(headers_.get(Name::content_length));
    if (!length_ || headers_.count(Name::content_length) != 1)
      return bad("Content-Length is not a number of bytes");
  }
  if (length_ && *length_ > limits_.body.limit_bytes)
    return fail(
        {Code::too_large, Side::client, false, 413, "the content is longer than the limit"});
  if (!headers_.has(Name::expect)) return {};
  if (headers_.count(Name::expect) != 1 || !iequal(headers_.get(Name::expect), "100-continue"))
    return bad("the expectation is not known", 417);
  owes_continue_ = !input_ended();
  return {};
}

Result<> H2Exchange::understand() {
  if (broken()) return fail(*broken());
  if (too_large_)
    return fail(
        {Code::too_large, Side::client, false, 431, "the request's head is longer than the limit"});
  TRY_RETURN(check_authority());
  const Target where = TRY_RETURN(target());
  TRY_RETURN(check_content());
  join_cookies(headers_);
  const bool tunnel = method_ == "CONNECT";
  if (!tunnel && !input_done()) body_ = std::make_unique<Content>(*this);
  if (protocol_ == "websocket") {
    websocket_key_ = websocket_key(link().loop(), arena_);
    headers_.set("sec-websocket-key", websocket_key_);
  }
  request_.emplace(Request{.arena = arena_,
                           .method = protocol_.empty() ? parse_method(method_) : Method::get,
                           .method_text = protocol_.empty() ? method_ : "GET",
                           .target = where,
                           .authority = authority_,
                           .host = lower_host(authority_, arena_),
                           .http2 = true,
                           .secure = link().stream().encrypted(),
                           .headers = headers_,
                           .body = body_.get(),
                           .upgrade = protocol_,
                           .expects_continue = owes_continue_,
                           .client = link().stream().peer(),
                           .interim = this,
                           .record = record_});
  return {};
}

Result<> H2Exchange::send_interim(uint16_t status, const Headers& headers) {
  if (head_sent_ || !open()) return {};
  const std::string_view code = arena_.copy(std::to_string(status));
  const auto fields = h2_fields({{":status", code}}, headers);
  (void)nghttp2_submit_headers(link().session(), NGHTTP2_FLAG_NONE, id(), nullptr, fields.data(),
                               fields.size(), nullptr);
  link().kick();
  return {};
}

Task<Result<>> H2Exchange::send(uint16_t status, const Headers& headers) {
  co_return send_interim(status, headers);
}

// Switching is said with 200 here (RFC 8441, section 5).
uint16_t H2Exchange::told_status(const Response& rsp) const {
  return rsp.tunnel != nullptr && rsp.status == 101 ? 200 : rsp.status;
}

Result<> H2Exchange::send_head(const Response& rsp, bool more_follows) {
  if (broken()) return fail(*broken());
  std::string_view length;
  if (rsp.body != nullptr)
    if (const auto known = rsp.body->length()) length = arena_.copy(std::to_string(*known));
  record_.status = told_status(rsp);
  if (!rsp.headers->has(Name::date))
    rsp.headers->add(Name::date, arena_.copy(connection_.source_.http_date()));
  const auto fields =
      h2_fields({{":status", arena_.copy(std::to_string(record_.status))}}, *rsp.headers, length);
  auto content = source();
  if (nghttp2_submit_response(link().session(), id(), fields.data(), fields.size(),
                              more_follows ? &content : nullptr) != 0)
    return fail(Code::reset, Side::client, "the stream is gone");
  head_sent_ = true;
  if (!more_follows) note_output_done();
  link().kick();
  return {};
}

Task<Result<>> H2Exchange::send(Response& rsp) {
  const bool no_content = rsp.body == nullptr || request_is_head() || rsp.status == 204 ||
                          rsp.status == 304 || rsp.tunnel != nullptr;
  // Who ends a stream by a reset behind a head alone would take the head back, too.
  const bool more_follows = !no_content || rsp.tunnel != nullptr || !input_ended();
  TRY(send_head(rsp, more_follows));
  if (rsp.tunnel != nullptr || !more_follows) co_return Result<>{};
  if (no_content) co_return co_await write({}, true);
  co_return co_await send_content(*rsp.body);
}

Task<Result<>> H2Exchange::send_content(Body& body) {
  const auto length = body.length();
  Bytes piece = body.ready();
  for (;;) {
    const bool last = body.ended();
    record_.bytes_out += piece.size();
    if (length && (record_.bytes_out > *length || (last && record_.bytes_out != *length)))
      co_return fail(Code::bug, Side::self, "a content is not as long as it said");
    TRY(co_await write(piece, last, last ? body.trailers() : nullptr));
    if (last) co_return Result<>{};
    piece = TRY(co_await body.read());
  }
}

bool H2Exchange::request_is_head() const { return request_ && request_->method == Method::head; }

Task<Result<>> H2Exchange::answer() {
  auto reply = co_await handler_->call(*request_);
  if (reply && reply->tunnel != nullptr && !websocket_key_.empty() &&
      !websocket_accepted(websocket_key_, *reply->headers))
    reply = fail(Code::protocol, Side::upstream, "the endpoint's Sec-WebSocket-Accept is wrong");
  if (!reply) {
    if (reply.error().code == Code::cancelled) co_return std::unexpected(reply.error());
    record_.blame(reply.error());
    reply = handler_->fault(arena_, &*request_, reply.error());
  }
  auto sent = co_await send(*reply);
  if (sent && reply->tunnel != nullptr) tunnel_ = std::move(reply->tunnel);
  co_return sent;
}

Task<> H2Exchange::refuse(const Error& error) {
  record_.blame(error);
  if (broken() || error.code == Code::cancelled) co_return;
  auto rsp = handler_->fault(arena_, nullptr, error);
  (void)co_await send(rsp);
}

// Whichever operation was called off, the fault is not that of its peer.
Error H2Exchange::cause_of(const Error& error) const {
  if (left_) return {Code::cancelled, Side::client, false, 0, "the client left"};
  if (error.code != Code::cancelled) return error;
  return {Code::cancelled, Side::self, false, 0, "called off when the process ended"};
}

Task<> H2Exchange::serve_request() {
  Nursery background(co_await current_context());
  request_->background = &background;
  auto answered = co_await until{Trigger{*this}, answer()};
  if (!answered) record_.blame(cause_of(answered.error()));
  background.cancel();
  co_await background.join();
  if (tunnel_ != nullptr) co_await serve_tunnel();
}

Task<> H2Exchange::serve_tunnel() {
  H2Tunnel client(*this);
  Buffer nothing_early;
  const auto moved = co_await relay(client, nothing_early, tunnel_->stream(), tunnel_->early(),
                                    limits_.tunnel_idle_max);
  record_.bytes_in += moved.there;
  record_.bytes_out += moved.back;
  if (moved.broken) {
    record_.blame(*moved.broken);
    tunnel_->stream().abort();
  } else {
    (void)co_await settle();  // our end
  }
  tunnel_.reset();
}

// An answer that is whole ends the stream, whatever the client still sends (RFC 9113, section
// 8.1); one that is not must not look whole.
void H2Exchange::finish() {
  if (output_done() && !input_ended()) reset(NGHTTP2_NO_ERROR);
  if (!output_done()) {
    const Error why = record_.error.value_or(Error{});
    const bool calm = why.code == Code::cancelled || why.code == Code::timeout;
    reset(calm ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR);
  }
  detach();
}

Task<> H2Exchange::run() {
  auto understood = understand();
  if (understood)
    co_await serve_request();
  else
    co_await refuse(understood.error());
  record_.ended = link().loop().now();
  handler_->finished(request_ ? &*request_ : nullptr, link().stream().peer(), record_);
  finish();
}

}  // namespace banyan
