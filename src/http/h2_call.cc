#include "http/h2_call.h"

#include "http/absent_body.h"
#include "http/framing.h"
#include "http/grammar.h"
#include "http/h2_fields.h"
#include "http/h2_tunnel.h"
#include "http/hop.h"
#include "http/websocket.h"
#include "task/combine.h"

namespace banyan {

namespace {

// A trigger that only tells where the scope is, so that the pump can call it off.
struct Remember {
  Cancel*& where;
  void attach(Cancel& scope) { where = &scope; }
  void detach() { where = nullptr; }
};

std::unexpected<Error> bad(const char* what) { return fail(Code::protocol, Side::upstream, what); }

}  // namespace

// The answer's content, straight from the stream.
class H2Call::Content final : public Body {
 public:
  explicit Content(Ref call) : call_(std::move(call)) {}
  Bytes ready() override { return call_->H2Channel::ready(); }
  Task<Result<Bytes>> read() override {
    auto piece = co_await call_->H2Channel::read(call_->client_.all_limits_.gap_max);
    if (!piece && call_->request_error_) co_return std::unexpected(*call_->request_error_);
    co_return piece;
  }
  bool ended() const override { return call_->input_done(); }
  std::optional<uint64_t> length() const override { return call_->length_; }
  const Headers* trailers() const override {
    return ended() && !call_->trailers_.empty() ? &call_->trailers_ : nullptr;
  }

 private:
  Ref call_;
};

// The stream after a protocol was switched to on it.
class H2Call::Switched final : public Tunnel {
 public:
  explicit Switched(Ref call) : call_(std::move(call)), stream_(*call_) {}
  Stream& stream() override { return stream_; }
  Buffer& early() override { return nothing_; }

 private:
  Ref call_;
  H2Tunnel stream_;
  Buffer nothing_;
};

H2Call::H2Call(H2Client& client, std::unique_ptr<H2Client::Held> held, Request& request)
    : H2Channel(client),
      client_(client),
      held_(std::move(held)),
      request_(request),
      headers_(request.arena.make<Headers>(request.arena)),
      trailers_(request.arena) {
  client.enter(*this);
}

H2Call::~H2Call() {
  if (!input_ended() || !output_done()) reset(input_ended() ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
  detach();
  client_.leave(*this);
}

void H2Call::connection_over(const Error& why) {
  connection_over_ = true;
  break_off(why);
  news_.set();
}

bool H2Call::content_follows() const {
  return upgraded_ || (request_.body != nullptr && !request_.body->ended());
}

// (1) The head. The content follows in frames of its own, as the endpoint's window allows.
Result<> H2Call::send_head(std::string_view target, const Headers& headers) {
  upgraded_ = !request_.upgrade.empty();
  if (upgraded_ && nghttp2_session_get_remote_settings(
                       link().session(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) != 1)
    return bad("the endpoint does not switch protocols over HTTP/2");
  std::string_view length;
  const bool content = content_follows();
  if (content && !upgraded_)
    if (const auto known = request_.body->length())
      length = request_.arena.copy(std::to_string(*known));
  const std::string_view host = headers.get(Name::host);
  Headers sent(request_.arena);
  for (const Field& field : headers)
    if (!upgraded_ || field.name != "sec-websocket-key") sent.add(field);
  const auto fields = h2_fields({{":method", upgraded_ ? "CONNECT" : request_.method_text},
                                 {":protocol", request_.upgrade},
                                 {":scheme", link().stream().encrypted() ? "https" : "http"},
                                 {":authority", host},
                                 {":path", target}},
                                sent, length);
  auto body = source();
  const int32_t stream = nghttp2_submit_request(link().session(), nullptr, fields.data(),
                                                fields.size(), content ? &body : nullptr, this);
  if (stream < 0)
    return fail(Code::unavailable, Side::upstream, "the connection takes no more requests", true);
  opened(stream);
  if (!content) note_output_done();
  link().kick();
  return {};
}

Task<Result<>> H2Call::send_content() {
  Body& body = *request_.body;
  Bytes piece = body.ready();
  for (;;) {
    const bool last = body.ended();
    TRY(co_await write(piece, last, last ? body.trailers() : nullptr));
    if (last) co_return Result<>{};
    piece = TRY(co_await body.read());
  }
}

// (2) The content goes out while the answer is awaited: an endpoint may answer early.
Task<> H2Call::pump(Ref self) {
  auto sent = co_await send_content();
  if (sent) co_return;
  // An endpoint that takes no more of the content may have answered: what it sent decides.
  if (sent.error().side == Side::upstream && sent.error().code == Code::reset) co_return;
  if (broken()) co_return;
  request_error_ = sent.error();
  reset(NGHTTP2_CANCEL);
  break_off(sent.error());
  if (waiting_ != nullptr) waiting_->request(Code::cancelled);
}

void H2Call::start_pump(Ref self) {
  if (upgraded_ || !content_follows() || std::exchange(pump_started_, true)) return;
  auto make = [this, self] { return pump(self); };
  request_.background->start(std::move(make));
}

bool H2Call::on_field(std::string_view name, std::string_view value, bool trailers) {
  head_bytes_ += name.size() + value.size() + 32;
  if (head_bytes_ > link().limits().head_bytes || !is_field_value(value)) return false;
  if (name == ":status") {
    const auto code = parse_u64(value);
    if (!code || *code < 100 || *code > 599 || value.size() != 3) return false;
    status_ = static_cast<uint16_t>(*code);
    return true;
  }
  add_h2_field(trailers ? trailers_ : *headers_, name, value);
  return true;
}

bool H2Call::on_head() {
  news_.set();
  answered_ = status_ >= 200;
  if (answered_) return true;
  if (status_ == 101 || interim_count_ == interim_max) return false;
  await_head();
  continued_ = continued_ || status_ == 100;
  interim_[interim_count_++] = {status_, headers_};
  headers_ = request_.arena.make<Headers>(request_.arena);
  return true;
}

Task<Result<>> H2Call::wait_for_news() {
  TRY(co_await news_.wait());
  co_return Result<>{};
}

Task<Result<>> H2Call::pass_interim(Ref self) {
  while (interim_passed_ < interim_count_) {
    const Interim next = interim_[interim_passed_++];
    if (next.status == 100)
      start_pump(self);
    else if (request_.interim != nullptr)
      TRY(co_await request_.interim->send(next.status, *next.headers));
  }
  co_return Result<>{};
}

// (3) Interim answers, then the final one. A client that waits for our 100 makes us wait for the
// endpoint's; but not for ever (RFC 9110, section 10.1.1).
Task<Result<>> H2Call::read_answer(Ref self) {
  for (;;) {
    TRY(co_await pass_interim(self));
    if (answered_) co_return Result<>{};
    if (broken()) co_return fail(*broken());
    news_.reset();
    if (!request_.expects_continue || pump_started_) {
      TRY(co_await wait_for_news());
      continue;
    }
    Loop& loop = link().loop();
    const Time until = after(loop.now(), client_.all_limits_.continue_max);
    auto heard = co_await within{client_.all_limits_.continue_max, wait_for_news()};
    if (heard) continue;
    if (heard.error().code != Code::timeout || loop.now() < until)
      co_return std::unexpected(heard.error());
    start_pump(self);
  }
}

// To who asked for it the switch looks as it does over HTTP/1.
Result<Response> H2Call::make_tunnel(Ref self, Response rsp) {
  if (input_ended()) return bad("the endpoint has ended what it switched to");
  rsp.status = 101;
  rsp.headers->remove(Name::content_length);
  if (const auto key = request_.headers.get("sec-websocket-key"); !key.empty())
    rsp.headers->add("sec-websocket-accept", websocket_accept(key, request_.arena));
  rsp.tunnel = std::make_unique<Switched>(std::move(self));
  return rsp;
}

Result<Response> H2Call::make_answer(Ref self) {
  Response rsp;
  rsp.status = status_;
  rsp.headers = headers_;
  if (headers_->count(Name::content_length) > 1)
    return bad("there is more than one Content-Length field");
  length_ = announced_length(*headers_);
  if (upgraded_ && status_ / 100 == 2) return make_tunnel(std::move(self), std::move(rsp));
  if (upgraded_) offer({}, true);
  const bool none = request_.method == Method::head || status_ == 204 || status_ == 304;
  if (none) {
    if (length_) rsp.body = std::make_unique<AbsentBody>(*length_);
  } else if (!input_done()) {
    rsp.body = std::make_unique<Content>(std::move(self));
  }
  return rsp;
}

Task<Reply> H2Call::run(Ref self, std::string_view target, const Headers& headers, bool& silent) {
  if (auto sent = send_head(target, headers); !sent) co_return std::unexpected(sent.error());
  if (!request_.expects_continue) start_pump(self);
  auto read = co_await until{Remember{waiting_}, read_answer(self)};
  if (!read && request_error_) co_return std::unexpected(*request_error_);
  if (!read) {
    // A stream that is reset alone was looked at; one whose connection was closed may not have
    // been.
    silent = read.error().code == Code::reset && connection_over_ && interim_count_ == 0;
    co_return std::unexpected(read.error());
  }
  co_return make_answer(std::move(self));
}

}  // namespace banyan
