// A swarm's endpoint: it reads requests with care, because each must be whole, belong together and
// be one that somebody asked, and then answers in any way, good or bad. Owner: the run. Thread:
// one.
#pragma once
#include "app/swarm_ledger.h"
#include "sim/link.h"
#include "sim/peer.h"

namespace banyan::swarm {

class Endpoint {
 public:
  // `calm`: from now on all is well.
  Endpoint(Ledger& ledger, Peer& peer, const SimLink& link, Dice dice, const bool& calm)
      : ledger_(ledger), peer_(peer), link_(link), dice_(dice), calm_(calm) {}

  Task<> run() {
    while (co_await serve_one()) {
    }
  }

 private:
  struct Incoming {
    Arena arena;
    RequestHead head{arena};
    std::string token;
    std::optional<ContentCheck> content;
    bool waits = false;  // for 100
  };

  Task<bool> fill() {
    char buffer[8192];
    const auto n = co_await peer_.stream().read(buffer);
    if (!n || *n == 0) co_return false;
    held_.append(buffer, *n);
    co_return true;
  }

  // The head of a request; false: there is none any more.
  Task<bool> read_head(Incoming& in) {
    for (HeadScanner scanner(Side::client);;) {
      const auto size = scanner.find_end(held_);
      EXPECT_TRUE(size.has_value()) << printable(held_, 300);
      if (!size) co_return false;
      if (*size != 0) co_return understand(in, *size);
      if (!co_await fill()) co_return false;
    }
  }
  bool understand(Incoming& in, size_t size) {
    const Bytes text = in.arena.copy(std::string_view(held_).substr(0, size));
    held_.erase(0, size);
    const auto parsed = parse_request_head(text, {.head_bytes = 100'000, .fields = 200}, in.head);
    EXPECT_TRUE(parsed.has_value()) << "a request is malformed: " << printable(text, 500);
    const auto framing = request_framing(1, in.head.headers);
    EXPECT_TRUE(framing.has_value()) << printable(text, 500);
    in.token = in.head.headers.get("x-token");
    Asked* const asked = ledger_.find(in.token);
    EXPECT_TRUE(asked != nullptr) << "nobody asked this: " << printable(text, 500);
    if (!parsed || !framing || asked == nullptr) return false;
    ++asked->seen;
    EXPECT_TRUE(in.head.target.ends_with("/" + in.token)) << printable(text, 500);
    EXPECT_EQ(in.head.method_text, asked->method) << printable(text, 500);
    EXPECT_EQ(in.head.headers.count(Name::x_forwarded_for), 1u) << printable(text, 500);
    EXPECT_EQ(in.head.headers.get(Name::x_forwarded_for).substr(0, 5), "10.9.");
    for (const std::string_view gone :
         {"x-hop", "keep-alive", "te", "x_forwarded_for", "banyan-retry", "banyan-hedge"})
      EXPECT_EQ(in.head.headers.find(gone), nullptr) << printable(text, 500);
    in.waits = in.head.headers.has(Name::expect);
    in.content.emplace(*framing, content_of(in.token, of_request, asked->content), Side::client);
    return true;
  }
  // False when the connection ended before it.
  Task<bool> read_content(Incoming& in) {
    for (;;) {
      const bool sound = in.content->take(held_);
      EXPECT_TRUE(sound) << "a content is not that of its request: " << in.token;
      if (!sound) co_return false;
      if (in.content->done()) {
        EXPECT_TRUE(in.content->whole()) << in.token << " has " << in.content->size() << " bytes";
        co_return in.content->whole();
      }
      if (!co_await fill()) co_return false;
    }
  }

  Task<bool> serve_one() {
    Incoming in;
    if (!co_await read_head(in)) co_return false;
    EXPECT_LE(now(co_await current_context()), std::exchange(quiet_until_, never))
        << "a connection was used on which bytes had come that nobody asked for: " << in.token;
    const bool early = !calm_ && dice_.chance(10) && in.head.headers.get(Name::upgrade).empty();
    if (!early) {
      if (in.waits && (calm_ || dice_.chance(70)))
        if (!co_await peer_.send("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
      if (!co_await read_content(in)) co_return false;
    }
    if (!calm_) co_await pause();
    if (!co_await answer(in)) co_return false;
    if (early && !co_await read_content(in)) co_return false;
    if (calm_ && dice_.chance(10)) co_return co_await speak_unasked();
    co_return true;
  }
  // On a connection that should idle. It harms no request that is on its way; but one that is sent
  // after the bytes have come is a mistake: they might have been an answer.
  Task<bool> speak_unasked() {
    const Duration there_and_back = 2 * link_.latency + 1ms;
    (void)co_await sleep_for(there_and_back);
    if (!co_await peer_.send("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
    quiet_until_ = now(co_await current_context()) + there_and_back;
    co_return true;
  }
  static Time now(const Context& context) { return context.loop.now(); }
  Task<> pause() {
    const Duration most = dice_.chance(10)   ? Duration(8s)
                          : dice_.chance(30) ? Duration(300ms)
                                             : 0ms;
    (void)co_await sleep_for(dice_.up_to(most));
  }

  Task<bool> answer(Incoming& in) {
    if (!in.head.headers.get(Name::upgrade).empty() && dice_.chance(80)) return tunnel(in);
    if (calm_) return good_answer(in);
    switch (dice_.below(16)) {
      case 0:
        return hang();
      case 1:
        return leave();
      case 2:
        return garbage(in);
      case 3:
        return cut_answer(in);
      case 4:
        return answer_and_more(in);
      default:
        return good_answer(in);
    }
  }
  Task<bool> hang() {
    while (co_await fill()) held_.clear();
    co_return false;
  }
  Task<bool> leave() {
    if (dice_.chance(50)) peer_.stream().abort();
    co_return false;
  }
  Task<bool> garbage(const Incoming& in) {
    const std::string token = "x-token: " + in.token + "\r\nx-length: 9\r\n";
    const std::string texts[] = {
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\n" + token + "content-length: 5\r\ncontent-length: 6\r\n\r\nevilevil",
        "HTTP/1.1 200 OK\r\n" + token +
            "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\nevil",
        "HTTP/1.1 200 OK\nx: y\n\nevil",
        "HTTP/1.1 200 OK\r\n" + token + "transfer-encoding: chunked\r\n\r\nzz\r\nevil",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: evil\r\n\r\nevil",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 99 Evil\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: " + std::string(70'000, 'x') + "\r\n\r\n",
    };
    co_await peer_.send(texts[dice_.below(std::size(texts))]);
    // It is over when the gateway says so: what was sent must not be overtaken by our end.
    co_return co_await hang();
  }

  struct Made {
    std::string text;
    size_t head_size = 0;
    bool closes = false;
    bool counted = false;  // its end is told by a length or a chunk, not by the connection
  };
  Made make_answer(const Incoming& in) {
    const bool head = in.head.method == Method::head;
    const bool bare = !head && dice_.chance(10);
    const int status = bare ? dice_.one_of({204, 304}) : dice_.one_of({200, 200, 200, 404, 500});
    const std::string content = bare ? "" : content_of(in.token, of_answer, dice_.size());
    Made made{.closes = dice_.chance(10), .counted = true};
    made.text = "HTTP/1.1 " + std::to_string(status) + " Any\r\nx-token: " + in.token +
                "\r\nx-length: " + std::to_string(content.size()) + "\r\n";
    const int framing = bare ? 3 : static_cast<int>(dice_.below(3));
    if (framing == 0)
      made.text += "Content-Length: " + std::to_string(content.size()) + "\r\n";
    else if (framing == 1)
      made.text += "Transfer-Encoding: chunked\r\n";
    else if (framing == 2)
      made.closes = true, made.counted = false;
    if (made.closes) made.text += "Connection: close\r\n";
    if (!made.closes && dice_.chance(20))
      made.text += "Connection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n";
    made.text += "\r\n";
    made.head_size = made.text.size();
    if (!head) made.text += framing == 1 ? chunked(dice_, content) : content;
    return made;
  }
  Task<bool> good_answer(const Incoming& in) {
    if (dice_.chance(15) &&
        !co_await peer_.send("HTTP/1.1 103 Early Hints\r\nx-token: " + in.token + "\r\n\r\n"))
      co_return false;
    const Made made = make_answer(in);
    if (!co_await send_in_pieces(made.text)) co_return false;
    if (made.closes) peer_.stream().shutdown_write();
    // Or it closes without saying so, now or while the connection idles.
    if (!calm_ && !made.closes && dice_.chance(10)) {
      co_await pause();
      co_return false;
    }
    co_return !made.closes || co_await hang();
  }
  // Broken off. Where the end of the connection is the end of the content, only a reset says so.
  Task<bool> cut_answer(const Incoming& in) {
    const Made made = make_answer(in);
    const size_t keep = dice_.below(made.text.size());
    if (!co_await send_in_pieces(made.text.substr(0, keep))) co_return false;
    if ((!made.counted && keep >= made.head_size) || dice_.chance(50)) peer_.stream().abort();
    co_return false;
  }
  // Bytes that nobody asked for are nobody's answer. They must come together with the answer: later
  // they could not be told from the answer to the next request.
  Task<bool> answer_and_more(const Incoming& in) {
    const Made made = make_answer(in);
    const std::string more = "HTTP/1.1 200 OK\r\nx-token: evil\r\ncontent-length: 4\r\n\r\nevil";
    const bool together = !link_.random_cuts && made.text.size() + more.size() < link_.pipe_bytes;
    if (!made.counted || !together) co_return co_await send_in_pieces(made.text) && co_await hang();
    co_await peer_.send(made.text + more);
    co_return co_await hang();
  }
  Task<bool> send_in_pieces(std::string_view text) {
    const bool slow = dice_.chance(20);
    while (!text.empty()) {
      const size_t n =
          slow ? std::min<size_t>(text.size(), dice_.between(1, 1 + text.size() / 3)) : text.size();
      if (!co_await peer_.send(text.substr(0, n))) co_return false;
      text.remove_prefix(n);
      if (slow && calm_) (void)co_await sleep_for(dice_.up_to(20ms));
      if (slow && !calm_) co_await pause();
    }
    co_return true;
  }

  // Everything comes back.
  Task<bool> tunnel(const Incoming& in) {
    co_await peer_.send("HTTP/1.1 101 Switching Protocols\r\nx-token: " + in.token +
                        "\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
    for (;;) {
      if (!held_.empty() && !co_await peer_.send(std::exchange(held_, {}))) break;
      if (!co_await fill()) break;
      if (!calm_ && dice_.chance(5)) {
        peer_.stream().abort();
        break;
      }
    }
    co_return false;
  }

  Ledger& ledger_;
  Peer& peer_;
  const SimLink& link_;
  Dice dice_;
  const bool& calm_;
  std::string held_;
  Time quiet_until_ = never;
};

}  // namespace banyan::swarm
