// H2Connection: the server's role in HTTP/2 on one stream: each request becomes an exchange of its
// own, and all of them go on at the same time. Owner: the server's nursery. Thread: its loop's.
// Lifetime: the HandlerSource outlives it. Bounds: H2Limits and H2Budget; exchanges that are still
// ending count as streams, so that resets do not make room for more work than that. Source: RFC
// 9113; what each fault does is in docs/http2.md.
#pragma once
#include "http/h2_link.h"
#include "http/handler.h"
#include "http/server_connection.h"

namespace banyan {

class H2Exchange;

class H2Connection final : public ServerConnection, private H2Link, private Timer {
 public:
  H2Connection(StreamPtr stream, HandlerSource& source, Loop& loop);
  // After preface_head was taken from the stream, and `early`, which follows it.
  H2Connection(StreamPtr stream, Buffer early, HandlerSource& source, Loop& loop);
  ~H2Connection() override;

  Task<> serve() override;
  void drain() override;
  void close_if_idle() override;

  // What clients say first (RFC 9113, section 3.4), as far as HTTP/1 would take it for a head.
  static constexpr std::string_view preface_head = "PRI * HTTP/2.0\r\n\r\n";

 private:
  friend class H2Exchange;
  bool begin_stream(int32_t stream_id) override;
  void told_end(int32_t) override {}
  void between_frames() override;
  void input_over(const Result<>& how) override;
  void fire() noexcept override;
  void head_complete(H2Exchange& exchange);
  void start(H2Exchange& exchange);
  Task<> run_one(H2Exchange& exchange);
  void remove(H2Exchange& exchange);
  void watch();
  Time head_deadline() const;
  Task<> close(const Error& why, Time began);

  HandlerSource& source_;
  Buffer early_;
  const bool preface_taken_;
  Nursery* exchanges_ = nullptr;  // while it serves
  List<H2Exchange> reading_;      // their heads are not complete
  List<H2Exchange> ready_;        // complete: started behind the input
  List<H2Exchange> running_;
  uint32_t count_ = 0;  // of all these
  uint32_t requests_ = 0;
  Time idle_since_{};
  bool draining_ = false;
  bool farewell_over_ = false;
};

}  // namespace banyan
