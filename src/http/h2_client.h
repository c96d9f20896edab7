// H2Client: the client's role in HTTP/2: one connection to an endpoint, shared by many exchanges at
// the same time. Owner: the task that serves it (upstream/h2_pool starts it); an exchange keeps it
// only as long as its answer's body lives. Thread: its loop's. Bounds: H2Limits, and what the
// endpoint allows; an answer's head fits `head_bytes`; at most 16 interim answers a request. A
// broken answer gives Code::protocol or Code::reset, Side::upstream; a stream that the endpoint has
// refused, or never looked at (GOAWAY), is Code::unavailable and retryable. Source: RFC 9113; RFC
// 8441 (WebSocket).
#pragma once
#include "http/h1_client.h"
#include "http/h2_link.h"

namespace banyan {

class H2Client : public H2Link, private Timer {
 public:
  struct Limits {
    H2Limits link{.streams_max = 1000,
                  .window = 128 * 1024,
                  .link_window = 2 * 1024 * 1024,
                  .head_bytes = 64 * 1024};
    Duration gap_max = std::chrono::seconds(60);      // an endpoint gone silent in its answer
    Duration continue_max = std::chrono::seconds(1);  // wait for 100 before the content is sent
    Duration idle_max = std::chrono::seconds(60);     // without an exchange
    Duration life_max = std::chrono::hours(1);        // then no new exchange
    uint32_t exchanges_max = 100'000;
  };

  H2Client(StreamPtr stream, Loop& loop, const Limits& limits);
  ~H2Client() override;

  // To the end of the connection.
  Task<> serve();
  // Whether one more exchange may go on it.
  bool has_room() const;
  uint32_t exchanges() const { return exchanges_; }
  // No new exchanges; ends with the last of those that are.
  void retire();
  // The same, but for the exchange that is about to begin.
  void take_no_more() { retired_ = true; }

  // What an exchange holds as long as it goes on, whatever it is.
  class Held {
   public:
    virtual ~Held() = default;
  };
  // As H1Client::send.
  static Task<Reply> send(H2Client& client, std::unique_ptr<Held> held, Request& request,
                          std::string_view target, const Headers& headers, bool& silent);

 private:
  friend class H2Call;
  bool begin_stream(int32_t) override { return false; }  // nothing may be pushed
  void told_end(int32_t last_stream_id) override;
  void between_frames() override {}
  void input_over(const Result<>& how) override;
  void fire() noexcept override;
  // Waits until no exchange is left. Not cancellable: they hold on to us.
  struct Alone {
    H2Client& client;
    bool await_ready() const noexcept { return client.count_ == 0; }
    void await_suspend(std::coroutine_handle<> caller) noexcept { client.waiter_ = caller; }
    void await_resume() const noexcept {}
  };
  void enter(H2Channel& call);
  void leave(H2Channel& call);

  const Limits all_limits_;
  List<H2Channel> calls_;
  uint32_t count_ = 0;
  uint32_t exchanges_ = 0;
  const Time born_;
  Time idle_since_;
  bool retired_ = false;
  bool over_ = false;
  std::coroutine_handle<> waiter_;  // for the end of the last exchange
};

}  // namespace banyan
