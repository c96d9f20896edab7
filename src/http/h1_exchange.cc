#include "http/h1_exchange.h"

#include "http/h1_write.h"
#include "http/h2_connection.h"
#include "http/hop.h"
#include "http/send.h"
#include "http/tunnel.h"
#include "task/combine.h"

namespace banyan {

// The request's content. The client that waits for 100 gets it when somebody first asks for the
// content, and only then: a request that is refused by its head costs no upload (RFC 9110,
// section 10.1.1).
class H1Exchange::RequestBody final : public Body {
 public:
  explicit RequestBody(H1Exchange& exchange) : exchange_(exchange), reader_(*exchange.reader_) {}
  Bytes ready() override { return exchange_.owes_continue_ ? Bytes{} : counted(reader_.ready()); }
  Task<Result<Bytes>> read() override {
    exchange_.request_->expects_continue = false;
    // Behind the head of the answer it would be taken for a part of it.
    if (!exchange_.head_sent_ && std::exchange(exchange_.owes_continue_, false))
      TRY(co_await exchange_.write_interim("HTTP/1.1 100 Continue\r\n\r\n"));
    co_return counted(TRY(co_await reader_.read()));
  }
  bool ended() const override { return reader_.ended(); }
  std::optional<uint64_t> length() const override { return reader_.length(); }
  const Headers* trailers() const override { return reader_.trailers(); }

 private:
  Bytes counted(Bytes piece) {
    exchange_.record_.bytes_in += piece.size();
    if (reader_.ended()) exchange_.received();
    return piece;
  }
  H1Exchange& exchange_;
  H1BodyReader& reader_;
};

H1Exchange::H1Exchange(Loop& loop, Stream& stream, Buffer& buffer, HandlerSource& source,
                       uint32_t requests)
    : loop_(loop),
      stream_(stream),
      buffer_(buffer),
      source_(source),
      handler_(source.handler()),
      limits_(handler_->limits()),
      requests_(requests),
      head_(arena_),
      client_(stream, loop) {}

void H1Exchange::received() {
  if (record_.received == Time{}) record_.received = loop_.now();
  client_.request_ended();
}

Task<Result<>> H1Exchange::read_more(Time deadline) {
  if (buffer_.data().size() >= limits_.head.head_bytes || (buffer_.full() && !buffer_.grow())) {
    const bool in_line = buffer_.data().find('\n') == Bytes::npos;
    co_return fail({Code::too_large, Side::client, false,
                    static_cast<uint16_t>(in_line ? 414 : 431),
                    in_line ? "the request line is longer than the limit"
                            : "the request's head is longer than the limit"});
  }
  auto n = co_await stream_.read(buffer_.space(), deadline);
  if (!n) {
    Error error = n.error();
    if (error.code == Code::timeout) {
      error.status = 408;
      error.what = "the request's head did not arrive in time";
    }
    co_return fail(error);
  }
  if (*n == 0)
    co_return fail(Code::reset, Side::client, "the client closed before its request was complete");
  buffer_.added(*n);
  co_return Result<>{};
}

Task<Result<>> H1Exchange::read_head() {
  record_.started = loop_.now();
  const Time deadline = after(loop_.now(), limits_.head_max);
  HeadScanner scanner(Side::client);
  for (;;) {
    const size_t size = buffer_.empty() ? 0 : TRY(scanner.find_end(buffer_.data()));
    if (size > limits_.head.head_bytes)
      co_return fail({Code::too_large, Side::client, false, 431,
                      "the request's head is longer than the limit"});
    if (size != 0) {
      // The head moves to the arena, so that the buffer can be given back while the answer is
      // awaited.
      const Bytes text = arena_.copy(buffer_.data().substr(0, size));
      buffer_.consume(size);
      buffer_.release_if_empty();
      record_.head_read = loop_.now();
      found_http2_ = text == H2Connection::preface_head && requests_ == 1 && limits_.http2;
      if (found_http2_) co_return Result<>{};
      co_return parse_request_head(text, limits_.head, head_);
    }
    TRY(co_await read_more(deadline));
  }
}

// 100-continue is the only expectation there is; HTTP/1.0 has none, so there it is nobody's
// business behind us either (RFC 9110, section 10.1.1).
Result<> H1Exchange::check_expectation() {
  if (!head_.headers.has(Name::expect)) return {};
  if (head_.minor_version == 0) {
    head_.headers.remove(Name::expect);
  } else if (head_.headers.count(Name::expect) != 1 ||
             !iequal(head_.headers.get(Name::expect), "100-continue")) {
    return fail({Code::protocol, Side::client, false, 417, "the expectation is not known"});
  }
  return {};
}

Result<> H1Exchange::understand() {
  const Framing framing = TRY_RETURN(request_framing(head_.minor_version, head_.headers));
  // The bytes behind a CONNECT are the tunnel's: as a content they would be read in two ways.
  if (head_.method == Method::connect && framing.kind != Framing::Kind::none)
    return fail({Code::protocol, Side::client, false, 400, "CONNECT has no content"});
  // A client that did not wait for the answer to its CONNECT has sent the tunnel's bytes already:
  // when it is refused they would be read as requests, made by whoever chose those bytes.
  keep_ = keep_alive(head_.minor_version, head_.headers) && requests_ < limits_.requests_max &&
          head_.method != Method::connect;
  const Target target = TRY_RETURN(parse_target(head_.method, head_.target, limits_.path, arena_));
  // An absolute target wins over Host (RFC 9112, section 3.2.2).
  const bool own_authority = !target.authority.empty();
  const std::string_view authority =
      own_authority ? target.authority : head_.headers.get(Name::host);
  TRY_RETURN(check_expectation());
  if (framing.kind == Framing::Kind::length && framing.length > limits_.body.limit_bytes)
    return fail(
        {Code::too_large, Side::client, false, 413, "the content is longer than the limit"});
  // The next hop gets the host that was asked for, and always one (RFC 9112, section 3.2).
  if (own_authority || !head_.headers.has(Name::host)) head_.headers.set(Name::host, authority);
  reader_.emplace(stream_, buffer_, framing, limits_.body, arena_);
  if (framing.kind != Framing::Kind::none) body_ = std::make_unique<RequestBody>(*this);
  owes_continue_ = head_.headers.has(Name::expect) && body_ != nullptr && !reader_->ended();
  if (reader_->ended()) received();
  request_.emplace(Request{.arena = arena_,
                           .method = head_.method,
                           .method_text = head_.method_text,
                           .target = target,
                           .authority = authority,
                           .host = lower_host(authority, arena_),
                           .minor_version = head_.minor_version,
                           .secure = stream_.encrypted(),
                           .headers = head_.headers,
                           .body = body_.get(),
                           .upgrade = upgrade_protocol(head_.headers, head_.minor_version),
                           .expects_continue = owes_continue_,
                           .client = stream_.peer(),
                           .interim = head_.minor_version == 0 ? nullptr : this,
                           .record = record_});
  return {};
}

Task<Result<>> H1Exchange::write(std::span<const Bytes> pieces, bool complete) {
  return send_all(
      stream_, pieces,
      {.gap_max = limits_.send_max, .rate_min = limits_.body.rate_min, .last = complete && !keep_});
}

Task<Result<>> H1Exchange::send(uint16_t status, const Headers& headers) {
  co_return co_await write_interim(write_response_head(arena_, status, headers, {}));
}

Task<Result<>> H1Exchange::write_interim(Bytes head) {
  const auto turn = TRY(co_await interim_turn_.acquire());
  if (head_sent_) co_return Result<>{};
  const Bytes only[] = {head};
  co_return co_await write(only, false);
}

Framing H1Exchange::answer_framing(const Response& rsp) const {
  if (rsp.status < 200 || rsp.status == 204 || rsp.tunnel != nullptr)
    return {Framing::Kind::none, 0};
  if (rsp.body == nullptr) {
    // An answer to HEAD, and 304, may leave its length unsaid; any other without content has length
    // 0.
    const bool silent = head_.method == Method::head || rsp.status == 304;
    return silent ? Framing{Framing::Kind::none, 0} : Framing{Framing::Kind::length, 0};
  }
  if (auto length = rsp.body->length()) return {Framing::Kind::length, *length};
  if (head_.minor_version >= 1) return {Framing::Kind::chunked, 0};
  return {Framing::Kind::until_close, 0};
}

std::string_view H1Exchange::switched_protocol(const Response& rsp) const {
  if (rsp.status == 426) return rsp.upgrade;
  if (rsp.tunnel == nullptr || rsp.status != 101) return {};
  const std::string_view chosen = rsp.tunnel->protocol();
  return chosen.empty() ? request_->upgrade : chosen;
}

Task<Result<>> H1Exchange::send(Response& rsp) {
  const Framing framing = answer_framing(rsp);
  if (framing.kind == Framing::Kind::until_close || source_.draining()) keep_ = false;
  // A content that is not read to its end stands between us and the next request. What is here of
  // it may still be on its way to the service, so it is dropped only at the end of the exchange.
  if (owes_continue_ || (reader_ && !reader_->rest_is_here())) keep_ = false;
  if (interim_turn_.available() == 0) TRY(co_await interim_turn_.acquire());
  record_.status = rsp.status;
  if (rsp.tunnel != nullptr) keep_ = false;
  const bool has_date = rsp.headers->has(Name::date) || rsp.status < 200;
  const Bytes head =
      write_response_head(arena_, rsp.status, *rsp.headers,
                          {.framing = framing,
                           .close = !keep_ && rsp.tunnel == nullptr,
                           .keep_alive = keep_ && head_.minor_version == 0,
                           .upgrade = switched_protocol(rsp),
                           .date = has_date ? std::string_view{} : source_.http_date()});
  head_sent_ = true;
  const bool no_content = rsp.body == nullptr || head_.method == Method::head ||
                          rsp.status == 304 || framing.kind == Framing::Kind::none;
  if (no_content) {
    const Bytes only[] = {head};
    co_return co_await write(only, rsp.tunnel == nullptr);
  }
  co_return co_await send_content(*rsp.body, framing, head);
}

// Head and first piece go out in one write, and so do the last piece and the end.
Task<Result<>> H1Exchange::send_content(Body& body, const Framing& framing, Bytes head) {
  const bool chunked = framing.kind == Framing::Kind::chunked;
  Bytes piece = body.ready();
  for (;;) {
    const bool last = body.ended();
    char size[20];
    const Bytes before = chunked && !piece.empty() ? write_chunk_head(size, piece.size()) : Bytes{};
    const Bytes behind = chunked && !piece.empty() ? Bytes("\r\n") : Bytes{};
    const Bytes end = chunked && last ? write_last_chunk(arena_, body.trailers()) : Bytes{};
    const Bytes pieces[] = {head, before, piece, behind, end};
    record_.bytes_out += piece.size();
    if (framing.kind == Framing::Kind::length && record_.bytes_out > framing.length)
      co_return fail(Code::bug, Side::self, "a content is longer than it said");
    TRY(co_await write(pieces, last));
    if (last) break;
    head = {};
    piece = TRY(co_await body.read());
  }
  if (framing.kind == Framing::Kind::length && record_.bytes_out != framing.length)
    co_return fail(Code::bug, Side::self, "a content is shorter than it said");
  co_return Result<>{};
}

Task<Result<>> H1Exchange::answer() {
  auto reply = co_await handler_->call(*request_);
  if (!reply) {
    // Called off: whoever did that knows why.
    if (reply.error().code == Code::cancelled) co_return std::unexpected(reply.error());
    record_.blame(reply.error());
    reply = handler_->fault(arena_, &*request_, reply.error());
  }
  auto sent = co_await send(*reply);
  if (sent && reply->tunnel != nullptr) tunnel_ = std::move(reply->tunnel);
  if (!sent && head_sent_)
    cut_off(sent.error(), reply->body == nullptr || reply->body->length().has_value());
  co_return sent;
}

// Broken off in the middle: an orderly end would make a content without a length look complete; and
// for a client that takes nothing the kernel would hold what it has for minutes.
void H1Exchange::cut_off(const Error& why, bool length_known) {
  cut_off_ = true;
  if (!length_known || why.code == Code::timeout) stream_.abort();
}

// A request that could not be understood: say why, then close; what follows cannot be trusted.
Task<> H1Exchange::refuse(Error error) {
  record_.blame(error);
  keep_ = false;
  const bool silent = error.code == Code::reset || error.code == Code::cancelled;
  if (silent) co_return;
  auto rsp = handler_->fault(arena_, nullptr, error);
  (void)co_await send(rsp);
}

// Whichever operation was called off, the fault is not that of its peer.
Error H1Exchange::cause_of(const Error& error) const {
  if (client_.left()) return {Code::cancelled, Side::client, false, 0, "the client left"};
  if (error.code != Code::cancelled) return error;
  return {Code::cancelled, Side::self, false, 0, "called off when the process ended"};
}

Task<> H1Exchange::serve_request() {
  Context& context = co_await current_context();
  Nursery background(context);
  request_->background = &background;
  auto answered = co_await until{client_.trigger(), answer()};
  if (!answered) {
    keep_ = false;
    record_.blame(cause_of(answered.error()));
  }
  background.cancel();
  co_await background.join();
  if (keep_ && !reader_->drop_rest()) keep_ = false;
  if (tunnel_ != nullptr) co_await serve_tunnel();
}

Task<> H1Exchange::serve_tunnel() {
  const auto moved = co_await relay(stream_, buffer_, tunnel_->stream(), tunnel_->early(),
                                    limits_.tunnel_idle_max);
  record_.bytes_in += moved.there;
  record_.bytes_out += moved.back;
  if (moved.broken) {
    // Cut off: an orderly end would look like all of it.
    record_.blame(*moved.broken);
    stream_.abort();
    tunnel_->stream().abort();
  }
  tunnel_.reset();
  cut_off_ = true;  // whichever way it ended, nobody waits for more
}

// A close with bytes unread is a reset, which can overtake the answer: then the connection lingers.
H1Exchange::Fate H1Exchange::fate() {
  if (keep_) return Fate::keep;
  if (record_.status == 0 || cut_off_ || client_.left()) return Fate::close;
  const bool unread = !reader_ || !reader_->ended() || !buffer_.empty() || !stream_.quiet();
  return unread ? Fate::linger : Fate::close;
}

Task<H1Exchange::Fate> H1Exchange::run() {
  // (1) Read the head, (2) understand it.
  auto understood = co_await read_head();
  if (found_http2_) co_return Fate::http2;
  if (understood) understood = understand();
  // (3) Answer, with the work called off when the client leaves; or say what is wrong with the
  // request.
  if (understood)
    co_await serve_request();
  else
    co_await refuse(understood.error());
  // (4) Tell the log, and decide the fate of the connection.
  record_.ended = loop_.now();
  const bool left_before_asking = !understood && record_.head_read == Time{} &&
                                  record_.error->code == Code::reset && buffer_.empty();
  if (!left_before_asking)
    handler_->finished(request_ ? &*request_ : nullptr, stream_.peer(), record_);
  co_return fate();
}

}  // namespace banyan
