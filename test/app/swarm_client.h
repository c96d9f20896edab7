// A swarm's client: it asks in any way, good or bad, and reads answers with care: in their order,
// each that of its request, each whole or visibly cut. Owner: the run. Thread: one.
#pragma once
#include <deque>

#include "app/swarm_ledger.h"
#include "sim/peer.h"
#include "task/nursery.h"
#include "task/sync.h"

namespace banyan::swarm {

// What one client has sent, and what it may get for it.
struct Sent {
  std::string token;
  Method method = Method::get;
  bool http_1_0 = false;
  bool upgrade = false;
};

// Reads all that comes to a client. Fails the test when it is not what may come.
class Answers {
 public:
  // Before its first byte is sent.
  void expect(Sent sent) { sent_.push_back(std::move(sent)); }
  void tunnelled(std::string_view bytes) { echo_ += bytes; }

  void take(std::string_view bytes) {
    if (swallows_) return;
    held_ += bytes;
    while (!failed_ && !held_.empty() && step()) {
    }
  }
  // The connection is at its end; `orderly`: not by a reset, and not by ourselves.
  void ended(bool orderly) {
    if (failed_ || !orderly || !content_ || !until_close_) return;
    if (!content_->whole()) return fault("a content that was cut looks whole");
    end_answer();
  }
  size_t count() const { return count_; }
  bool good() const { return good_; }  // the last one was an endpoint's, and whole
  bool continued() const { return continued_; }
  bool switched() const { return switched_; }
  bool closing() const { return closing_; }
  size_t echoed() const { return echoed_; }

 private:
  void fault(const std::string& what) {
    failed_ = true;
    ADD_FAILURE() << what << "\nanswer " << count_ << " to "
                  << (count_ < sent_.size() ? sent_[count_].token : "nothing") << ": "
                  << printable(held_, 500);
  }
  bool step() {
    if (switched_) return take_echo();
    if (!content_) return take_head();
    if (!content_->take(held_)) {
      fault("a content is not that of the answer");
      return false;
    }
    if (content_->done()) end_answer();
    return !content_;
  }
  bool take_echo() {
    const bool same = std::string_view(echo_).substr(echoed_).starts_with(held_);
    if (!same) fault("the tunnel gave other bytes");
    echoed_ += held_.size();
    held_.clear();
    return false;
  }
  bool take_head() {
    if (swallows_) return false;
    if (closing_) {
      fault("bytes behind the last answer");
      return false;
    }
    const auto size = HeadScanner(Side::upstream).find_end(held_);
    if (size && *size == 0) return false;
    Arena arena;
    ResponseHead head(arena);
    const bool sound = size && parse_response_head(std::string_view(held_).substr(0, *size),
                                                   {.head_bytes = 200'000, .fields = 200}, head);
    if (!sound || count_ >= sent_.size()) {
      fault(sound ? "an answer to nothing" : "a malformed answer");
      return false;
    }
    const bool fits = understand(head, sent_[count_]);
    if (!fits) fault("an answer that is not for its request");
    held_.erase(0, *size);
    if (fits && content_ && content_->done()) end_answer();
    return fits;
  }
  bool understand(const ResponseHead& head, const Sent& sent) {
    if (head.headers.find("x-hop") != nullptr || head.headers.has(Name::keep_alive)) return false;
    const std::string_view token = head.headers.get("x-token");
    if (!token.empty() && token != sent.token) return false;
    if (head.status == 101) return switched_ = sent.upgrade && !token.empty();
    if (head.status < 200) return continued_ = !sent.http_1_0;
    const auto framing =
        response_framing(sent.method, head.status, head.minor_version, head.headers);
    if (!framing) return false;
    closing_ = !keep_alive(sent.http_1_0 ? 0 : 1, head.headers);
    until_close_ = framing->kind == Framing::Kind::until_close;
    from_endpoint_ = !token.empty();
    has_content_ = from_endpoint_ && framing->kind != Framing::Kind::none;
    if (!from_endpoint_) return own_answer(head, *framing, sent.method == Method::head);
    const auto length = parse_u64(head.headers.get("x-length"));
    if (!length) return false;
    content_.emplace(*framing, content_of(sent.token, of_answer, *length), Side::upstream);
    return true;
  }
  // A problem, a fixed answer, a redirect: the gateway's own, with a length.
  bool own_answer(const ResponseHead& head, const Framing& framing, bool head_only) {
    const bool problem = head.headers.get(Name::content_type) == "application/problem+json";
    // Who could not read a request's head does not know that it was HEAD.
    if (problem && closing_ && head_only) swallows_ = true;
    content_.emplace(framing, std::nullopt, Side::upstream);
    return problem == (head.status >= 400) && !until_close_ &&
           framing.kind != Framing::Kind::chunked;
  }
  void end_answer() {
    if (has_content_ && !content_->whole()) return fault("a content of another length");
    good_ = from_endpoint_;
    content_.reset();
    ++count_;
  }

  std::deque<Sent> sent_;
  std::string held_, echo_;
  std::optional<ContentCheck> content_;  // of the answer that is being read
  size_t count_ = 0, echoed_ = 0;
  bool failed_ = false, good_ = false, continued_ = false, switched_ = false, closing_ = false;
  bool swallows_ = false, until_close_ = false, from_endpoint_ = false, has_content_ = false;
};

class Client {
 public:
  Client(Ledger& ledger, Dice dice) : ledger_(ledger), dice_(dice) {}

  Task<> run(Network& network, const Address& gateway) {
    auto connected = co_await network.connect(gateway);
    if (!connected) co_return;
    stream_ = std::move(*connected);
    Context& context = co_await current_context();
    Nursery reading(context);
    reading.start([this] { return read(dice_.chance(15)); });
    if (dice_.chance(20))
      (void)co_await within{dice_.up_to(6s), talk()};
    else
      (void)co_await talk();
    reading.cancel();
    co_await reading.join();
    if (dice_.chance(20)) stream_->abort();
  }
  // Asks once, and behaves; false when there was no good answer.
  Task<bool> ask_once(Network& network, const Address& gateway, std::string_view prefix) {
    auto connected = co_await network.connect(gateway);
    if (!connected) co_return false;
    stream_ = std::move(*connected);
    Nursery reading(co_await current_context());
    reading.start([this] { return read(false); });
    Made made = make("GET", prefix, false);
    answers_.expect(std::move(made.sent));
    const bool sent = (co_await send(made.head)).has_value();
    while (sent && answers_.count() == 0 && !ended_ && co_await change()) {
    }
    reading.cancel();
    co_await reading.join();
    co_return answers_.count() == 1 && answers_.good();
  }

 private:
  struct Made {
    Sent sent;
    std::string head, content;
    bool waits = false;  // for 100
    bool last = false;
  };

  Task<> read(bool slow) {
    char buffer[16 * 1024];
    for (;;) {
      const auto n = co_await stream_->read(std::span(buffer, slow ? 3000 : sizeof buffer));
      const bool own = !n && n.error().code == Code::cancelled;
      if (n && *n != 0) answers_.take({buffer, *n});
      if (!n || *n == 0) {
        answers_.ended(n.has_value());
        ended_ = true;
      }
      changed_.set();
      if (own || ended_) co_return;
      if (slow && !co_await sleep_for(dice_.up_to(300ms))) co_return;
    }
  }
  Task<Result<>> change() {
    changed_.reset();
    co_return co_await changed_.wait();
  }
  Task<Result<>> send(std::string_view text) {
    const Bytes piece[] = {text};
    co_return co_await stream_->write(piece);
  }
  Task<Result<>> send_in_pieces(std::string_view text) {
    while (!text.empty()) {
      const size_t n = slow_ ? std::min<size_t>(text.size(), dice_.between(1, 1 + text.size() / 3))
                             : text.size();
      TRY(co_await send(text.substr(0, n)));
      text.remove_prefix(n);
      if (slow_) TRY(co_await sleep_for(dice_.up_to(dice_.chance(10) ? Duration(4s) : 200ms)));
    }
    co_return Result<>{};
  }

  Task<Result<>> talk() {
    slow_ = dice_.chance(25);
    const bool pipelines = dice_.chance(30);
    const size_t many = dice_.between(1, 5);
    size_t asked = 0;
    for (bool last = false; asked < many && !last && !over();) {
      Made made = make(method(), prefix(), !pipelines && dice_.chance(10));
      last = made.last;
      const bool upgrade = made.sent.upgrade;
      answers_.expect(made.sent);
      ++asked;
      TRY(co_await say(made, asked));
      while (!pipelines && answers_.count() < asked && !answers_.switched() && !over())
        TRY(co_await change());
      if (upgrade && answers_.switched()) co_return co_await use_tunnel();
    }
    if (dice_.chance(20) && !over()) {
      TRY(co_await misbehave());
      ++asked;
    }
    if (dice_.chance(20)) stream_->shutdown_write();
    while (answers_.count() < asked && !ended_) TRY(co_await change());
    // Some stay until they are told to go.
    while (dice_.chance(30) && !ended_) TRY(co_await change());
    co_return Result<>{};
  }
  bool over() const { return ended_ || answers_.closing(); }
  Task<Result<>> say(const Made& made, size_t number) {
    if (!made.waits) co_return co_await send_in_pieces(made.head + made.content);
    TRY(co_await send_in_pieces(made.head));
    (void)co_await within{dice_.up_to(500ms), heard(number)};
    if (answers_.count() < number) TRY(co_await send_in_pieces(made.content));
    co_return Result<>{};
  }
  // Of the answer to this request, or that it may go on.
  Task<Result<>> heard(size_t number) {
    while (!ended_ && !answers_.continued() && answers_.count() < number) TRY(co_await change());
    co_return Result<>{};
  }
  Task<Result<>> use_tunnel() {
    const std::string text = content_of("tunnel", of_request, dice_.size());
    answers_.tunnelled(text);
    TRY(co_await send_in_pieces(text));
    while (answers_.echoed() < text.size() && !ended_) TRY(co_await change());
    co_return Result<>{};
  }

  std::string_view method() {
    return dice_.one_of<std::string_view>({"GET", "GET", "GET", "GET", "HEAD", "POST", "POST",
                                           "PUT", "PUT", "DELETE", "OPTIONS", "PATCH"});
  }
  std::string_view prefix() {
    return dice_.one_of<std::string_view>(
        {"/a", "/a", "/b", "/b", "/shared", "/named", "/named", "/fixed", "/moved", "/none"});
  }
  Made make(std::string_view name, std::string_view path, bool upgrades) {
    const bool content = name == "POST" || name == "PUT" || name == "PATCH";
    Made made;
    made.sent.method = parse_method(name);
    made.sent.http_1_0 = dice_.chance(8);
    made.sent.upgrade = name == "GET" && !made.sent.http_1_0 && upgrades;
    const size_t size = content ? dice_.size() : 0;
    made.sent.token = ledger_.add(std::string(name), size);
    made.content = content_of(made.sent.token, of_request, size);
    const bool in_chunks = content && !made.sent.http_1_0 && dice_.chance(40);
    made.waits = content && !made.sent.http_1_0 && dice_.chance(20);
    made.last = !made.sent.http_1_0 && dice_.chance(8);
    std::string& head = made.head;
    head = std::string(name) + " " + std::string(path) + "/" + made.sent.token + " HTTP/1." +
           (made.sent.http_1_0 ? "0" : "1") + "\r\nHost: shop\r\nx-token: " + made.sent.token +
           "\r\ncookie: sid=" + std::to_string(dice_.below(5)) + "\r\n";
    if (dice_.chance(20)) head += "X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n";
    if (made.sent.http_1_0 && dice_.chance(50)) head += "Connection: keep-alive\r\n";
    if (made.last) head += "Connection: close\r\n";
    if (made.sent.upgrade) head += "Connection: upgrade\r\nUpgrade: echo\r\n";
    if (!made.sent.upgrade && !made.last && !made.sent.http_1_0 && dice_.chance(10))
      head += "Connection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nTE: gzip\r\n";
    if (dice_.chance(15))
      head += "Banyan-Timeout: " + std::to_string(dice_.between(1, 3000)) + "ms\r\n";
    if (dice_.chance(10))
      head += dice_.chance(50) ? "Banyan-Retry: 1\r\n" : "Banyan-Retry: off\r\n";
    if (dice_.chance(10))
      head += dice_.chance(50) ? "Banyan-Hedge: 9ms\r\n" : "Banyan-Hedge: off\r\n";
    if (made.waits) head += "Expect: 100-continue\r\n";
    if (content && !in_chunks) head += "Content-Length: " + std::to_string(size) + "\r\n";
    if (in_chunks) head += "Transfer-Encoding: chunked\r\n";
    head += "\r\n";
    if (in_chunks) made.content = chunked(dice_, made.content);
    return made;
  }

  // What no honest client sends. Nothing behind it may be taken for a request.
  Task<Result<>> misbehave() {
    const std::string evil = "GET /a/evil HTTP/1.1\r\nHost: shop\r\nx-token: evil\r\n\r\n";
    const std::string token = ledger_.add("POST", 100'000);
    const std::string post =
        "POST /a/" + token + " HTTP/1.1\r\nHost: shop\r\nx-token: " + token + "\r\n";
    const std::string texts[] = {
        post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + evil,
        post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + evil,
        post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + evil,
        post + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n" + evil,
        post + "Transfer-Encoding: xchunked\r\n\r\n" + evil,
        post + "Content-Length: 100000\r\n\r\n",  // and then nothing
        post + "Transfer-Encoding: chunked\r\n\r\n",
        "GET /a/x HTTP/1.1\nHost: shop\n\n" + evil,
        "GET /a/x HTTP/1.1\r\n\r\n" + evil,
        "GET /a/../../x HTTP/1.1\r\nHost: shop\r\n\r\n" + evil,
        "GET /a/x HTTP/1.1\r\nHost: shop\r\nHost: other\r\n\r\n" + evil,
        "CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n" + evil,
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + evil,
        "\x16\x03\x01\x02\x01\x01" + evil,
        "GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\nHost: shop\r\n\r\n" + evil,
        "GET /a/x HTTP/1.1\r\nHost: shop\r\nx: " + std::string(40'000, 'x') + "\r\n\r\n" + evil,
        "GET /a/x HTTP/1.1\r\nHost: sh",  // and then nothing
    };
    answers_.expect({.token = token, .method = Method::post});
    co_return co_await send_in_pieces(texts[dice_.below(std::size(texts))]);
  }

  Ledger& ledger_;
  Dice dice_;
  StreamPtr stream_;
  Answers answers_;
  Event changed_;
  bool slow_ = false;
  bool ended_ = false;
};

}  // namespace banyan::swarm
