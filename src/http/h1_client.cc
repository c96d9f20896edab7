#include "http/h1_client.h"

#include "http/absent_body.h"
#include "http/h1_write.h"
#include "http/hop.h"
#include "http/send.h"
#include "task/combine.h"

namespace banyan {

// One exchange on a lent connection. Shared by the answer's body (or tunnel) and the task that
// sends the request's content; the last of them ends it, and with it the lease.
class H1Call final : public Pooled {
 public:
  class Ref {
   public:
    explicit Ref(H1Call* call) : call_(call) { ++call_->references_; }
    Ref(const Ref& other) : Ref(other.call_) {}
    Ref(Ref&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
    Ref& operator=(const Ref&) = delete;
    ~Ref() {
      if (call_ != nullptr && --call_->references_ == 0) delete call_;
    }
    H1Call* operator->() const { return call_; }
    H1Call& operator*() const { return *call_; }

   private:
    H1Call* call_;
  };

  H1Call(H1Lease lease, Request& request)
      : lease_(std::move(lease)), request_(request), head_(request.arena) {}
  ~H1Call();

  Task<Reply> run(Ref self, std::string_view target, const Headers& headers, bool& silent);

  H1Client& client() { return lease_.client(); }
  std::optional<H1BodyReader> reader;
  // What went wrong with the request's content, if anything: it explains why the answer broke off.
  std::optional<Error> request_error;

 private:
  class Content;
  class Switched;

  Task<Result<>> send_head(std::string_view target, const Headers& headers);
  Task<Result<>> read_answer(Ref self);
  Task<Result<>> read_head();
  Task<Result<bool>> interim(Ref self);
  Task<Result<>> wait_for_continue(Ref self);
  void start_pump(Ref self);
  Task<> pump(Ref self);
  Task<Result<>> send_content();
  Task<Result<>> write_piece(Bytes piece);
  bool lies_about_content() const;
  Result<Response> make_answer(Ref self);
  Time send_deadline(Loop& loop) { return after(loop.now(), client().limits_.send_max); }

  H1Lease lease_;
  Request& request_;
  ResponseHead head_;
  Framing request_framing_{};
  bool sent_ = false;  // the whole request is with the kernel
  bool pump_started_ = false;
  bool persists_ = false;  // the endpoint keeps the connection after this answer
  bool switched_ = false;
  Cancel* waiting_ = nullptr;  // the scope that reads the answer's head
  int references_ = 0;
};

// The answer's content, straight from the connection.
class H1Call::Content final : public Body {
 public:
  explicit Content(Ref call) : call_(std::move(call)) {}
  Bytes ready() override { return call_->reader->ready(); }
  Task<Result<Bytes>> read() override {
    auto piece = co_await call_->reader->read();
    // After a fault of the request an end is none, also where the content ends with the connection.
    if ((!piece || piece->empty()) && call_->request_error)
      co_return std::unexpected(*call_->request_error);
    co_return piece;
  }
  bool ended() const override { return call_->reader->ended(); }
  std::optional<uint64_t> length() const override { return call_->reader->length(); }
  const Headers* trailers() const override { return call_->reader->trailers(); }

 private:
  Ref call_;
};

// The connection after 101, or after CONNECT was answered with 2xx.
class H1Call::Switched final : public Tunnel {
 public:
  Switched(Ref call, std::string_view protocol) : call_(std::move(call)), protocol_(protocol) {}
  Stream& stream() override { return *call_->client().stream_; }
  Buffer& early() override { return call_->client().buffer_; }
  std::string_view protocol() const override { return protocol_; }

 private:
  Ref call_;
  const std::string_view protocol_;
};

// A trigger that only tells where the scope is, so that the pump can call it off.
struct Remember {
  Cancel*& where;
  void attach(Cancel& scope) { where = &scope; }
  void detach() { where = nullptr; }
};

H1Call::~H1Call() {
  const bool complete =
      sent_ && persists_ && !switched_ && reader && reader->ended() && !request_error;
  lease_.set_reusable(complete && client().buffer_.empty());
  client().buffer_.release_if_empty();
}

// (1) Head, and what is at hand of the content, in one write.
Task<Result<>> H1Call::send_head(std::string_view target, const Headers& headers) {
  Loop& loop = (co_await current_context()).loop;
  Body* body = request_.body;
  if (body != nullptr && !body->ended()) {
    const auto length = body->length();
    request_framing_ =
        length ? Framing{Framing::Kind::length, *length} : Framing{Framing::Kind::chunked, 0};
  } else if (body != nullptr || !(is_safe(request_.method) || request_.method == Method::connect)) {
    request_framing_ = {Framing::Kind::length, 0};
  }
  const Bytes head = write_request_head(
      request_.arena, request_.method_text, target, headers,
      {.framing = request_framing_, .close = client().limits_.once, .upgrade = request_.upgrade});
  const bool only_head = body == nullptr || body->ended() || request_.expects_continue;
  const Bytes first = only_head ? Bytes{} : body->ready();
  if (request_framing_.kind != Framing::Kind::chunked || first.empty()) {
    const Bytes pieces[] = {head, first};
    TRY(co_await client().stream_->write(pieces, send_deadline(loop)));
  } else {
    const bool last = body->ended() && body->trailers() == nullptr;
    char size[20];
    const Bytes pieces[] = {head, write_chunk_head(size, first.size()), first,
                            last ? Bytes("\r\n0\r\n\r\n") : Bytes("\r\n")};
    TRY(co_await client().stream_->write(pieces, send_deadline(loop)));
    sent_ = last;
  }
  if (request_framing_.kind != Framing::Kind::chunked) sent_ = body == nullptr || body->ended();
  co_return Result<>{};
}

Task<Result<>> H1Call::write_piece(Bytes piece) {
  char size[20];
  const bool chunked = request_framing_.kind == Framing::Kind::chunked;
  const Bytes framed[] = {write_chunk_head(size, piece.size()), piece, "\r\n"};
  const Bytes plain[] = {piece};
  co_return co_await send_all(*client().stream_, chunked ? std::span<const Bytes>(framed) : plain,
                              {.gap_max = client().limits_.send_max});
}

Task<Result<>> H1Call::send_content() {
  Body& body = *request_.body;
  while (!body.ended()) {
    const Bytes piece = TRY(co_await body.read());
    if (!piece.empty()) TRY(co_await write_piece(piece));
  }
  if (request_framing_.kind == Framing::Kind::chunked) {
    Loop& loop = (co_await current_context()).loop;
    const Bytes end[] = {write_last_chunk(request_.arena, body.trailers())};
    TRY(co_await client().stream_->write(end, send_deadline(loop)));
  }
  sent_ = true;
  co_return Result<>{};
}

// (2) The rest of the content goes out while the answer is awaited: an endpoint may answer early.
Task<> H1Call::pump(Ref self) {
  auto sent = co_await send_content();
  if (sent || self->sent_) co_return;
  // An endpoint that stops taking the content may have answered: what it sent decides. Anything
  // else ends the exchange, because the endpoint would wait for the rest for ever.
  if (sent.error().side == Side::upstream && sent.error().code == Code::reset) co_return;
  request_error = sent.error();
  if (waiting_ != nullptr)
    waiting_->request(Code::cancelled);
  else
    client().stream_->shutdown_read();
}

void H1Call::start_pump(Ref self) {
  if (sent_ || std::exchange(pump_started_, true)) return;
  auto make = [this, self] { return pump(self); };
  request_.background->start(std::move(make));
}

Task<Result<>> H1Call::read_head() {
  H1Client& c = client();
  HeadScanner scanner(Side::upstream);
  for (;;) {
    const size_t size = TRY(scanner.find_end(c.buffer_.data()));
    if (size != 0) {
      const Bytes text = request_.arena.copy(c.buffer_.data().substr(0, size));
      c.buffer_.consume(size);
      head_ = ResponseHead(request_.arena);
      co_return parse_response_head(text, c.limits_.head, head_);
    }
    if (c.buffer_.data().size() >= c.limits_.head.head_bytes ||
        (c.buffer_.full() && !c.buffer_.grow()))
      co_return fail(Code::protocol, Side::upstream, "the answer's head is longer than the limit");
    if (c.buffer_.capacity() == 0) TRY(co_await c.stream_->readable());
    const size_t n = TRY(co_await c.stream_->read(c.buffer_.space()));
    if (n == 0) {
      c.buffer_.release_if_empty();
      co_return fail(Code::reset, Side::upstream, "the endpoint closed without an answer");
    }
    c.answered_ = true;
    c.buffer_.added(n);
  }
}

// (4) True when `head_` is an interim answer and was dealt with.
Task<Result<bool>> H1Call::interim(Ref self) {
  if (head_.status >= 200 || head_.status == 101) co_return false;
  if (head_.status == 100) {
    start_pump(self);
  } else if (request_.interim != nullptr) {
    remove_hop_by_hop(head_.headers);
    TRY(co_await request_.interim->send(head_.status, head_.headers));
  }
  co_return true;
}

// (3) The client waits for our 100, so we wait for the endpoint's; but not for ever (RFC
// 9110, 10.1.1).
Task<Result<>> H1Call::wait_for_continue(Ref self) {
  Loop& loop = (co_await current_context()).loop;
  auto heard =
      co_await client().stream_->readable(after(loop.now(), client().limits_.continue_max));
  if (!heard && heard.error().code == Code::timeout) {
    start_pump(self);
    co_return Result<>{};
  }
  if (!heard) co_return std::unexpected(heard.error());
  co_return Result<>{};
}

Task<Result<>> H1Call::read_answer(Ref self) {
  for (int i = 0; i <= client().limits_.interim_max; ++i) {
    const bool holds_back = request_.expects_continue && !sent_ && !pump_started_;
    if (holds_back && client().buffer_.empty()) TRY(co_await wait_for_continue(self));
    TRY(co_await read_head());
    if (!TRY(co_await interim(self))) co_return Result<>{};
  }
  co_return fail(Code::protocol, Side::upstream, "the endpoint sent too many interim answers");
}

// 204 has no content, but an endpoint that announces one may well send it: behind an answer that is
// over it would be taken for the next.
bool H1Call::lies_about_content() const {
  return head_.status == 204 && (head_.headers.has(Name::transfer_encoding) ||
                                 announced_length(head_.headers).value_or(0) != 0);
}

Result<Response> H1Call::make_answer(Ref self) {
  Response rsp;
  rsp.status = head_.status;
  rsp.headers = request_.arena.make<Headers>(head_.headers);
  const bool connected = request_.method == Method::connect && head_.status / 100 == 2;
  if (head_.status == 101 || connected) {
    const std::string_view chosen = head_.headers.get(Name::upgrade);
    const bool asked =
        !request_.upgrade.empty() && (chosen.empty() || has_member(request_.upgrade, chosen));
    if (!connected && !asked)
      return fail(Code::protocol, Side::upstream, "the endpoint switched protocols unasked");
    // The rest of the content would become the first bytes of the new protocol.
    if (!sent_)
      return fail(Code::protocol, Side::upstream,
                  "the endpoint switched protocols before it had the whole request");
    switched_ = true;
    rsp.tunnel = std::make_unique<Switched>(std::move(self), chosen);
    return rsp;
  }
  const Framing framing = TRY_RETURN(
      response_framing(request_.method, head_.status, head_.minor_version, head_.headers));
  persists_ = framing.kind != Framing::Kind::until_close &&
              keep_alive(head_.minor_version, head_.headers) && !lies_about_content();
  reader.emplace(*client().stream_, client().buffer_, framing, client().limits_.body,
                 request_.arena);
  if (framing.kind == Framing::Kind::none) {
    if (auto told = announced_length(head_.headers)) rsp.body = std::make_unique<AbsentBody>(*told);
  } else {
    rsp.body = std::make_unique<Content>(std::move(self));
  }
  return rsp;
}

Task<Reply> H1Call::run(Ref self, std::string_view target, const Headers& headers, bool& silent) {
  ++client().exchanges_;
  client().answered_ = false;
  auto sent = co_await send_head(target, headers);
  // An endpoint may answer and close without reading: look for its answer even when it takes
  // nothing more.
  if (!sent && sent.error().code != Code::reset) co_return std::unexpected(sent.error());
  if (sent && !request_.expects_continue) start_pump(self);
  auto read = co_await until{Remember{waiting_}, read_answer(self)};
  if (!read && request_error) co_return std::unexpected(*request_error);
  if (!read) {
    silent = read.error().code == Code::reset && !client().answered_;
    co_return std::unexpected(read.error());
  }
  co_return make_answer(std::move(self));
}

Task<Reply> H1Client::send(H1Lease lease, Request& request, std::string_view target,
                           const Headers& headers, bool& silent) {
  H1Call::Ref call(new H1Call(std::move(lease), request));
  co_return co_await call->run(call, target, headers, silent);
}

}  // namespace banyan
